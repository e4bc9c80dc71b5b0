//! One value of a request, as a number or whatever it shall be: path parameters and the query.
//!
//! What does not fit is the client's fault: a 400 that names the value, so that `?` is all that a handler needs.

use std::fmt;
use std::io;
use std::str::FromStr;

use http::StatusCode;
use percent_encoding::percent_decode_str;

use super::{Error, Request};

impl Request {
    /// A path parameter of the route, percent-decoded: `request.param::<u64>("id")?` for `/users/{id}`.
    ///
    /// What does not fit the type is a 400 that names the parameter. A name that the route does not have is a mistake in
    /// the program: logged, and a 500.
    pub fn param<T>(&self, name: &str) -> Result<T, Error>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let Some(raw) = self.raw_param(name) else {
            let route = self.route().unwrap_or("none");
            return Err(io::Error::other(format!("there is no parameter `{name}` in the route {route}")).into());
        };
        let text = percent_decode_str(raw).decode_utf8();
        let text = text.map_err(|_| bad(format_args!("the path's `{name}` is not UTF-8 text")))?;
        text.parse().map_err(|error| bad(format_args!("the path's `{name}`: {error}")))
    }
}

fn bad(message: fmt::Arguments<'_>) -> Error {
    Error::new(StatusCode::BAD_REQUEST, message.to_string())
}
