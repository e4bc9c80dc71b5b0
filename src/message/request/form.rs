//! Forms and queries as structs: anything that implements serde's `Deserialize`.
//!
//! ```text
//!   name=Li&tags=a&tags=b  ──►  struct { name: String, tags: Vec<String> }
//! ```
//!
//! What does not fit is a 400 or 422 that names the field.

use http::StatusCode;
use serde::de::DeserializeOwned;

use super::Request;
use crate::message::Error;

/// What a form is sent as, unless it has files.
const FORM: &str = "application/x-www-form-urlencoded";

impl Request {
    /// The fields of a form as a struct. Another media type is 415; a field that is missing or does not fit is a 422 that
    /// names it.
    ///
    /// ```
    /// use qibu::{Request, Response, Result, testing::TestClient};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Guest {
    ///     name: String,
    ///     age: u8,
    /// }
    /// let client = TestClient::new(|request: &mut Request| -> Result<String> {
    ///     let guest: Guest = request.form()?;
    ///     Ok(format!("{}, {}", guest.name, guest.age))
    /// });
    /// assert_eq!(client.post("/").form(&[("name", "Li"), ("age", "41")]).send().text(), "Li, 41");
    /// let refused = client.post("/").form(&[("name", "Li"), ("age", "old")]).send();
    /// assert_eq!(refused.text(), "the form's `age`: invalid digit found in string\n");
    /// ```
    pub fn form<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        self.expect_media_type("a form", |media_type| media_type == FORM)?;
        read("form", StatusCode::UNPROCESSABLE_ENTITY, self.bytes()?)
    }

    /// The query as a struct. A value that is missing or does not fit is a 400 that names it.
    ///
    /// ```
    /// use qibu::{Request, Result, testing::TestClient};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Search {
    ///     words: String,
    ///     page: Option<u32>,
    /// }
    /// let client = TestClient::new(|request: &mut Request| -> Result<String> {
    ///     let search: Search = request.query_as()?;
    ///     Ok(format!("{} {:?}", search.words, search.page))
    /// });
    /// assert_eq!(client.get("/?words=a+b").send().text(), "a b None");
    /// assert_eq!(client.get("/?page=2").send().text(), "the query: missing field `words`\n");
    /// assert_eq!(client.get("/?words=a&words=b").send().text(), "the query's `words` came 2 times\n");
    /// ```
    pub fn query_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        read("query", StatusCode::BAD_REQUEST, self.query_string().unwrap_or_default().as_bytes())
    }
}

fn read<T: DeserializeOwned>(what: &str, status: StatusCode, pairs: &[u8]) -> Result<T, Error> {
    let values = serde_html_form::Deserializer::from_bytes(pairs);
    serde_path_to_error::deserialize(values).map_err(|error| {
        let field = error.path().to_string();
        let place = if field == "." { format!("the {what}") } else { format!("the {what}'s `{field}`") };
        let times = form_urlencoded::parse(pairs).filter(|(name, _)| *name == field).count();
        match error.into_inner().to_string() {
            // So it calls several values where one is wanted.
            text if text == "unsupported value" && times > 1 => {
                Error::new(status, format!("{place} came {times} times"))
            }
            text => Error::new(status, format!("{place}: {text}")),
        }
    })
}
