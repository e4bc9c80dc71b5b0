//! Cross-Origin Resource Sharing: which other sites' pages may read our answers (the Fetch standard, section 3.2).
//!
//! A browser says in `Origin` whose page is asking, and shows it the answer only if the answer allows that. Before a request
//! that an HTML form could not make, it asks with OPTIONS whether it may: the *preflight*. That is answered here, and no
//! handler sees it, so it needs no credentials, which a browser does not send with it.
//!
//! This protects a browser's user, not the server: everyone else can still ask whatever they like.
//!
//! Pattern: Decorator (it may answer in place of the next handler).

use std::io;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderName,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

use super::vary;
use crate::handler::{Handler, Middleware, Plan};
use crate::message::{Refusal, Request, Response};

/// Lets pages of other origins use what the handler answers.
///
/// ```
/// use qibu::{Cors, HandlerExt, Request, testing::TestClient};
///
/// let api = |_: &mut Request| "hello";
/// let client = TestClient::new(api.with(Cors::new(["https://app.example"])?.headers(["content-type"])?));
/// let allowed = client.get("/").header("Origin", "https://app.example").send();
/// assert_eq!(allowed.header("access-control-allow-origin"), Some("https://app.example"));
/// let other = client.get("/").header("Origin", "https://evil.example").send();
/// assert_eq!(other.header("access-control-allow-origin"), None);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Cors {
    origins: Origins,
    /// The fields of an answer to an allowed origin.
    fields: HeaderMap,
    /// The further fields of the answer to an allowed preflight.
    preflight: HeaderMap,
    headers: Headers,
}

#[derive(Debug)]
enum Origins {
    Any,
    These(Vec<HeaderValue>),
}

/// The request fields that are allowed, beside those that every form can send.
#[derive(Debug)]
enum Headers {
    None,
    These(HeaderValue),
    Any,
}

/// What is added to an answer.
struct Addition {
    /// None where the origin is not allowed.
    fields: HeaderMap,
    vary: Option<&'static str>,
}

impl Cors {
    /// Allows these origins, written as browsers write them: `https://app.example`, `http://localhost:5173`. Fails if one
    /// of them is no origin: they have neither a path nor a wildcard, and no port where it is the one that the scheme has anyway.
    pub fn new<'a>(origins: impl IntoIterator<Item = &'a str>) -> io::Result<Self> {
        let origins = origins.into_iter().map(origin).collect::<io::Result<_>>()?;
        Ok(Self::of(Origins::These(origins)))
    }

    /// Allows all origins (`*`), but without cookies and other credentials.
    pub fn any() -> Self {
        let mut cors = Self::of(Origins::Any);
        cors.fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        cors
    }

    fn of(origins: Origins) -> Self {
        let cors = Self { origins, fields: HeaderMap::new(), preflight: HeaderMap::new(), headers: Headers::None };
        cors.methods([Method::GET, Method::HEAD, Method::POST])
    }

    /// The methods that are allowed. Default: GET, HEAD and POST.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        let names: Vec<_> = methods.into_iter().map(|method| method.as_str().to_owned()).collect();
        let value = HeaderValue::try_from(names.join(", ")).expect("methods are tokens");
        self.preflight.insert(ACCESS_CONTROL_ALLOW_METHODS, value);
        self
    }

    /// The request fields that are allowed, beside those that every form can send. `Content-Type: application/json` needs
    /// `content-type` here. Fails if one of them is no field name. Default: none.
    pub fn headers<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> io::Result<Self> {
        self.headers = Headers::These(names_list(names)?);
        Ok(self)
    }

    /// Allows all request fields, `Authorization` too: a preflight is answered with those that it asks for.
    ///
    /// ```
    /// use qibu::{Cors, HandlerExt, Request, testing::TestClient};
    ///
    /// let client = TestClient::new((|_: &mut Request| "hello").with(Cors::any().any_headers()));
    /// let preflight = client.request("OPTIONS", "/").header("Origin", "https://app.example");
    /// let preflight = preflight.header("Access-Control-Request-Method", "GET");
    /// let answer = preflight.header("Access-Control-Request-Headers", "authorization,x-a").send();
    /// assert_eq!(answer.header("access-control-allow-headers"), Some("authorization, x-a"));
    /// ```
    #[must_use]
    pub fn any_headers(mut self) -> Self {
        self.headers = Headers::Any;
        self
    }

    /// The fields of the answer that a page may read, beside the common ones. Fails if one of them is no field name.
    /// Default: none.
    pub fn expose<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> io::Result<Self> {
        self.fields.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names_list(names)?);
        Ok(self)
    }

    /// Allows requests with cookies and other credentials. Fails beside [`Self::any`]: every page on the web could act in
    /// the name of your users.
    pub fn credentials(mut self) -> io::Result<Self> {
        if let Origins::Any = self.origins {
            return Err(invalid("Cors: credentials need a list of origins, not any()"));
        }
        self.fields.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        Ok(self)
    }

    /// How long a browser need not ask again. Default: what the browser likes, about 5 seconds.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.preflight.insert(ACCESS_CONTROL_MAX_AGE, age.as_secs().into());
        self
    }

    /// The fields for the origin of this request, if it is allowed.
    fn allow(&self, request: &Request) -> Option<HeaderMap> {
        let origin = request.header_bytes("origin")?;
        let mut fields = self.fields.clone();
        if let Origins::These(origins) = &self.origins {
            let known = origins.iter().find(|known| known.as_bytes() == origin)?;
            fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, known.clone());
        }
        Some(fields)
    }

    fn addition(&self, request: &Request) -> Addition {
        // A cache must not give an answer for one origin to another, nor to none.
        let vary = matches!(self.origins, Origins::These(_)).then_some("origin");
        Addition { fields: self.allow(request).unwrap_or_default(), vary }
    }

    /// Of the fields that a preflight asks for, those that are allowed.
    fn allow_headers(&self, request: &Request) -> Option<HeaderValue> {
        match &self.headers {
            Headers::None => None,
            Headers::These(names) => Some(names.clone()),
            // Not `*`: that leaves out Authorization, and means nothing beside credentials (the Fetch standard, section 4.8).
            Headers::Any => {
                let asked = str::from_utf8(request.header_bytes("access-control-request-headers")?).ok()?;
                names_list(asked.split(',').map(|name| name.trim_matches([' ', '\t']))).ok()
            }
        }
    }

    fn answer_preflight(&self, request: &Request) -> Response {
        let mut response = match self.allow(request) {
            Some(fields) => {
                let mut response = Response::new(StatusCode::NO_CONTENT);
                response.headers_mut().extend(fields);
                response.headers_mut().extend(self.preflight.clone());
                let headers = self.allow_headers(request).map(|names| (ACCESS_CONTROL_ALLOW_HEADERS, names));
                response.headers_mut().extend(headers);
                response
            }
            None => Response::status_page(StatusCode::FORBIDDEN),
        };
        for name in ["origin", "access-control-request-method", "access-control-request-headers"] {
            vary::add(&mut response, name);
        }
        response
    }
}

impl Addition {
    fn to(self, mut response: Response) -> Response {
        response.headers_mut().extend(self.fields);
        if let Some(name) = self.vary {
            vary::add(&mut response, name);
        }
        response
    }
}

fn is_preflight(request: &Request) -> bool {
    *request.method() == Method::OPTIONS
        && request.header_bytes("origin").is_some()
        && request.header_bytes("access-control-request-method").is_some()
}

impl Middleware for Cors {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        if is_preflight(request) {
            return self.answer_preflight(request);
        }
        let addition = self.addition(request);
        next.handle(request).map(move |response| addition.to(response))
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        if is_preflight(request) { Plan::refuse(self.answer_preflight(request)) } else { next.plan(request) }
    }

    /// A page that may read the answers shall read this one, too: else all that its developer sees is a "CORS error".
    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        match refusal.request() {
            Some(request) => self.addition(request).to(answer),
            None => answer,
        }
    }
}

/// An origin as browsers write it, since it is compared byte for byte.
fn origin(text: &str) -> io::Result<HeaderValue> {
    check(text).map_err(|cure| invalid(format!("Cors: {text:?} is no origin; {cure}")))?;
    HeaderValue::from_str(text).map_err(|error| invalid(error.to_string()))
}

/// RFC 6454 §6.2: scheme and host, and the port where the scheme has another one. Fails with what is to be done about it.
fn check(text: &str) -> Result<(), &'static str> {
    const SHAPE: &str = "write it in small letters and without a path, as in https://app.example";
    if text.contains('*') {
        return Err(if text == "*" {
            "Cors::any() allows all of them"
        } else {
            "there are no wildcards: name each one"
        });
    }
    let uri: Uri = text.parse().map_err(|_| SHAPE)?;
    let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or(SHAPE)?;
    let is_whole = format!("{scheme}://{authority}") == text && text == text.to_ascii_lowercase();
    match (scheme, authority.as_str().strip_prefix(authority.host())) {
        (_, Some("")) if is_whole => Ok(()),
        ("http", Some(":80")) | ("https", Some(":443")) if is_whole => {
            Err("browsers leave out the port that the scheme has anyway, and so must you")
        }
        (_, Some(port)) if is_whole && is_port(port) => Ok(()),
        _ => Err(SHAPE),
    }
}

fn is_port(text: &str) -> bool {
    text.get(1..).and_then(|digits| digits.parse::<u16>().ok()).is_some_and(|port| text == format!(":{port}"))
}

fn names_list<'a>(names: impl IntoIterator<Item = &'a str>) -> io::Result<HeaderValue> {
    let name = |name: &'a str| {
        HeaderName::try_from(name).map_err(|_| invalid(format!("Cors: {name:?} is no name of a header field")))
    };
    let names = names.into_iter().map(name).collect::<io::Result<Vec<_>>>()?;
    let list = names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", ");
    Ok(HeaderValue::try_from(list).expect("field names are tokens"))
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.into())
}
