//! JSON, sent and received.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{TestRequest, TestResponse};

impl TestRequest<'_> {
    /// A value as the body, and the Content-Type that says so.
    ///
    /// ```
    /// use qibu::{Request, Response, Result, testing::TestClient};
    ///
    /// fn double(request: &mut Request) -> Result {
    ///     let numbers: Vec<u32> = request.json()?;
    ///     Ok(Response::json(&numbers.iter().map(|number| number * 2).collect::<Vec<_>>()))
    /// }
    /// let answer = TestClient::new(double).post("/").json(&[1, 2, 3]).send();
    /// assert_eq!(answer.json::<Vec<u32>>(), [2, 4, 6]);
    /// ```
    ///
    /// # Panics
    ///
    /// If the value has no JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        let text = serde_json::to_vec(value).expect("the value has a JSON");
        self.header("Content-Type", "application/json").body(text)
    }
}

impl TestResponse {
    /// The body as a value.
    ///
    /// # Panics
    ///
    /// If it is not JSON, or does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(self.bytes())
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(self.bytes())))
    }
}
