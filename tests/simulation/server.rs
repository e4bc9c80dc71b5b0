//! The server under test: a handler that answers in every way there is, and the sessions of a small protocol of lines.
//!
//! What would be other threads in a real server (workers, producers of streams, whoever answers later) is the world: the
//! handler leaves its senders and replies in the [`Book`], and the world takes them out when it pleases.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use qibu::{
    Address, Body, BodySender, Connection, Handler, Http, HttpSettings, Next, Note, Plan, Protocol, Reply, Request,
    Response, Session, StatusCode,
};

use crate::script::{FILE_BYTES, FILE_ID, SMALL_BODY, bytes_of, digest};

/// What the handler and the world know of each other, by exchange.
#[derive(Default)]
pub(crate) struct Book {
    /// How often the handler was called.
    pub(crate) handled: BTreeMap<u64, u32>,
    pub(crate) replies: BTreeMap<u64, Reply>,
    /// Whose reply was dropped unsent.
    pub(crate) forgotten: Vec<u64>,
    pub(crate) streams: BTreeMap<u64, Stream>,
    /// Where the sessions of lines can be reached, by the number of their peer.
    pub(crate) addresses: BTreeMap<u64, Address>,
}

/// The producer's end of a streamed answer.
pub(crate) struct Stream {
    /// `None` once it was ended or aborted.
    pub(crate) sender: Option<BodySender>,
    pub(crate) fed: usize,
    pub(crate) ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    NotYet,
    Whole,
    Aborted,
}

/// A [`Book`] that the handler and the world share.
#[derive(Clone, Default)]
pub(crate) struct SharedBook(Arc<Mutex<Book>>);

impl SharedBook {
    pub(crate) fn open(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file that some answers are taken from.
pub(crate) fn file() -> io::Result<Arc<File>> {
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes_of(FILE_ID, 0..FILE_BYTES))?;
    Ok(Arc::new(file))
}

/// Answers by path; `script.rs` knows what it must say.
pub(crate) struct Desk {
    pub(crate) book: SharedBook,
    pub(crate) file: Arc<File>,
}

impl Handler for Desk {
    fn handle(&self, request: &mut Request) -> Response {
        let path = request.path().to_owned();
        let order = Order::read(&path);
        *self.book.open().handled.entry(order.id).or_default() += 1;
        let response = match order.what {
            "text" | "pool" => pattern(&order),
            "farewell" => pattern(&order).with_header("connection", "close"),
            "file" => Response::bytes("video/mp4", self.slice(&order)),
            "none" => Response::new(StatusCode::NO_CONTENT),
            "same" => Response::new(StatusCode::NOT_MODIFIED),
            "stream" => self.stream(&order),
            "later" => return self.put_off(&order, request),
            "lines" => return self.upgrade(request),
            "digest" | "small" => Response::text(digest(order.id, request.bytes().expect("it is whole"))),
            // Without a panic message: there are thousands.
            _ => std::panic::resume_unwind(Box::new("on purpose")),
        };
        response.with_header("x-id", order.id.to_string())
    }

    fn plan(&self, request: &mut Request) -> Plan {
        let order = Order::read(request.path());
        match order.what {
            "pool" => Plan::pool(),
            "small" => Plan::inline().body_limit(SMALL_BODY as u64),
            "refused" => Plan::refuse(
                Response::text(format!("{} is refused\n", order.id))
                    .with_status(StatusCode::FORBIDDEN)
                    .with_header("x-id", order.id.to_string()),
            ),
            "unplanned" => std::panic::resume_unwind(Box::new("on purpose")),
            _ => Plan::inline(),
        }
    }
}

impl Desk {
    fn slice(&self, order: &Order<'_>) -> Body {
        let [from, length] = order.numbers;
        Body::file(self.file.clone(), from as u64..(from + length) as u64)
    }

    fn stream(&self, order: &Order<'_>) -> Response {
        let (sender, body) = Body::channel(order.numbers[0]);
        let stream = Stream { sender: Some(sender), fed: 0, ending: Ending::NotYet };
        self.book.open().streams.insert(order.id, stream);
        Response::text(body)
    }

    fn upgrade(&self, request: &Request) -> Response {
        let book = self.book.clone();
        Response::upgrade(request, "lines", move |new_socket| Lines::open(new_socket, &book))
    }

    fn put_off(&self, order: &Order<'_>, request: &mut Request) -> Response {
        let (reply, pending) = request.later();
        self.book.open().replies.insert(order.id, reply);
        let id = order.id.to_string();
        pending.map(|answer| if answer.status() == StatusCode::OK { answer.with_header("x-id", id) } else { answer })
    }
}

fn pattern(order: &Order<'_>) -> Response {
    text(order.id, order.numbers[0])
}

/// The text of an exchange.
pub(crate) fn text(id: u64, length: usize) -> Response {
    Response::text(bytes_of(id, 0..length))
}

/// A path of the simulation: `/what/id/number/number`.
struct Order<'a> {
    what: &'a str,
    id: u64,
    numbers: [usize; 2],
}

impl<'a> Order<'a> {
    fn read(path: &'a str) -> Self {
        let mut parts = path.split('/').skip(1);
        let what = parts.next().unwrap_or_default();
        let id = parts.next().and_then(|id| id.parse().ok()).unwrap_or_default();
        let mut number = || parts.next().and_then(|number| number.parse().ok()).unwrap_or_default();
        Self { what, id, numbers: [number(), number()] }
    }
}

/// HTTP for most peers; those with an odd port find a door before it.
pub(crate) struct House {
    pub(crate) http: Arc<Http>,
    pub(crate) book: SharedBook,
}

impl House {
    pub(crate) fn new(desk: Desk, settings: HttpSettings) -> Self {
        let book = desk.book.clone();
        Self { http: Arc::new(Http::with_settings(desk, settings)), book }
    }
}

/// The number of the peer with this address, and the other way round.
pub(crate) fn number_of(peer: SocketAddr) -> u64 {
    u64::from(peer.port() / 2)
}

/// How long the sessions here wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a door says to everyone.
pub(crate) const WELCOME: &str = "welcome\n";

impl Protocol for House {
    fn open(&self, new_socket: &mut Connection) -> io::Result<Box<dyn Session>> {
        if new_socket.peer_addr().port().is_multiple_of(2) {
            return self.http.open(new_socket);
        }
        new_socket.send(WELCOME.as_bytes());
        let deadline = new_socket.now() + PATIENCE;
        Ok(Box::new(Door { http: self.http.clone(), book: self.book.clone(), deadline }))
    }
}

/// Reads one word and becomes what it says.
struct Door {
    http: Arc<Http>,
    book: SharedBook,
    deadline: Instant,
}

impl Session for Door {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        match take_line(new_socket).as_deref() {
            Some("lines") => Ok(Next::Become(Box::new(Lines::open(new_socket, &self.book)))),
            Some(_) => Ok(Next::Become(self.http.open(new_socket)?)),
            None if new_socket.is_eof() => Ok(Next::Close),
            None => Ok(Next::Wait),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}

/// Says something for each line, and passes on the notes it gets.
struct Lines {
    deadline: Instant,
}

impl Lines {
    fn open(new_socket: &Connection, book: &SharedBook) -> Self {
        book.open().addresses.insert(number_of(new_socket.peer_addr()), new_socket.address());
        Self { deadline: new_socket.now() + PATIENCE }
    }

    fn answer_all(&mut self, new_socket: &mut Connection) -> Next {
        while !new_socket.is_full() {
            let Some(line) = take_line(new_socket) else {
                return if new_socket.is_eof() { Next::Close } else { Next::Wait };
            };
            self.deadline = new_socket.now() + PATIENCE;
            let (id, length) = line.split_once(' ').unwrap_or((&line, "0"));
            let dots = "x".repeat(length.parse().unwrap_or_default());
            new_socket.send(format!("line {id} {dots}\n").as_bytes());
        }
        Next::Wait
    }
}

impl Session for Lines {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        Ok(self.answer_all(new_socket))
    }

    fn on_drained(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        Ok(self.answer_all(new_socket))
    }

    fn on_note(&mut self, new_socket: &mut Connection, note: Note) -> io::Result<Next> {
        if let Note::Custom(message) = note
            && let Ok(text) = message.downcast::<String>()
        {
            new_socket.send(text.as_bytes());
        }
        Ok(Next::Wait)
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}

fn take_line(new_socket: &mut Connection) -> Option<String> {
    let input = new_socket.input();
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let line = String::from_utf8_lossy(&input[..end]).into_owned();
    new_socket.consume(end + 1);
    Some(line)
}
