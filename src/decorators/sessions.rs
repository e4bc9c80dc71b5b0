//! A few values for each visitor, kept by the visitor: in a cookie that only we can write.
//!
//! ```text
//!   session=1764003600&user=alice&theme=dark.mBq4zYc…
//!           until when  values                HMAC-SHA256 over the cookie's name and all before the dot
//! ```
//!
//! The server remembers nothing, so any number of them can share the key. A cookie whose tag is wrong, or whose time is
//! over, is no cookie: the session is empty. What is in it can be read by the visitor, and cannot be changed; but an older
//! one can be brought back until its time is over, so no counter or balance belongs here.
//!
//! Pattern: Decorator (it leaves something in the request, and says in the answer what has become of it).

mod data;

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use sha2::Sha256;

use self::data::Use;
pub use self::data::{SessionData, SessionFull};
use super::vary;
use crate::handler::{Handler, Middleware, Plan};
use crate::message::{Request, Response};

/// Gives each visitor a session: handlers inside ask for it with [`Request::session`](crate::Request::session).
///
/// The cookie is `HttpOnly` and `SameSite=Lax`: no script reads it, and no other site's form sends it. It is `Secure` where
/// the request came encrypted, or always with [`Self::secure`].
///
/// ```
/// use qibu::sessions::Sessions;
/// use qibu::{HandlerExt, Request, Result, testing::TestClient};
///
/// fn login(request: &mut Request) -> Result<String> {
///     let session = request.session();
///     if let Some(user) = session.get("user") {
///         return Ok(format!("hello again, {user}"));
///     }
///     session.insert("user", "alice")?;
///     Ok("hello".into())
/// }
/// let client = TestClient::new(login.with(Sessions::new(b"32 random bytes, kept in a file.")?));
/// let first = client.get("/").send();
/// let (cookie, _) = first.header("set-cookie").unwrap().split_once(';').unwrap();
/// assert_eq!(client.get("/").header("Cookie", cookie).send().text(), "hello again, alice");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Sessions {
    /// The first one writes; all of them are believed.
    keys: Vec<Hmac<Sha256>>,
    cookie: String,
    lifetime: Duration,
    secure: Secure,
}

/// When the cookie is only to be sent over encrypted connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secure {
    AsTheRequest,
    Always,
}

/// A shorter key could be guessed, in bytes.
const MIN_KEY_BYTES: usize = 32;

const COOKIE: &str = "session";

/// Two weeks.
const LIFETIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Longer cookies are not ours, in bytes: it is what browsers keep (RFC 6265 section 6.1).
const MOST_COOKIE_BYTES: usize = 4096;

impl Sessions {
    /// Signs with this key: at least 32 random bytes, which nobody else knows. `openssl rand 32 > key` makes some. Fails if
    /// it is shorter.
    pub fn new(key: &[u8]) -> io::Result<Self> {
        Ok(Self { keys: vec![mac(key)?], cookie: COOKIE.into(), lifetime: LIFETIME, secure: Secure::AsTheRequest })
    }

    /// Signs with a key that is made now, so that all sessions end when the program does.
    pub fn with_random_key() -> io::Result<Self> {
        let mut key = [0; MIN_KEY_BYTES];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Self::new(&key)
    }

    /// Believes cookies that were signed with an older key as well, and signs them anew. So a key can be changed without
    /// ending all sessions: leave the old one here for as long as a session lasts. Fails if it is shorter than 32 bytes.
    pub fn old_key(mut self, key: &[u8]) -> io::Result<Self> {
        self.keys.push(mac(key)?);
        Ok(self)
    }

    /// How long a session lasts that is not used. It begins anew when half of it is over. With [`Duration::MAX`] it
    /// never ends, but for the browser's own limit. Default: two weeks.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// The name of the cookie. Default: `session`. Fails if it is none.
    pub fn cookie(mut self, name: &str) -> io::Result<Self> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(invalid(format!("Sessions: {name:?} is no name for a cookie")));
        }
        self.cookie = name.to_owned();
        Ok(self)
    }

    /// Has the cookie sent over encrypted connections alone, even where we do not see that a request came over one.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.secure = Secure::Always;
        self
    }

    /// Puts the visitor's session into the request, unless it is there.
    fn open(&self, request: &mut Request) {
        if request.extensions().get::<SessionData>().is_none() {
            let now = seconds(SystemTime::now());
            let data = cookies(request, &self.cookie).find_map(|value| self.unseal(value, now));
            let data = data.unwrap_or_default();
            request.extensions_mut().insert(data);
        }
    }

    /// The session in a cookie, if the cookie is ours and its time is not over.
    fn unseal(&self, value: &str, now: u64) -> Option<SessionData> {
        if value.len() > MOST_COOKIE_BYTES {
            return None;
        }
        let (text, tag) = value.rsplit_once('.')?;
        let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?;
        // Compared in constant time.
        let key = self.keys.iter().position(|key| self.sign(key, text).verify_slice(&tag).is_ok())?;
        let (until, values) = text.split_once('&').unwrap_or((text, ""));
        let left = until.parse::<u64>().ok()?.checked_sub(now).filter(|left| *left > 0)?;
        let is_to_be_renewed = key > 0 || left < self.lifetime.as_secs() / 2;
        Some(SessionData::decode(values, if is_to_be_renewed { Use::Stale } else { Use::None }))
    }

    fn seal(&self, data: &SessionData, now: u64) -> String {
        let until = now.saturating_add(self.lifetime.as_secs());
        let text = format!("{until}&{}", data.encode());
        let tag = self.sign(&self.keys[0], &text).finalize().into_bytes();
        format!("{text}.{}", BASE64URL_NOPAD.encode(&tag))
    }

    /// The name is signed, too: the cookie of another `Sessions` with the same key is not ours.
    fn sign(&self, key: &Hmac<Sha256>, text: &str) -> Hmac<Sha256> {
        let mut tag = key.clone();
        tag.update(self.cookie.as_bytes());
        tag.update(b"=");
        tag.update(text.as_bytes());
        tag
    }

    /// What the browser shall do with the cookie; `None`: nothing.
    fn set_cookie(&self, data: &SessionData, request: &Request) -> Option<HeaderValue> {
        let (value, max_age) = match data.usage {
            Use::None | Use::Read => return None,
            // Nothing is left, or there was nothing: the cookie goes, if there is one.
            _ if data.is_empty() => {
                cookies(request, &self.cookie).next()?;
                (String::new(), 0)
            }
            Use::Stale | Use::Changed => (self.seal(data, seconds(SystemTime::now())), self.lifetime.as_secs()),
        };
        let is_secure = self.secure == Secure::Always || request.is_secure();
        let secure = if is_secure { "; Secure" } else { "" };
        let field = format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}", self.cookie);
        Some(HeaderValue::try_from(field).expect("a token, percent-encoded text and base64"))
    }
}

impl Middleware for Sessions {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        self.open(request);
        let response = next.handle(request);
        let Some(data) = request.extensions_mut().remove::<SessionData>() else { return response };
        let set_cookie = self.set_cookie(&data, request);
        response.map(move |mut response| {
            if data.usage != Use::None {
                // A cache must not give one visitor's page to another.
                vary::add(&mut response, "cookie");
            }
            if let Some(set_cookie) = set_cookie {
                response.headers_mut().append(SET_COOKIE, set_cookie);
                response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private"));
            }
            response
        })
    }

    /// The handlers inside may plan by it.
    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        self.open(request);
        next.plan(request)
    }
}

impl std::fmt::Debug for Sessions {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions")
            .field("cookie", &self.cookie)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// The values of all cookies of that name (RFC 6265 section 4.2). There may be several: any subdomain can set one.
fn cookies<'a>(request: &'a Request, name: &'a str) -> impl Iterator<Item = &'a str> {
    let fields = request.header_values("cookie").filter_map(|field| std::str::from_utf8(field).ok());
    let pairs =
        fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='));
    pairs.filter(move |(known, _)| *known == name).map(|(_, value)| value)
}

fn mac(key: &[u8]) -> io::Result<Hmac<Sha256>> {
    if key.len() < MIN_KEY_BYTES {
        return Err(invalid(format!("Sessions: the key has {} bytes; it needs {MIN_KEY_BYTES}", key.len())));
    }
    Hmac::new_from_slice(key).map_err(|error| invalid(error.to_string()))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"32 bytes that nobody else knows.";
    const DAY: u64 = 24 * 60 * 60;

    fn alice() -> SessionData {
        let mut data = SessionData::default();
        data.insert("user", "alice").unwrap();
        data
    }

    #[test]
    fn a_session_lasts_until_its_time_is_over() {
        let sessions = Sessions::new(KEY).unwrap();
        let cookie = sessions.seal(&alice(), 1000);
        let user = |now: u64| sessions.unseal(&cookie, now).map(|data| data.get("user").unwrap().to_owned());
        assert_eq!(user(1000).as_deref(), Some("alice"));
        assert_eq!(user(1000 + 14 * DAY - 1).as_deref(), Some("alice"));
        assert_eq!(user(1000 + 14 * DAY), None);
    }

    #[test]
    fn it_is_renewed_when_half_of_its_time_is_over_and_when_the_key_was_changed() {
        let sessions = Sessions::new(KEY).unwrap();
        let cookie = sessions.seal(&alice(), 0);
        assert_eq!(sessions.unseal(&cookie, 6 * DAY).unwrap().usage, Use::None);
        assert_eq!(sessions.unseal(&cookie, 8 * DAY).unwrap().usage, Use::Stale);
        let rotated = Sessions::new(b"another key of thirty-two bytes.").unwrap();
        assert!(rotated.unseal(&cookie, 0).is_none());
        assert_eq!(rotated.old_key(KEY).unwrap().unseal(&cookie, 0).unwrap().usage, Use::Stale);
    }

    #[test]
    fn no_byte_of_it_can_be_changed() {
        let sessions = Sessions::new(KEY).unwrap();
        let cookie = sessions.seal(&alice(), 1000);
        for index in 0..cookie.len() {
            for byte in [b'0', b'A', b'.', b'&', b'=', b'_'] {
                let mut forged = cookie.clone().into_bytes();
                forged[index] = byte;
                let forged = String::from_utf8(forged).unwrap();
                assert!(forged == cookie || sessions.unseal(&forged, 1000).is_none(), "{forged}");
            }
            assert!(sessions.unseal(&cookie[..index], 1000).is_none());
            assert!(sessions.unseal(&cookie[index + 1..], 1000).is_none());
        }
        assert!(sessions.unseal(&format!("{cookie}A"), 1000).is_none());
        let other = Sessions::new(KEY).unwrap().cookie("admin").unwrap();
        assert!(other.unseal(&cookie, 1000).is_none(), "another cookie with the same key");
    }
}
