//! One value of a request, as a number or whatever it shall be: path parameters and the query.
//!
//! What does not fit is the client's fault: a 400 that names the value, so that `?` is all that a handler needs.
//! Decoding never fails as a whole: whatever stands in a query has some reading, that of the URL standard.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::str::FromStr;

use http::StatusCode;
use percent_encoding::percent_decode_str;

use super::Request;
use crate::message::Error;

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

    /// A value of the query, as in `?page=2`. Without it, or where it does not fit the type, the client gets a 400 that
    /// names it.
    ///
    /// ```
    /// use qibu::{Request, Result, testing::TestClient};
    ///
    /// let client = TestClient::new(|request: &mut Request| -> Result<String> {
    ///     let (name, page) = (request.query::<String>("name")?, request.query_or("page", 1)?);
    ///     Ok(format!("page {page} of {name}"))
    /// });
    /// assert_eq!(client.get("/?name=seven+steps&page=2").send().text(), "page 2 of seven steps");
    /// assert_eq!(client.get("/?name=x").send().text(), "page 1 of x");
    /// assert_eq!(client.get("/?page=2").send().text(), "the query's `name` is missing\n");
    /// assert_eq!(client.get("/?name=x&page=two").send().status(), 400);
    /// ```
    pub fn query<T>(&self, name: &str) -> Result<T, Error>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.find_query(name)?.ok_or_else(|| bad(format_args!("the query's `{name}` is missing")))
    }

    /// The same with a value for when it is not there. One that is there and does not fit is a 400 all the same.
    pub fn query_or<T>(&self, name: &str, absent: T) -> Result<T, Error>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        Ok(self.find_query(name)?.unwrap_or(absent))
    }

    /// All names and values of the query, decoded, in order.
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query_string().unwrap_or_default().as_bytes())
    }

    fn find_query<T>(&self, name: &str) -> Result<Option<T>, Error>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let Some((_, text)) = self.query_pairs().find(|(known, _)| known == name) else { return Ok(None) };
        text.parse().map(Some).map_err(|error| bad(format_args!("the query's `{name}`: {error}")))
    }
}

fn bad(message: fmt::Arguments<'_>) -> Error {
    Error::new(StatusCode::BAD_REQUEST, message.to_string())
}
