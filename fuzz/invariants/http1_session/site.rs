//! The handler: a path for each way to answer. It keeps a book of what it was asked, and what it put off.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use qibu::{
    Body, BodySender, Connection, FileSlice, Handler, HeaderName, HeaderValue, Next, Part, Plan, Reply, Request,
    Response, Session, StatusCode, TrySendError, Version,
};

/// One request, as the handler saw it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) version: Version,
    pub(super) path: String,
    pub(super) body: Vec<u8>,
    /// Whether the client said that this request is its last (RFC 9112 section 9.3).
    pub(super) is_last: bool,
    pub(super) expects: bool,
    /// Whether it may be answered with 101, if the handler wants that (RFC 9110 section 7.8).
    pub(super) asks_for_echo: bool,
}

/// What the handler has been asked and has not done yet.
#[derive(Default)]
pub(super) struct Book {
    pub(super) asked: Vec<Asked>,
    replies: VecDeque<(Reply, Response)>,
    streams: VecDeque<Stream>,
}

/// The producer of a body.
struct Stream {
    sender: BodySender,
    pieces: VecDeque<Vec<u8>>,
    ending: Ending,
}

enum Ending {
    Whole,
    Abort,
}

/// The handler.
#[derive(Clone)]
pub(super) struct Site {
    book: Arc<Mutex<Book>>,
    file: Arc<File>,
}

/// More than what is queued in memory before the session pauses.
const LARGE_BYTES: usize = 70_000;

const FILE_BYTES: u64 = 5000;

thread_local! {
    static FILE: Arc<File> = {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&vec![b'f'; usize::try_from(FILE_BYTES).expect("it is small")]).expect("room for it");
        Arc::new(file)
    };
}

impl Site {
    pub(super) fn new() -> Self {
        Self { book: Arc::default(), file: FILE.with(Arc::clone) }
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the oldest answer that was put off. The client's turn comes later, so nothing is locked then.
    pub(super) fn reply(&self) -> bool {
        let next = self.book().replies.pop_front();
        next.map(|(reply, response)| reply.send(response)).is_some()
    }

    /// Sends the next piece of the oldest stream, or ends it.
    pub(super) fn piece(&self) -> bool {
        let Some(mut stream) = self.book().streams.pop_front() else { return false };
        match (stream.pieces.pop_front(), stream.ending) {
            (Some(piece), ending) => {
                let sent = stream.sender.try_send(piece.clone());
                stream.ending = ending;
                match sent {
                    Ok(()) => self.book().streams.push_front(stream),
                    Err(TrySendError::Full(_)) => {
                        stream.pieces.push_front(piece);
                        self.book().streams.push_front(stream);
                        return false;
                    }
                    Err(TrySendError::Closed) => {}
                }
            }
            (None, Ending::Whole) => {
                stream.sender.add_trailer(HeaderName::from_static("x-sum"), HeaderValue::from_static("1"));
            }
            (None, Ending::Abort) => stream.sender.abort(),
        }
        true
    }

    /// Writes the request down and marks its answer, so that the two can be matched.
    fn note(&self, request: &mut Request) -> (usize, String) {
        let options = |name: &str| {
            let values: Vec<_> =
                request.header_values(name).flat_map(|value| value.split(|byte| *byte == b',')).collect();
            values.into_iter().map(|option| option.trim_ascii().to_ascii_lowercase()).collect::<Vec<_>>()
        };
        let connection = options("connection");
        let says = |option: &[u8]| connection.iter().any(|known| known == option);
        let is_last = says(b"close") || request.version() == Version::HTTP_10 && !says(b"keep-alive");
        let has_body = request.header("transfer-encoding").is_some()
            || request.header("content-length").is_some_and(is_some_bytes);
        let expects = !options("expect").is_empty();
        // Who wants to be told to go on, or to close, does not want to go on with another protocol.
        let may_switch = *request.method() == "GET" && request.version() == Version::HTTP_11 && !has_body;
        let may_switch = may_switch && !is_last && !expects;
        let asked = Asked {
            asks_for_echo: may_switch && says(b"upgrade") && options("upgrade").iter().any(|known| known == b"echo"),
            method: request.method().to_string(),
            version: request.version(),
            path: request.path().to_owned(),
            expects,
            is_last,
            body: request.bytes().map(|body| body.to_vec()).unwrap_or_default(),
        };
        let mut book = self.book();
        book.asked.push(asked);
        (book.asked.len(), request.method().to_string())
    }

    fn stream(&self, ending: Ending) -> Body {
        // Small enough for the pieces to fill it.
        let (sender, body) = Body::channel(6000);
        self.book().streams.push_back(Stream { sender, pieces: pieces().into(), ending });
        body
    }

    fn later(&self, request: &mut Request, answer: Response) -> Response {
        let (reply, pending) = request.later();
        self.book().replies.push_back((reply, answer));
        pending
    }

    fn answer(&self, request: &Request, body: &[u8]) -> Response {
        match request.path() {
            "/empty" => Response::new(StatusCode::OK),
            "/204" => Response::text("never sent").with_status(StatusCode::NO_CONTENT),
            "/304" => Response::text("never sent").with_status(StatusCode::NOT_MODIFIED),
            "/stream" | "/later-stream" => Response::text(self.stream(Ending::Whole)),
            "/abort" => Response::text(self.stream(Ending::Abort)),
            "/echo" | "/limit" | "/pool" => Response::bytes("application/octet-stream", body.to_vec()),
            "/large" => Response::text(vec![b'l'; LARGE_BYTES]),
            "/file" => Response::text(Body::file(self.file.clone(), 10..FILE_BYTES)),
            "/reader" => Response::text(Body::reader(Cursor::new(pieces().concat()), None)),
            "/sized-reader" => Response::text(Body::reader(Cursor::new(pieces().concat()), Some(whole_length()))),
            // It has less than it promises.
            "/short-reader" => Response::text(Body::reader(Cursor::new(pieces().concat()), Some(whole_length() + 1))),
            "/parts" => Response::text(Body::parts(vec![
                Part::Bytes("before".into()),
                Part::File(FileSlice::new(self.file.clone(), 0..FILE_BYTES)),
                Part::Bytes("behind".into()),
            ])),
            "/endless" => Response::text(self.stream(Ending::Whole).endless("", Duration::from_secs(1))),
            "/upgrade" => Response::upgrade(request, "echo", Echo::new),
            "/close" => Response::text("good bye").with_header("connection", "close"),
            // What belongs to the protocol is not the handler's to say.
            "/meddler" => Response::text("meddler")
                .with_header("content-length", "3")
                .with_header("transfer-encoding", "gzip")
                .with_header("date", "today")
                .with_header("connection", "x-field"),
            _ => Response::text("hello"),
        }
    }
}

impl Handler for Site {
    fn handle(&self, request: &mut Request) -> Response {
        let (number, method) = self.note(request);
        let body = request.bytes().map(|body| body.to_vec()).unwrap_or_default();
        let answer = mark(self.answer(request, &body), number, &method);
        match request.path() {
            "/later" | "/later-stream" | "/pool-later" => self.later(request, answer),
            _ => answer,
        }
    }

    fn plan(&self, request: &mut Request) -> Plan {
        match request.path() {
            "/refuse" => {
                let (number, method) = self.note(request);
                Plan::refuse(mark(Response::text("refused").with_status(StatusCode::FORBIDDEN), number, &method))
            }
            "/limit" => Plan::inline().body_limit(3),
            "/pool" | "/pool-later" => Plan::pool(),
            _ => Plan::inline(),
        }
    }
}

/// What goes on behind 101: all that comes is sent back.
struct Echo {
    deadline: Instant,
}

impl Echo {
    fn new(new_socket: &mut Connection) -> Self {
        Self { deadline: new_socket.now() + Duration::from_secs(100) }
    }
}

impl Session for Echo {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        if new_socket.is_full() {
            return Ok(Next::Wait);
        }
        let received = new_socket.recv();
        new_socket.send(&received);
        Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    }

    fn on_drained(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        self.handle_client_request(new_socket, new_socket.peer_addr())
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}

fn is_some_bytes(length: &str) -> bool {
    length.bytes().any(|digit| digit != b'0')
}

fn whole_length() -> u64 {
    pieces().concat().len() as u64
}

fn mark(answer: Response, number: usize, method: &str) -> Response {
    answer.with_header("x-number", number.to_string()).with_header("x-method", method)
}

/// An empty piece among them: as a chunk it would be the last.
pub(super) fn pieces() -> Vec<Vec<u8>> {
    vec![b"one".to_vec(), Vec::new(), vec![b's'; 5000], b"\r\n0\r\n\r\n".to_vec(), vec![b't'; 3000]]
}

impl Asked {
    /// What must be answered, before HEAD takes the body away.
    pub(super) fn answer(&self) -> (u16, Vec<u8>) {
        match &*self.path {
            "/empty" => (200, Vec::new()),
            "/204" => (204, Vec::new()),
            "/304" => (304, Vec::new()),
            "/stream" | "/later-stream" | "/abort" | "/endless" => (200, pieces().concat()),
            "/reader" | "/sized-reader" | "/short-reader" => (200, pieces().concat()),
            "/parts" => {
                let file = usize::try_from(FILE_BYTES).expect("it is small");
                (200, [b"before", &vec![b'f'; file][..], b"behind"].concat())
            }
            "/upgrade" if self.asks_for_echo => (101, Vec::new()),
            "/upgrade" => (426, b"426 Upgrade Required\n".to_vec()),
            "/echo" | "/limit" | "/pool" => (200, self.body.clone()),
            "/large" => (200, vec![b'l'; LARGE_BYTES]),
            "/file" => (200, vec![b'f'; usize::try_from(FILE_BYTES).expect("it is small") - 10]),
            "/close" => (200, b"good bye".to_vec()),
            "/meddler" => (200, b"meddler".to_vec()),
            "/refuse" => (403, b"refused".to_vec()),
            _ => (200, b"hello".to_vec()),
        }
    }

    /// Whether its length is not known before.
    pub(super) fn is_stream(&self) -> bool {
        self.has_trailers() || self.path == "/reader"
    }

    pub(super) fn has_trailers(&self) -> bool {
        matches!(&*self.path, "/stream" | "/later-stream" | "/abort" | "/endless")
    }

    /// Whether its producer gives it up.
    pub(super) fn is_broken(&self) -> bool {
        matches!(&*self.path, "/abort" | "/short-reader") && self.method != "HEAD"
    }
}
