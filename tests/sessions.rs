//! Protocols of one's own: what a [`Session`] is promised, over memory.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use qibu::testing::{TestConn, TestLoop};
use qibu::{Address, Connection, Http, Next, Note, Protocol, Request, Session, WebServer};

// ---- sessions to test with ----

/// Sends back what it gets, until the peer has finished.
struct Echo;

impl Session for Echo {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        let received = new_socket.recv();
        new_socket.send(&received);
        Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    }
}

/// A session made of closures, for tests that are about one call.
struct Custom {
    on_input: OnInput,
    on_note: OnNote,
}

type OnInput = Box<dyn FnMut(&mut Connection) -> io::Result<Next>>;
type OnNote = Box<dyn FnMut(&mut Connection, Note) -> io::Result<Next>>;

fn custom(on_input: impl FnMut(&mut Connection) -> io::Result<Next> + 'static) -> Custom {
    Custom { on_input: Box::new(on_input), on_note: Box::new(|_, _| Ok(Next::Wait)) }
}

impl Custom {
    fn on_note(self, on_note: impl FnMut(&mut Connection, Note) -> io::Result<Next> + 'static) -> Self {
        Self { on_note: Box::new(on_note), ..self }
    }
}

impl Session for Custom {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        (self.on_input)(new_socket)
    }

    fn on_note(&mut self, new_socket: &mut Connection, note: Note) -> io::Result<Next> {
        (self.on_note)(new_socket, note)
    }
}

/// A protocol whose `open` looks at the connection.
struct Opening<F>(F);

impl<F, S> Protocol for Opening<F>
where
    F: Fn(&mut Connection) -> io::Result<S> + Send + Sync + 'static,
    S: Session + 'static,
{
    fn open(&self, new_socket: &mut Connection) -> io::Result<Box<dyn Session>> {
        Ok(Box::new((self.0)(new_socket)?))
    }
}

/// Lines of text, each answered in capitals; `become` makes it an echo, `quit` ends it.
struct Lines;

impl Session for Lines {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        while let Some(end) = new_socket.input().iter().position(|byte| *byte == b'\n') {
            let line = new_socket.input()[..end].to_ascii_uppercase();
            new_socket.consume(end + 1);
            match &*line {
                b"QUIT" => return Ok(Next::Close),
                b"BECOME" => return Ok(Next::Become(Box::new(Echo))),
                _ => new_socket.send(&[&*line, b";"].concat()),
            }
        }
        Ok(Next::Wait)
    }
}

fn text(received: &[u8]) -> String {
    received.escape_ascii().to_string()
}

/// Sends `input` whole, cut in two at every place, and byte by byte, and expects the same each time.
fn for_every_split(open: impl Fn() -> TestConn, input: &[u8], expected: &[u8], is_closed: bool) {
    let in_two = (0..=input.len()).map(|at| vec![&input[..at], &input[at..]]);
    for pieces in in_two.chain([input.chunks(1).collect()]) {
        let mut conn = open();
        for piece in &pieces {
            conn.send(piece);
        }
        assert_eq!(text(&conn.recv()), text(expected), "{pieces:?}");
        assert_eq!(conn.is_closed(), is_closed, "{pieces:?}");
    }
}

// ---- recv, send, close ----

#[test]
fn an_echo_comes_back_however_it_was_sent() {
    for_every_split(|| TestConn::open(|| Echo).unwrap(), b"over, over!\0\xff", b"over, over!\0\xff", false);
    let large: Vec<u8> = (0..1_000_000_u32).map(|at| (at % 253) as u8).collect();
    assert!(TestConn::open(|| Echo).unwrap().send(&large).recv() == large);
}

#[test]
fn what_is_not_consumed_stays_in_front_of_what_comes() {
    for_every_split(|| TestConn::open(|| Lines).unwrap(), b"one\ntwo\nthr", b"ONE;TWO;", false);
    for_every_split(|| TestConn::open(|| Lines).unwrap(), b"one\ntwo\nthree\n", b"ONE;TWO;THREE;", false);
}

#[test]
fn sends_of_all_sizes_keep_their_order() {
    let mut expected = Vec::new();
    let sizes = [1, 4096, 4097, 0, 70_000, 3, 5000, 5];
    for (number, size) in sizes.into_iter().enumerate() {
        expected.extend(vec![b'a' + number as u8; size]);
    }
    for sip in [1000, 65_536, usize::MAX] {
        let mut conn = TestConn::open(move || {
            custom(move |new_socket| {
                new_socket.recv();
                for (number, size) in sizes.into_iter().enumerate() {
                    let piece = vec![b'a' + number as u8; size];
                    if number % 2 == 0 { new_socket.send(&piece) } else { new_socket.send_bytes(Bytes::from(piece)) }
                }
                Ok(Next::Close)
            })
        })
        .unwrap();
        conn.take_at_most(0).send(b"go");
        let mut received = Vec::new();
        while !conn.is_closed() {
            conn.take_at_most(sip);
            let more = conn.recv();
            assert!(!more.is_empty() || conn.is_closed(), "it stands still");
            received.extend(more);
        }
        assert!(received == expected, "in sips of {sip}");
    }
}

#[test]
fn close_and_next_close_are_the_same() {
    let ways: [fn(&mut Connection) -> Next; 2] = [
        |_| Next::Close,
        |new_socket| {
            new_socket.close();
            Next::Wait
        },
    ];
    for way in ways {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let mut conn = TestConn::open(move || {
            let calls = counted.clone();
            custom(move |new_socket| {
                calls.fetch_add(1, Ordering::Relaxed);
                new_socket.recv();
                new_socket.send(b"good");
                let next = way(new_socket);
                new_socket.send(b"bye");
                Ok(next)
            })
        })
        .unwrap();
        conn.take_at_most(3).send(b"end");
        assert!(!conn.is_closed(), "not before all is sent");
        conn.send(b"more").take_at_most(4);
        assert_eq!(conn.recv(), b"goodbye");
        assert!(conn.is_closed());
        assert!(conn.send(b"and more").recv().is_empty());
        assert_eq!(calls.load(Ordering::Relaxed), 1, "who has closed is not asked again");
    }
}

#[test]
fn next_close_ends_a_conversation_at_its_byte() {
    for_every_split(|| TestConn::open(|| Lines).unwrap(), b"one\nquit\ntwo\n", b"ONE;", true);
}

#[test]
fn a_closed_connection_lingers_for_the_end_of_its_peer_but_not_for_long() {
    // RFC 9112 §9.6 says why; it holds for every protocol.
    let mut conn = TestConn::open(|| Lines).unwrap();
    conn.send(b"quit\n");
    let patience = conn.deadline().expect("it waits for the peer's end");
    assert!(patience <= Duration::from_secs(5));
    conn.send(&[b'x'; 100_000]);
    assert_eq!(conn.deadline(), Some(patience), "bytes buy no time");
    conn.advance(patience);
    assert_eq!(conn.deadline(), None, "it has gone");

    let mut conn = TestConn::open(|| Lines).unwrap();
    conn.send(b"quit\n").finish();
    assert_eq!(conn.deadline(), None, "it has gone at once");
}

// ---- opening ----

#[test]
fn a_protocol_may_speak_first() {
    let mut conn = TestConn::open(Opening(|new_socket: &mut Connection| {
        new_socket.send(b"220 ready\r\n");
        Ok(Echo)
    }))
    .unwrap();
    assert_eq!(conn.recv(), b"220 ready\r\n");
    assert_eq!(conn.send(b"x").recv(), b"x");
}

#[test]
fn a_protocol_may_refuse_a_client() {
    let refused = TestConn::open(Opening(|_: &mut Connection| Err::<Echo, _>(io::Error::other("not you"))));
    assert_eq!(refused.map(drop).unwrap_err().to_string(), "not you");
}

/// A client whom the protocol greets with this and closes.
fn turned_away(greeting: &'static [u8]) -> TestConn {
    TestConn::open(Opening(move |new_socket: &mut Connection| {
        new_socket.send(greeting);
        new_socket.close();
        Ok(Echo)
    }))
    .unwrap()
}

#[test]
fn close_while_opening_ends_the_connection_after_the_greeting() {
    let mut conn = turned_away(b"421 busy\r\n");
    assert_eq!(conn.recv(), b"421 busy\r\n");
    assert!(conn.is_closed());
}

#[test]
fn close_while_opening_ends_the_connection_without_a_greeting_too() {
    assert!(turned_away(b"").is_closed());
}

// ---- the end of the peer ----

#[test]
fn the_end_is_seen_once_with_all_that_came_before_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let mut conn = TestConn::open(move || {
        let log = log.clone();
        custom(move |new_socket| {
            log.lock().unwrap().push((text(new_socket.input()), new_socket.is_eof()));
            if new_socket.is_eof() {
                new_socket.send(b"and so I end");
                return Ok(Next::Close);
            }
            Ok(Next::Wait)
        })
    })
    .unwrap();
    conn.send(b"a").send(b"b").finish();
    let expected = [("a", false), ("ab", false), ("ab", true)].map(|(input, is_eof)| (input.to_owned(), is_eof));
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!(conn.recv(), b"and so I end");
    assert!(conn.is_closed());
}

#[test]
fn a_session_that_waits_for_more_after_the_end_is_closed() {
    let mut conn = TestConn::open(|| Lines).unwrap();
    assert!(conn.send(b"one\n").finish().is_closed(), "all is used, and nothing can come");
    assert_eq!(conn.recv(), b"ONE;");
}

#[test]
fn a_session_that_waits_for_the_rest_of_something_after_the_end_is_closed() {
    let mut conn = TestConn::open(|| Lines).unwrap();
    assert!(conn.send(b"one\nhalf a li").finish().is_closed(), "half a line is left, and its rest cannot come");
    assert_eq!(conn.recv(), b"ONE;");
}

#[test]
fn a_session_that_wants_nothing_can_go_on_talking_after_the_end() {
    struct Ticker {
        left: u8,
    }
    impl Session for Ticker {
        fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
            new_socket.recv();
            Ok(Next::Wait)
        }
        fn on_note(&mut self, new_socket: &mut Connection, _: Note) -> io::Result<Next> {
            new_socket.send(b"tick ");
            self.left -= 1;
            Ok(if self.left == 0 { Next::Close } else { Next::Wait })
        }
        fn wants_input(&self) -> bool {
            false
        }
    }
    let (addresses, receiver) = mpsc::channel();
    let mut conn = TestConn::open(Opening(move |new_socket: &mut Connection| {
        addresses.send(new_socket.address()).unwrap();
        Ok(Ticker { left: 2 })
    }))
    .unwrap();
    let address = receiver.recv().unwrap();
    assert!(!conn.finish().is_closed());
    address.send(());
    assert_eq!(conn.recv(), b"tick ");
    assert!(!conn.is_closed());
    address.send(());
    assert_eq!(conn.recv(), b"tick ");
    assert!(conn.is_closed());
}

/// Takes what comes, gives its address away at the end of the peer, and waits: for a note, a deadline, or the server's end.
struct Patient {
    addresses: mpsc::Sender<Address>,
    deadline: Option<Instant>,
}

impl Session for Patient {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        new_socket.recv();
        if new_socket.is_eof() {
            let _ = self.addresses.send(new_socket.address()); // nobody may want it
        }
        Ok(Next::Wait)
    }
    fn on_note(&mut self, new_socket: &mut Connection, note: Note) -> io::Result<Next> {
        let Note::Custom(words) = note else { panic!("a session gets what was sent to it: {note:?}") };
        new_socket.send(words.downcast::<&str>().unwrap().as_bytes());
        Ok(Next::Wait)
    }
    fn on_deadline(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        new_socket.send(b"time is up");
        self.deadline = None;
        Ok(Next::Wait)
    }
    fn on_shutdown(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        new_socket.send(b"we close");
        Ok(Next::Close)
    }
    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

/// The peer of one has sent its job and finished.
fn patient(patience: Option<Duration>) -> (TestConn, Receiver<Address>) {
    let (addresses, receiver) = mpsc::channel();
    let mut conn = TestConn::open(Opening(move |new_socket: &mut Connection| {
        let deadline = patience.map(|patience| new_socket.now() + patience);
        Ok(Patient { addresses: addresses.clone(), deadline })
    }))
    .unwrap();
    conn.send(b"job").finish();
    (conn, receiver)
}

#[test]
fn a_session_that_waits_after_the_end_hears_of_who_has_its_address_until_nobody_has() {
    let (mut conn, addresses) = patient(None);
    let address = addresses.recv().unwrap();
    let clone = address.clone();
    assert!(!conn.is_closed());
    thread::spawn(move || address.send("half ")).join().unwrap();
    assert_eq!(conn.recv(), b"half ");
    assert!(!conn.is_closed(), "somebody has the clone");
    clone.send("done");
    drop(clone);
    assert_eq!(conn.recv(), b"done", "what was sent last is not lost");
    assert!(conn.is_closed(), "now nothing can happen any more");
}

#[test]
fn a_note_is_not_lost_whose_sender_has_gone_before_the_session_waits() {
    let mut conn = TestConn::open(|| {
        let hasty = |new_socket: &mut Connection| {
            if new_socket.is_eof() {
                new_socket.address().send("done");
            }
            Ok(Next::Wait)
        };
        custom(hasty).on_note(|new_socket, _| {
            new_socket.send(b"done");
            Ok(Next::Wait)
        })
    })
    .unwrap();
    assert_eq!(conn.finish().recv(), b"done");
    assert!(conn.is_closed());
}

/// The same over sockets, as with `nc -N`.
#[test]
fn who_has_finished_gets_the_answer_of_another_thread() {
    let worker = |new_socket: &mut Connection| {
        if new_socket.is_eof() {
            let (job, address) = (new_socket.recv(), new_socket.address());
            thread::spawn(move || address.send(job.to_ascii_uppercase()));
        }
        Ok(Next::Wait)
    };
    let session = move || {
        custom(worker).on_note(|new_socket, note| {
            let Note::Custom(answer) = note else { panic!("a session gets what was sent to it: {note:?}") };
            new_socket.send(&answer.downcast::<Vec<u8>>().unwrap());
            Ok(Next::Wait) // nobody can send it anything more, so it is over
        })
    };
    let server = WebServer::with_protocol("127.0.0.1:0", session).unwrap().spawn().unwrap();
    let mut client = TcpStream::connect(server.local_addr()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client.write_all(b"job").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "JOB");
}

#[test]
fn a_session_whose_address_is_dropped_unused_is_closed_after_the_end() {
    let (mut conn, addresses) = patient(None);
    drop(addresses.recv().unwrap());
    assert_eq!(conn.recv(), b"");
    assert!(conn.is_closed());

    let (mut conn, addresses) = patient(None);
    drop(addresses); // with the address in it
    assert_eq!(conn.recv(), b"");
    assert!(conn.is_closed());
}

#[test]
fn a_session_that_waits_after_the_end_has_its_deadline() {
    let (mut conn, addresses) = patient(Some(Duration::from_secs(10)));
    drop(addresses);
    conn.recv();
    assert_eq!((conn.is_closed(), conn.deadline()), (false, Some(Duration::from_secs(10))));
    conn.advance(Duration::from_secs(10));
    assert_eq!(conn.recv(), b"time is up");
    assert!(conn.is_closed(), "and has set no other");
}

#[test]
fn a_session_that_waits_after_the_end_hears_of_the_shutdown() {
    let (mut conn, addresses) = patient(None);
    let _kept = addresses.recv().unwrap();
    assert_eq!(conn.shut_down().recv(), b"we close");
    assert!(conn.is_closed());
}

#[test]
fn an_address_that_was_given_away_and_dropped_before_the_end_keeps_nobody() {
    let waste = |new_socket: &mut Connection| {
        drop(new_socket.address());
        Ok(Next::Wait)
    };
    let mut conn = TestConn::open(move || custom(waste)).unwrap();
    for _ in 0..3 {
        conn.send(b"x");
    }
    assert!(!conn.is_closed());
    conn.finish().recv();
    assert!(conn.is_closed());
}

/// A loop that is behind hears of only so many sockets at a time, and of the clock in any case.
#[test]
fn what_has_arrived_is_looked_at_before_a_client_is_called_late() {
    let mut server = TestLoop::new(Http::new(|_: &mut Request| "in time"));
    let client = server.connect(([192, 0, 2, 1], 5000).into()).unwrap();
    server.send(client, b"GET / HTTP/1.1\r\n");
    server.step();
    server.send(client, b"Host: a\r\n\r\n");
    server.advance(Duration::from_secs(10)); // head_timeout
    server.step_with(|events| events.clear());
    let answer = server.recv(client);
    assert!(answer.ends_with(b"\r\n\r\nin time"), "{}", text(&answer));
    server.step();
    assert!(server.is_open(client));
}

// ---- becoming another ----

#[test]
fn the_new_session_gets_what_is_left_at_once() {
    let open = || TestConn::open(|| Lines).unwrap();
    for_every_split(open, b"one\nbecome\nand on it goes\n", b"ONE;and on it goes\n", false);
    for_every_split(open, b"become\nquit\n", b"quit\n", false);
}

#[test]
fn the_new_session_is_asked_at_once_even_if_nothing_is_left() {
    let greet = || {
        custom(|new_socket| {
            new_socket.recv();
            Ok(Next::Become(Box::new(custom(|new_socket| {
                let count = new_socket.recv().len();
                new_socket.send(format!("[{count}]").as_bytes());
                Ok(Next::Wait)
            }))))
        })
    };
    let mut conn = TestConn::open(greet).unwrap();
    assert_eq!(conn.send(b"hello").recv(), b"[0]");
    assert_eq!(conn.send(b"again").recv(), b"[5]");
}

#[test]
fn a_note_can_make_it_another_and_reaches_that_one_next() {
    let (addresses, receiver) = mpsc::channel();
    let mut conn = TestConn::open(Opening(move |new_socket: &mut Connection| {
        addresses.send(new_socket.address()).unwrap();
        let first = custom(|_| Ok(Next::Wait));
        Ok(first.on_note(|_, _| {
            let second = custom(|new_socket| {
                let received = new_socket.recv();
                new_socket.send(&[b"second: ", &*received].concat());
                Ok(Next::Wait)
            });
            Ok(Next::Become(Box::new(second.on_note(|new_socket, _| {
                new_socket.send(b", noted");
                Ok(Next::Wait)
            }))))
        }))
    }))
    .unwrap();
    let address = receiver.recv().unwrap();
    assert_eq!(conn.send(b"left over").recv(), b"");
    address.send(1);
    assert_eq!(conn.recv(), b"second: left over");
    address.send(2);
    assert_eq!(conn.recv(), b", noted");
}

#[test]
fn becoming_without_end_ends_the_connection() {
    struct Restless;
    impl Session for Restless {
        fn handle_client_request(&mut self, _: &mut Connection, _: SocketAddr) -> io::Result<Next> {
            Ok(Next::Become(Box::new(Self)))
        }
    }
    assert!(TestConn::open(|| Restless).unwrap().send(b"x").is_closed());
}

// ---- notes from other threads ----

#[test]
fn a_message_from_another_thread_arrives() {
    let (addresses, receiver) = mpsc::channel::<Address>();
    let mut conn = TestConn::open(Opening(move |new_socket: &mut Connection| {
        addresses.send(new_socket.address()).unwrap();
        Ok(custom(|_| Ok(Next::Wait)).on_note(|new_socket, note| {
            let Note::Custom(message) = note else { panic!("nobody sends anything else") };
            match message.downcast::<String>() {
                Ok(text) => new_socket.send(text.as_bytes()),
                Err(_) => return Ok(Next::Close),
            }
            Ok(Next::Wait)
        }))
    }))
    .unwrap();
    let address = receiver.recv().unwrap();
    let other = address.clone();
    thread::spawn(move || {
        for word in ["one ", "two ", "three"] {
            other.send(word.to_owned());
        }
    })
    .join()
    .unwrap();
    assert_eq!(conn.recv(), b"one two three", "all, and in order");
    address.send(());
    assert_eq!(conn.recv(), b"");
    assert!(conn.is_closed());
    address.send("nobody is there".to_owned());
    assert_eq!(conn.recv(), b"");
    drop(conn);
    address.send("not even the connection".to_owned());
}

// ---- deadlines ----

/// Says `tick` each second, `most` times, then ends; bytes put the next one off.
struct Clock {
    next: Instant,
    most: u8,
}

impl Session for Clock {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        new_socket.recv();
        self.next = new_socket.now() + Duration::from_secs(1);
        Ok(Next::Wait)
    }

    fn on_deadline(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        new_socket.send(b"tick ");
        self.next = new_socket.now() + Duration::from_secs(1);
        self.most -= 1;
        Ok(if self.most == 0 { Next::Close } else { Next::Wait })
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.next)
    }
}

fn clock() -> TestConn {
    let open = |new_socket: &mut Connection| Ok(Clock { next: new_socket.now() + Duration::from_secs(1), most: 3 });
    TestConn::open(Opening(open)).unwrap()
}

#[test]
fn a_deadline_comes_when_it_is_due_and_not_before() {
    let millis = Duration::from_millis;
    let mut conn = clock();
    assert_eq!(conn.deadline(), Some(millis(1000)));
    assert_eq!(conn.advance(millis(999)).recv(), b"");
    assert_eq!(conn.advance(millis(1)).recv(), b"tick ");
    assert_eq!(conn.advance(millis(999)).send(b"x").advance(millis(999)).recv(), b"", "it was put off");
    assert_eq!(conn.advance(millis(1)).recv(), b"tick ");
    assert!(!conn.is_closed());
    assert_eq!(conn.advance(millis(5000)).recv(), b"tick ", "once, however late");
    assert!(conn.is_closed());
}

#[test]
fn a_deadline_closes_who_says_nothing_about_it() {
    struct Silent(Instant);
    impl Session for Silent {
        fn handle_client_request(&mut self, _: &mut Connection, _: SocketAddr) -> io::Result<Next> {
            Ok(Next::Wait)
        }
        fn deadline(&self) -> Option<Instant> {
            Some(self.0)
        }
    }
    let open = |new_socket: &mut Connection| Ok(Silent(new_socket.now() + Duration::from_secs(7)));
    let mut conn = TestConn::open(Opening(open)).unwrap();
    assert!(!conn.advance(Duration::from_secs(6)).is_closed());
    assert!(conn.advance(Duration::from_secs(1)).is_closed());
}

#[test]
fn a_session_that_lets_its_deadline_pass_is_closed_and_spins_nobody() {
    struct Stuck(Instant);
    impl Session for Stuck {
        fn handle_client_request(&mut self, _: &mut Connection, _: SocketAddr) -> io::Result<Next> {
            Ok(Next::Wait)
        }
        fn on_deadline(&mut self, _: &mut Connection) -> io::Result<Next> {
            Ok(Next::Wait)
        }
        fn deadline(&self) -> Option<Instant> {
            Some(self.0)
        }
    }
    let mut conn = TestConn::open(Opening(|new_socket: &mut Connection| Ok(Stuck(new_socket.now())))).unwrap();
    assert!(conn.advance(Duration::from_secs(1)).is_closed());
}

#[test]
fn while_something_is_unsent_the_peer_is_waited_for_and_not_the_session() {
    let mut conn = clock();
    conn.take_at_most(2).advance(Duration::from_secs(1));
    assert_ne!(conn.deadline(), Some(Duration::from_secs(1)));
    assert_eq!(conn.advance(Duration::from_secs(1)).recv(), b"ti");
    conn.take_at_most(usize::MAX);
    assert_eq!(conn.recv(), b"ck ", "no tick while the first one was on its way");
    assert_eq!(conn.advance(Duration::from_secs(1)).recv(), b"tick ");
}

#[test]
fn a_peer_that_reads_nothing_is_dropped() {
    let mut conn = TestConn::open(|| Echo).unwrap();
    conn.take_at_most(0).send(b"hello");
    let patience = conn.deadline().expect("no wait without a deadline");
    assert!(!conn.advance(patience - Duration::from_millis(1)).is_closed());
    assert!(conn.advance(Duration::from_millis(1)).is_closed());
}

// ---- what goes wrong ----

#[test]
fn a_session_that_fails_is_closed() {
    let failing: [fn(&mut Connection) -> io::Result<Next>; 2] =
        [|_| Err(io::Error::other("no")), |_| panic!("this panic is part of the test")];
    for fail in failing {
        let mut conn = TestConn::open(move || custom(fail)).unwrap();
        conn.send(b"x");
        assert!(conn.is_closed());
        assert_eq!(conn.deadline(), None, "nobody is waited for");
        assert_eq!(conn.send(b"more").recv(), b"");
    }
}

#[test]
fn a_session_that_leaves_everything_unread_is_closed() {
    let mut conn = TestConn::open(|| custom(|_| Ok(Next::Wait))).unwrap();
    let held = (1..).find(|_| conn.send(&[b'x'; 1000]).is_closed()).unwrap();
    assert!((60..=70).contains(&held), "{held} KB were held");
}

#[test]
fn a_session_that_leaves_everything_unread_is_closed_though_its_output_was_full_meanwhile() {
    let open = || {
        let mut is_first = true;
        custom(move |new_socket| {
            if std::mem::take(&mut is_first) {
                new_socket.send(b"hello");
            }
            Ok(Next::Wait)
        })
    };
    let mut conn = TestConn::open(open).unwrap();
    conn.take_at_most(0).send(&[b'x'; 100_000]);
    conn.take_at_most(usize::MAX);
    assert_eq!(conn.recv(), b"hello");
    assert!(conn.is_closed() || conn.deadline().is_some(), "nothing can ever happen here again");
}

// ---- back-pressure ----

#[test]
fn a_session_that_wants_no_input_is_given_none_until_it_does() {
    /// Takes three bytes, then nothing before a note.
    #[derive(Default)]
    struct Picky {
        taken: usize,
    }
    impl Session for Picky {
        fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
            assert!(self.wants_input(), "called with {:?}", text(new_socket.input()));
            let received = new_socket.recv();
            self.taken += received.len();
            new_socket.send(&received);
            Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
        }
        fn on_note(&mut self, _: &mut Connection, _: Note) -> io::Result<Next> {
            self.taken = 0;
            Ok(Next::Wait)
        }
        fn wants_input(&self) -> bool {
            self.taken < 3
        }
    }
    let (addresses, receiver) = mpsc::channel();
    let mut conn = TestConn::open(Opening(move |new_socket: &mut Connection| {
        addresses.send(new_socket.address()).unwrap();
        Ok(Picky::default())
    }))
    .unwrap();
    let address = receiver.recv().unwrap();
    assert_eq!(conn.send(b"a").send(b"bc").recv(), b"abc");
    assert_eq!(conn.send(b"def").send(b"g").finish().recv(), b"", "it stays in the system's buffers");
    assert!(!conn.is_closed(), "the end is seen behind them");
    address.send(());
    assert_eq!(conn.recv(), b"defg", "the bytes were ready all the time");
    assert!(!conn.is_closed());
    address.send(());
    assert_eq!(conn.recv(), b"");
    assert!(conn.is_closed());
}

#[test]
fn a_peer_that_does_not_read_is_not_read_from() {
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = taken.clone();
    let mut conn = TestConn::open(move || {
        let taken = counted.clone();
        custom(move |new_socket| {
            let received = new_socket.recv();
            taken.fetch_add(received.len(), Ordering::Relaxed);
            new_socket.send(&received);
            Ok(Next::Wait)
        })
    })
    .unwrap();
    let input: Vec<u8> = (0..4_000_000_u32).map(|at| (at % 241) as u8).collect();
    conn.take_at_most(0).send(&input);
    let first = taken.load(Ordering::Relaxed);
    assert!((1..=256 * 1024).contains(&first), "{first} bytes are held for a peer that does not read");
    conn.take_at_most(1_000_000);
    let more = taken.load(Ordering::Relaxed) - first;
    assert!((900_000..=1_256_000).contains(&more), "{more} taken for a million read");
    conn.take_at_most(usize::MAX);
    assert!(conn.recv() == input);
}

#[test]
fn a_session_is_asked_for_more_each_time_its_output_is_out() {
    /// Counts to `last`, a number at a time, as the peer reads.
    struct Counter {
        next: u32,
        last: u32,
    }
    impl Session for Counter {
        fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
            new_socket.recv();
            new_socket.send(b"go ");
            Ok(Next::Wait)
        }
        fn on_drained(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
            if self.next > self.last {
                return Ok(Next::Close);
            }
            new_socket.send(format!("{} ", self.next).as_bytes());
            self.next += 1;
            Ok(Next::Wait)
        }
    }
    for window in [1, 7, 1000, usize::MAX] {
        let mut conn = TestConn::open(|| Counter { next: 1, last: 300 }).unwrap();
        conn.take_at_most(0).send(b"x");
        let mut received = Vec::new();
        while !conn.is_closed() {
            conn.take_at_most(window);
            let more = conn.recv();
            assert!(!more.is_empty() || conn.is_closed(), "it stands still");
            received.extend(more);
        }
        let expected: String = ["go ".to_owned()].into_iter().chain((1..=300).map(|n| format!("{n} "))).collect();
        assert_eq!(text(&received), expected);
    }
}

// ---- shutting down ----

#[test]
fn a_session_is_told_of_the_end_and_may_finish() {
    let mut conn = TestConn::open(|| Echo).unwrap();
    conn.send(b"x").shut_down();
    assert_eq!(conn.recv(), b"x");
    assert!(conn.is_closed(), "who says nothing about it is closed");

    struct Polite;
    impl Session for Polite {
        fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
            new_socket.recv();
            new_socket.send(b"the rest");
            Ok(Next::Close)
        }
        fn on_shutdown(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
            new_socket.send(b"soon; ");
            Ok(Next::Wait)
        }
    }
    let mut conn = TestConn::open(|| Polite).unwrap();
    assert_eq!(conn.shut_down().recv(), b"soon; ");
    assert!(!conn.is_closed());
    assert_eq!(conn.send(b"x").recv(), b"the rest");
    assert!(conn.is_closed());
}
