//! What a handler may return.
//!
//! Pattern: Adapter (of what a handler returns, to a response).

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;

use super::{Body, Request, Response};

/// Anything that can answer a request: text, bytes, a status, a [`Response`], or an `Option` or `Result` of those.
///
/// ```
/// use qibu::{Request, StatusCode, testing::TestClient};
///
/// let client = TestClient::new(|request: &mut Request| match request.path() {
///     "/" => Some("welcome"),
///     _ => None, // 404
/// });
/// assert_eq!(client.get("/").send().text(), "welcome");
/// assert_eq!(client.get("/else").send().status(), 404);
///
/// let client = TestClient::new(|_: &mut Request| (StatusCode::CREATED, "made"));
/// assert_eq!(client.post("/").send().status(), 201);
/// ```
///
/// A type of your own can be one, too. An error that is has the status that it wants, in a handler that returns
/// `Result<_, ThatError>`:
///
/// ```
/// use qibu::{Error, IntoResponse, Request, Response, StatusCode, testing::TestClient};
///
/// enum ShopError {
///     SoldOut,
///     Disk(std::io::Error),
/// }
///
/// impl From<std::io::Error> for ShopError {
///     fn from(error: std::io::Error) -> Self {
///         Self::Disk(error)
///     }
/// }
///
/// impl IntoResponse for ShopError {
///     fn into_response(self) -> Response {
///         match self {
///             Self::SoldOut => (StatusCode::CONFLICT, "sold out").into_response(),
///             Self::Disk(error) => Error::from(error).into_response(), // logged, and a bare 500
///         }
///     }
/// }
///
/// fn buy(request: &mut Request) -> Result<String, ShopError> {
///     match request.path() {
///         "/nothing" => Err(ShopError::SoldOut),
///         _ => Ok(std::fs::read_to_string("no such file")?),
///     }
/// }
/// let client = TestClient::new(buy);
/// assert_eq!((client.get("/nothing").send().status(), client.get("/").send().status()), (409, 500));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an HTTP response",
    note = "return text, bytes, a StatusCode, a Response, or an Option, Result or (StatusCode, _) of those",
    note = "with `qibu::Result` as its return type, a handler may use `?` on any type that implements `std::error::Error`",
    note = "a `Box<dyn Error + Send + Sync>` does not: `.map_err(std::io::Error::other)?`"
)]
pub trait IntoResponse {
    /// Makes the response.
    fn into_response(self) -> Response;

    /// Makes the response to this request. It is the same, unless there is something to say of the request beside it, as there is
    /// in the log for an [`Error`](super::Error). A closure that is a handler is answered with this one.
    fn respond_to(self, request: &Request) -> Response
    where
        Self: Sized,
    {
        let _ = request;
        self.into_response()
    }
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

/// 204 No Content.
impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::new(StatusCode::NO_CONTENT)
    }
}

/// The status with its own name as the text.
impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        Response::status_page(self)
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Response {
        Response::bytes("application/octet-stream", self)
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for Cow<'static, str> {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        Body::from(self).into_response()
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Response {
        Body::from(self).into_response()
    }
}

impl IntoResponse for &'static [u8] {
    fn into_response(self) -> Response {
        Body::from(self).into_response()
    }
}

/// `None` is 404.
impl<T: IntoResponse> IntoResponse for Option<T> {
    fn into_response(self) -> Response {
        self.map_or_else(|| Response::status_page(StatusCode::NOT_FOUND), T::into_response)
    }

    fn respond_to(self, request: &Request) -> Response {
        match self {
            Some(value) => value.respond_to(request),
            None => self.into_response(),
        }
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }

    fn respond_to(self, request: &Request) -> Response {
        match self {
            Ok(value) => value.respond_to(request),
            Err(error) => error.respond_to(request),
        }
    }
}

/// Text that is HTML: for handlers that return values, as in `(StatusCode::CREATED, Html(page))`.
///
/// ```
/// use qibu::{Html, Request, testing::TestClient};
///
/// let client = TestClient::new(|_: &mut Request| Html("<h1>hello</h1>"));
/// assert_eq!(client.get("/").send().header("content-type"), Some("text/html; charset=utf-8"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Html<T>(pub T);

impl<T: Into<Body>> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        Response::html(self.0)
    }
}

/// A response of the `http` crate; its version and extensions mean nothing here.
impl<B: Into<Body>> IntoResponse for http::Response<B> {
    fn into_response(self) -> Response {
        let (head, body) = self.into_parts();
        let mut response = Response::new(head.status).with_body(body);
        *response.headers_mut() = head.headers;
        response
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        self.1.into_response().with_status(self.0)
    }

    fn respond_to(self, request: &Request) -> Response {
        self.1.respond_to(request).with_status(self.0)
    }
}
