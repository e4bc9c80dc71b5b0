//! The methods of one path, each with its handler.

use std::fmt;

use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};

use crate::handler::Handler;
use crate::message::Response;

/// The table of one route.
#[derive(Default)]
pub(super) struct Methods {
    handlers: Vec<(Method, Box<dyn Handler>)>,
    /// Who answers all other methods.
    any: Option<Box<dyn Handler>>,
}

/// That method has its handler already.
#[derive(Debug)]
pub(super) struct Taken;

impl Methods {
    pub(super) fn add(&mut self, method: Method, handler: Box<dyn Handler>) -> Result<(), Taken> {
        if self.handlers.iter().any(|(known, _)| *known == method) {
            return Err(Taken);
        }
        self.handlers.push((method, handler));
        Ok(())
    }

    pub(super) fn add_any(&mut self, handler: Box<dyn Handler>) -> Result<(), Taken> {
        self.any.replace(handler).map_or(Ok(()), |_| Err(Taken))
    }

    /// RFC 9110 §9.3.2: HEAD is GET without the content, which the protocol leaves out.
    pub(super) fn find(&self, method: &Method) -> Option<&dyn Handler> {
        let own = self.of(method).or_else(|| self.of(&Method::GET).filter(|_| method == Method::HEAD));
        own.or(self.any.as_deref())
    }

    fn of(&self, method: &Method) -> Option<&dyn Handler> {
        self.handlers.iter().find(|(known, _)| known == method).map(|(_, handler)| &**handler)
    }

    /// What is answered where no handler is found: OPTIONS asks what there is, any other method is 405, which says it too
    /// (RFC 9110 section 15.5.6).
    pub(super) fn answer(&self, method: &Method) -> Response {
        let mut response = match *method {
            Method::OPTIONS => Response::new(StatusCode::NO_CONTENT),
            _ => Response::status_page(StatusCode::METHOD_NOT_ALLOWED),
        };
        response.headers_mut().insert(ALLOW, self.allow());
        response
    }

    /// RFC 9110 §10.2.1: what there is, with what comes for free.
    fn allow(&self) -> HeaderValue {
        let mut names: Vec<&str> = self.handlers.iter().map(|(method, _)| method.as_str()).collect();
        for (free, behind) in [("HEAD", "GET"), ("OPTIONS", "")] {
            if !names.contains(&free) && (behind.is_empty() || names.contains(&behind)) {
                names.push(free);
            }
        }
        HeaderValue::from_str(&names.join(", ")).expect("names of methods are plain text")
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any = self.any.is_some().then_some("any");
        f.debug_list().entries(self.handlers.iter().map(|(method, _)| method.as_str()).chain(any)).finish()
    }
}
