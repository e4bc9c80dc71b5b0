//! Forms, as a browser sends them.

use serde::Serialize;

use super::TestRequest;

impl TestRequest<'_> {
    /// A form as the body: a struct, or pairs as in `.form(&[("name", "Li")])`.
    ///
    /// # Panics
    ///
    /// If it cannot be a form: it has maps in maps, say.
    pub fn form<T: Serialize + ?Sized>(self, fields: &T) -> Self {
        let text = serde_html_form::to_string(fields).expect("the fields are names and values");
        self.header("Content-Type", "application/x-www-form-urlencoded").body(text)
    }
}
