//! Names and passwords (RFC 7617): who has none, or a wrong one, gets 401 and goes no further.
//!
//! ```text
//!                 no credentials ──► 401, before the body is read
//!   plan ── head ─┤ known to be right ──► on, wherever the next handler wants to run
//!                 └ not known ──► too many tries? 429 : to the worker pool ──► handle: compute the hash ──► on, or 401
//! ```
//!
//! While the hash is computed the body waits, but for its first 256 KiB: nothing of it reaches the next handler before.
//!
//! The hashes are slow by design, so four things see to it that they harm nobody but who is guessing. They are computed on
//! the pool. One is computed at a time, and few wait for that. What was right once is remembered as a keyed tag (HMAC), not
//! as the password. And each address has so many wrong tries, then one in six seconds.
//!
//! A name that nobody has takes as long as one that somebody has, and is refused with the same words.
//!
//! Pattern: Decorator (it may answer in place of the next handler).

mod users;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use std::{fmt, fs, io, mem};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use sha2::Sha256;

use self::users::Users;
use super::buckets::Buckets;
use super::passes;
use super::rate_limit::too_many;
use crate::handler::{Handler, Middleware, Place, Plan};
use crate::message::{BodySink, Error, IntoResponse, Request, Response};

/// Lets only those in who know a name and its password. Use it where the connection is encrypted, or in a network of your
/// own: browsers send the password with every request.
///
/// ```
/// use qibu::auth::BasicAuth;
/// use qibu::{HandlerExt, Request, testing::TestClient};
///
/// // The lines of an htpasswd file, as `htpasswd -nB alice` prints them.
/// let users = format!("alice:{}", BasicAuth::hash("seven steps")?);
/// let page = |request: &mut Request| format!("hello, {}", BasicAuth::user(request).unwrap_or("stranger"));
/// let client = TestClient::new(page.with(BasicAuth::new(&users)?));
///
/// let refused = client.get("/").send();
/// assert_eq!(refused.status(), 401);
/// assert_eq!(refused.header("www-authenticate"), Some(r#"Basic realm="restricted", charset="UTF-8""#));
/// let answer = client.get("/").header("Authorization", "Basic YWxpY2U6c2V2ZW4gc3RlcHM=").send(); // alice:seven steps
/// assert_eq!(answer.text(), "hello, alice");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct BasicAuth {
    users: Users,
    challenge: HeaderValue,
    verified: Verified,
    tries: Buckets,
    hashing: Hashing,
}

/// Wrong tries of one address: so many at once, and as many again in [`TRIES_PERIOD`].
const TRIES: u32 = 10;
const TRIES_PERIOD: Duration = Duration::from_secs(60);
const MOST_CLIENTS: usize = 64 * 1024;

/// How many requests may wait for a hash, the one that computes included. The others get 503: the pool is not only ours.
const MOST_WAITING: usize = 8;

/// Longest credentials that are looked at, in bytes of base64.
const MOST_BYTES: usize = 1024;

impl BasicAuth {
    /// Takes the lines of an htpasswd file: `name:hash`, the hash being bcrypt (`htpasswd -B`) or argon2. Fails if a line is
    /// something else, or there is none.
    pub fn new(lines: &str) -> io::Result<Self> {
        let users = Users::parse(lines).map_err(|error| io::Error::new(error.kind(), format!("BasicAuth: {error}")))?;
        Ok(Self {
            users,
            challenge: challenge("restricted")?,
            verified: Verified::new()?,
            tries: Buckets::new(TRIES, TRIES_PERIOD, MOST_CLIENTS),
            hashing: Hashing::default(),
        })
    }

    /// The same from a file. The error names it.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let lines = fs::read_to_string(path);
        let auth = lines.and_then(|lines| Self::new(&lines));
        auth.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    /// What the browser shows when it asks for the password. Default: `restricted`. Fails if it is not plain ASCII.
    pub fn realm(mut self, realm: &str) -> io::Result<Self> {
        self.challenge = challenge(realm)?;
        Ok(self)
    }

    /// Hashes a password for a line of the file (argon2id). It takes some 30 milliseconds.
    pub fn hash(password: &str) -> io::Result<String> {
        users::hash(password)
    }

    /// The name of who was let in, for handlers inside.
    pub fn user(request: &Request) -> Option<&str> {
        request.extensions().get::<User>().map(|user| &*user.0)
    }

    fn unauthorized(&self) -> Response {
        let mut response = Response::status_page(StatusCode::UNAUTHORIZED);
        response.headers_mut().insert(WWW_AUTHENTICATE, self.challenge.clone());
        response
    }

    fn admit(&self, request: &mut Request, credentials: Credentials) {
        request.extensions_mut().insert(User(credentials.name.into()));
        passes::give(request, self);
    }

    /// Decides what can be decided without a hash.
    fn glance(&self, request: &mut Request) -> Glance {
        let Some(credentials) = Credentials::of(request) else { return Glance::Refused(self.unauthorized()) };
        if self.verified.has(&credentials) {
            self.admit(request, credentials);
            return Glance::Admitted;
        }
        let client = request.client_addr();
        // Taken before the hash, so that many guesses at once are as many as one after the other.
        match self.tries.take(client, Instant::now()) {
            Ok(()) => Glance::Unknown(credentials),
            Err(wait) => {
                log::info!("429 for {client}: too many wrong passwords (BasicAuth)");
                Glance::Refused(too_many(wait))
            }
        }
    }

    /// Decides by the hash. Slow.
    fn verify(&self, request: &mut Request, credentials: Credentials) -> Result<(), Box<Response>> {
        let is_right = self.hashing.one_at_a_time(|| {
            // Somebody may have come before us with the same: a page and its pictures.
            self.verified.has(&credentials) || self.users.verify(&credentials.name, &credentials.password)
        });
        let client = request.client_addr();
        match is_right {
            Some(true) => {
                self.tries.give_back(client);
                self.verified.remember(&credentials, self.users.len());
                self.admit(request, credentials);
                Ok(())
            }
            Some(false) => {
                log::info!("401 for {client}: wrong name or password for {:?} (BasicAuth)", credentials.name);
                Err(self.unauthorized().into())
            }
            None => {
                self.tries.give_back(client);
                log::warn!("503 for {client}: too many passwords to verify at once (BasicAuth)");
                let busy = Response::status_page(StatusCode::SERVICE_UNAVAILABLE);
                Err(busy.with_header(RETRY_AFTER.as_str(), "1").into())
            }
        }
    }
}

/// What can be said of a request without computing a hash.
enum Glance {
    Admitted,
    Refused(Response),
    Unknown(Credentials),
}

/// What `plan` leaves for `handle`: the credentials to verify, and what the next handler has planned meanwhile.
#[derive(Clone)]
struct Pending {
    credentials: Credentials,
    planned: Arc<Mutex<Planned>>,
    /// That of a door behind this one.
    inner: Option<Box<Self>>,
}

/// What no stranger shall come to: neither see it nor send anything into it.
#[derive(Debug, Default)]
struct Planned {
    refusal: Option<Response>,
    sink: Option<Box<dyn BodySink>>,
}

impl Middleware for BasicAuth {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        if passes::has(request, self) {
            return next.handle(request);
        }
        let pending = request.extensions_mut().remove::<Pending>();
        let (credentials, planned) = match pending {
            Some(Pending { credentials, planned, inner }) => {
                inner.map(|inner| request.extensions_mut().insert(*inner));
                (credentials, mem::take(&mut *planned.lock().unwrap_or_else(PoisonError::into_inner)))
            }
            None => match self.glance(request) {
                Glance::Admitted => return next.handle(request),
                Glance::Refused(response) => return response,
                Glance::Unknown(credentials) => (credentials, Planned::default()),
            },
        };
        match (self.verify(request, credentials), planned) {
            (Err(response), _) => *response,
            (Ok(()), Planned { refusal: Some(response), .. }) => response,
            (Ok(()), Planned { sink: Some(sink), .. }) => match request.body().pour_into(sink) {
                Ok(()) => next.handle(request),
                Err(error) => Error::from(error).into_response(),
            },
            (Ok(()), _) => next.handle(request),
        }
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        match self.glance(request) {
            Glance::Admitted => next.plan(request),
            Glance::Refused(response) => Plan::refuse(response),
            Glance::Unknown(credentials) => {
                let mut plan = next.plan(request);
                // While the body arrives: what a stranger sends is not collected.
                let refusal = match mem::replace(&mut plan.place, Place::Stream) {
                    Place::Refused(response) => Some(*response),
                    Place::Loop | Place::Pool | Place::Stream => None,
                };
                let planned = Planned { refusal, sink: plan.sink.take() };
                let inner = request.extensions_mut().remove::<Pending>().map(Box::new);
                request.extensions_mut().insert(Pending { credentials, planned: Arc::new(Mutex::new(planned)), inner });
                plan
            }
        }
    }
}

impl fmt::Debug for BasicAuth {
    /// Without the hashes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

/// The name of who was let in, as it lies in the request.
#[derive(Clone)]
struct User(Arc<str>);

/// RFC 7617 §2 and §2.1.
fn challenge(realm: &str) -> io::Result<HeaderValue> {
    let is_plain = realm.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let quoted = realm.replace('\\', "\\\\").replace('"', "\\\"");
    let value = HeaderValue::try_from(format!("Basic realm=\"{quoted}\", charset=\"UTF-8\""));
    value.ok().filter(|_| is_plain).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("BasicAuth: the realm {realm:?} is not plain ASCII"))
    })
}

/// What the client says it knows.
#[derive(Clone)]
struct Credentials {
    name: String,
    password: String,
}

impl Credentials {
    /// `Basic` and base64 of `name:password` in UTF-8, without control characters (RFC 7617 section 2). `None` for
    /// everything else, and for two fields at once.
    fn of(request: &Request) -> Option<Self> {
        let mut fields = request.header_values("authorization");
        let (field, another) = (fields.next()?, fields.next());
        let (scheme, encoded) = field.split_at_checked("Basic ".len()).filter(|_| another.is_none())?;
        let encoded = encoded.trim_ascii_start();
        if !scheme.eq_ignore_ascii_case(b"Basic ") || encoded.len() > MOST_BYTES {
            return None;
        }
        let text = String::from_utf8(BASE64.decode(encoded).ok()?).ok()?;
        let (name, password) = text.split_once(':').filter(|_| !text.chars().any(char::is_control))?;
        Some(Self { name: name.to_owned(), password: password.to_owned() })
    }
}

/// Credentials that were right, one of each user, as tags that nobody can make without the key. It is a new one whenever
/// the server starts.
struct Verified {
    key: Hmac<Sha256>,
    tags: RwLock<HashMap<String, [u8; 32]>>,
}

impl Verified {
    fn new() -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let key = Hmac::new_from_slice(&key).expect("HMAC takes keys of any length");
        Ok(Self { key, tags: RwLock::default() })
    }

    /// A tag is made for every name, so that time does not tell which ones are known. It is compared in constant time.
    fn has(&self, credentials: &Credentials) -> bool {
        let tag = self.tag(credentials);
        let tags = self.tags.read().unwrap_or_else(PoisonError::into_inner);
        tags.get(&credentials.name).is_some_and(|known| tag.verify_slice(known).is_ok())
    }

    /// There are never more than there are users, since only what was right comes here.
    fn remember(&self, credentials: &Credentials, users: usize) {
        let tag = self.tag(credentials).finalize().into_bytes().into();
        let mut tags = self.tags.write().unwrap_or_else(PoisonError::into_inner);
        tags.insert(credentials.name.clone(), tag);
        debug_assert!(tags.len() <= users, "only users are remembered");
    }

    fn tag(&self, credentials: &Credentials) -> Hmac<Sha256> {
        let mut tag = self.key.clone();
        // There is no colon in a name, so no other pair has the same bytes.
        tag.update(credentials.name.as_bytes());
        tag.update(b":");
        tag.update(credentials.password.as_bytes());
        tag
    }
}

/// One hash at a time: its memory and its core are all that an attack can have.
#[derive(Default)]
struct Hashing {
    turn: Mutex<()>,
    waiting: AtomicUsize,
}

impl Hashing {
    /// `None` if too many are waiting.
    fn one_at_a_time<T>(&self, compute: impl FnOnce() -> T) -> Option<T> {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let result = (waiting < MOST_WAITING).then(|| {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            compute()
        });
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        result
    }
}
