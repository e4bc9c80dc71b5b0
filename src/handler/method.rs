//! Methods of an object as handlers: what Python calls a bound method.
//!
//! Pattern: Adapter.

use std::sync::Arc;

use crate::message::{IntoResponse, Request};

/// A method of `object`, as the function that a route wants: `router.get("/", method(&blog, Blog::index))`.
///
/// ```
/// use std::sync::Arc;
/// use qibu::{Request, Result, Router, method, testing::TestClient};
///
/// struct Blog {
///     title: String,
/// }
///
/// impl Blog {
///     fn index(&self, _: &mut Request) -> String {
///         self.title.clone()
///     }
///     fn post(&self, request: &mut Request) -> Result<String> {
///         Ok(format!("{}: post {}", self.title, request.param::<u32>("id")?))
///     }
/// }
/// let blog = Arc::new(Blog { title: "Stairs".into() });
/// let app = Router::new().get("/", method(&blog, Blog::index)).get("/{id}", method(&blog, Blog::post));
/// assert_eq!(TestClient::new(app).get("/7").send().text(), "Stairs: post 7");
/// ```
pub fn method<T, F, R>(object: &Arc<T>, method: F) -> impl Fn(&mut Request) -> R + Send + Sync + use<T, F, R>
where
    T: Send + Sync + 'static,
    F: Fn(&T, &mut Request) -> R + Send + Sync + 'static,
    R: IntoResponse + 'static,
{
    let object = object.clone();
    move |request| method(&object, request)
}
