//! JSON as a struct, and back: anything that implements serde's `Deserialize` or `Serialize`.
//!
//! What is no JSON is a 400, what does not fit a 422 that names the place in it. A browser sends `application/json` to
//! another site only when that site allows it, but text to any; so another media type is refused (415), and a page
//! elsewhere cannot make its visitors send JSON here.

use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, IntoResponse, Request, Response};

const JSON: &str = "application/json";

impl Request {
    /// The body, which is JSON.
    ///
    /// ```
    /// use qibu::{Request, Response, Result, testing::TestClient};
    ///
    /// #[derive(serde::Deserialize, serde::Serialize)]
    /// struct Note {
    ///     text: String,
    ///     stars: u8,
    /// }
    /// let client = TestClient::new(|request: &mut Request| -> Result {
    ///     let note: Note = request.json()?;
    ///     Ok(Response::json(&Note { stars: note.stars + 1, ..note }))
    /// });
    /// let answer = client.post("/").json(&Note { text: "hi".into(), stars: 1 }).send();
    /// assert_eq!(answer.text(), r#"{"text":"hi","stars":2}"#);
    ///
    /// let refused = client.post("/").json(&serde_json::json!({"text": "hi", "stars": "many"})).send();
    /// assert_eq!(refused.status(), 422);
    /// assert!(refused.text().starts_with("the JSON's `stars`: invalid type: string"));
    /// ```
    pub fn json<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        self.expect_media_type("JSON", |media_type| media_type == JSON || media_type.ends_with("+json"))?;
        let mut text = serde_json::Deserializer::from_slice(self.bytes()?);
        let value = serde_path_to_error::deserialize(&mut text).map_err(|error| {
            let place = error.path().to_string();
            let error = error.into_inner();
            match error.classify() {
                serde_json::error::Category::Data if place != "." => misfit(format!("the JSON's `{place}`: {error}")),
                serde_json::error::Category::Data => misfit(format!("the JSON: {error}")),
                _ => malformed(&error),
            }
        })?;
        text.end().map_err(|error| malformed(&error))?;
        Ok(value)
    }
}

fn misfit(message: String) -> Error {
    Error::new(StatusCode::UNPROCESSABLE_ENTITY, message)
}

fn malformed(error: &serde_json::Error) -> Error {
    Error::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}"))
}

impl Response {
    /// 200 with the value as JSON (`application/json`). A value that has no JSON is logged, and a 500.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(text) => Self::bytes(JSON, text),
            Err(error) => Error::from(error).into_response(),
        }
    }
}

/// A value that is answered as JSON: for handlers that return values, as in `(StatusCode::CREATED, Json(note))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        Response::json(&self.0)
    }
}
