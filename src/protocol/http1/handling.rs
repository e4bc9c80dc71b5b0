//! From a request to its handler: when its body has come, or while it comes; on the loop, or on the worker pool.
//!
//! Pattern: State (what the handler's plan leads to).

use super::answering::explain;
use super::exchange::{Exchange, Reuse};
use super::handed::{Handed, Parcel};
use super::uploading::Uploading;
use super::waits::{Interruption, Missing, Progress, ReadingBody, Waiting};
use super::{HttpSession, State, Step};
use crate::connection::{Connection, Waits};
use crate::handler::{Place, Stopwatch, call, call_timed};
use crate::message::{Known, Reply, Request, RequestBody, feed};

impl HttpSession {
    /// The request is complete.
    pub(super) fn handle(
        &mut self,
        new_socket: &mut Connection,
        mut request: Box<Request>,
        place: Place,
        exchange: Exchange,
        watch: Stopwatch,
    ) -> State {
        match place {
            Place::Loop => {
                let mut response = call_timed(&*self.shared.handler, &mut request, watch);
                if let Some(fate) = request.watchers().take_fate() {
                    response.set_fate(fate); // few are watched, and an answer is not small
                }
                if !request.method().is_safe() {
                    // RFC 9112 §9.3.2: what is behind it in the pipeline shall see what it did.
                    new_socket.arrivals().begin_batch();
                }
                new_socket.keep_spare_request(request);
                self.answer(new_socket, exchange, response)
            }
            Place::Pool | Place::Stream => match self.hand_over(new_socket, request, exchange, Waits::ForNobody) {
                Ok(handed) => {
                    let missing = Missing::Return { early: None, handed };
                    State::Waiting(Box::new(Waiting { exchange, missing, since: new_socket.now() }))
                }
                Err(Busy(mut request)) => {
                    let answer = self.shared.come_again(new_socket, &mut request);
                    self.answer(new_socket, exchange, answer)
                }
            },
            Place::Refused(response) => {
                let answer = response.with_fate(request.watchers().take_fate());
                self.answer(new_socket, exchange, answer)
            }
        }
    }

    /// More of a body has come whose handler has not begun.
    pub(super) fn read_body(&mut self, new_socket: &mut Connection, mut reading: Box<ReadingBody>) -> Step {
        let error = match reading.take(new_socket, &self.shared.settings) {
            Ok(Progress::Partial) => return Step::Stay(State::ReadingBody(reading)),
            Ok(Progress::Enough(first)) => return Step::Go(self.begin_upload(new_socket, *reading, first)),
            Ok(Progress::Ended) => {
                let (request, place, exchange) = reading.complete(new_socket);
                let watch = Stopwatch::start(self.shared.settings.slow_handler_warning);
                return Step::Go(self.handle(new_socket, request, place, exchange, watch));
            }
            Err(Interruption::Broken) => {
                let answer = self.shared.broken(new_socket, &mut reading.request);
                return Step::Go(self.refuse(new_socket, reading.exchange.wants, answer));
            }
            Err(Interruption::Refused(error)) => error,
        };
        let answer = self.shared.refusal(new_socket, Known::Request(&mut reading.request), error);
        Step::Go(self.refuse(new_socket, reading.exchange.wants, answer))
    }

    /// Lets a worker thread handle the request while the rest of its body arrives, behind what came first.
    pub(super) fn begin_upload(&mut self, new_socket: &mut Connection, reading: ReadingBody, first: Vec<u8>) -> State {
        let ReadingBody { mut request, exchange, incoming, .. } = reading;
        let (feed, intake) = feed(first);
        request.set_body(RequestBody::arriving(intake), new_socket.arrival());
        match self.hand_over(new_socket, request, exchange, Waits::ForTheClient) {
            Ok(handed) => State::Uploading(Box::new(Uploading::new(exchange, incoming, feed, handed))),
            Err(Busy(mut request)) => {
                let answer = self.shared.come_again(new_socket, &mut request);
                self.answer(new_socket, Exchange { reuse: Reuse::Close, ..exchange }, answer)
            }
        }
    }

    pub(super) fn upload(&mut self, new_socket: &mut Connection, mut uploading: Box<Uploading>) -> Step {
        match uploading.receive(new_socket, &self.shared.settings) {
            Ok(()) if uploading.is_done() => {
                let (exchange, missing) = uploading.finish();
                Step::Stay(State::Waiting(Box::new(Waiting { exchange, missing, since: new_socket.now() })))
            }
            Ok(()) => Step::Stay(State::Uploading(uploading)),
            Err(error) => {
                let (exchange, answer) = uploading.fail(error, explain(new_socket, error));
                Step::Go(self.refuse(new_socket, exchange.wants, answer))
            }
        }
    }

    /// Lets a worker thread handle the request; its answer comes back as a note. Fails when all workers are busy.
    fn hand_over(
        &self,
        new_socket: &Connection,
        mut request: Box<Request>,
        exchange: Exchange,
        waits: Waits,
    ) -> Result<Handed, Busy> {
        let mut watchers = request.watchers().share();
        let reply = Reply::of_worker(new_socket.own_address(), exchange.id);
        let (shared, parcel) = (self.shared.clone(), Parcel::new(request, reply));
        let sent = parcel.clone();
        let job = Box::new(move || {
            let Some((mut request, reply)) = sent.open() else { return };
            reply.send(call(&*shared.handler, &mut request));
        });
        match new_socket.submit(job, waits) {
            Ok(()) => {
                let (peer, fate) = (new_socket.peer_addr(), watchers.take_fate());
                Ok(Handed::new(parcel, self.shared.clone(), peer, fate))
            }
            Err(_job) => Err(Busy(parcel.take_back().expect("a job that comes back has not run"))),
        }
    }
}

/// No worker is free, and the queue is full: the request comes back.
struct Busy(Box<Request>);

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use crate::handler::Handler;
    use crate::message::{Arrival, Request};
    use crate::protocol::Http;
    use crate::testing::{Fault, PeerId, TestConn, TestLoop};

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";

    /// What requests came with.
    #[derive(Clone, Default)]
    struct Notebook(Arc<Mutex<Vec<Arrival>>>);

    impl Notebook {
        fn handler(&self) -> Arc<dyn Handler> {
            let seen = self.0.clone();
            Arc::new(move |request: &mut Request| seen.lock().unwrap().push(request.arrival()))
        }

        /// For each request, the first for which something can have been found out that it may use.
        fn read(&self) -> Vec<usize> {
            let seen = self.0.lock().unwrap();
            seen.iter().map(|arrival| seen.iter().position(|other| arrival.may_use(*other)).unwrap()).collect()
        }
    }

    /// Sends these to one connection, each in a read of its own, and tells which of the requests each may learn from.
    fn arrivals(reads: &[String]) -> Vec<usize> {
        let seen = Notebook::default();
        let mut client = TestConn::open(Http::new(seen.handler())).unwrap();
        for read in reads {
            client.send(read.as_bytes());
        }
        seen.read()
    }

    /// Several clients of one loop.
    struct Crowd {
        server: TestLoop,
        clients: Vec<PeerId>,
        seen: Notebook,
    }

    impl Crowd {
        fn new(clients: usize) -> Self {
            let seen = Notebook::default();
            let mut server = TestLoop::new(Http::new(seen.handler()));
            let address = |number| ([192, 0, 2, number], 5000).into();
            let clients = (1..).take(clients).map(|number| server.connect(address(number)).unwrap()).collect();
            Self { server, clients, seen }
        }

        /// Each client sends its text, and the loop learns of all of them at once.
        fn batch(&mut self, texts: &[&str]) -> &mut Self {
            for (client, text) in self.clients.iter().zip(texts) {
                self.server.send(*client, text.as_bytes());
            }
            self.server.step();
            self
        }
    }

    #[test]
    fn what_is_found_for_the_first_request_of_a_read_is_fresh_for_all_of_it() {
        assert_eq!(arrivals(&[GET.repeat(4), GET.repeat(3)]), [0, 0, 0, 0, 4, 4, 4]);
    }

    #[test]
    fn a_request_with_a_body_came_when_its_last_byte_did() {
        let (start, rest) = POST.split_at(POST.len() - 1);
        assert_eq!(arrivals(&[format!("{GET}{start}"), rest.to_owned()]), [0, 1]);
    }

    #[test]
    fn what_follows_a_change_learns_nothing_from_what_came_before() {
        assert_eq!(arrivals(&[[GET, GET, POST, GET, GET].concat()]), [0, 0, 0, 3, 3]);
    }

    #[test]
    fn the_first_requests_of_a_batch_came_together() {
        let mut crowd = Crowd::new(3);
        assert_eq!(crowd.batch(&[GET; 3]).batch(&[GET; 3]).seen.read(), [0, 0, 0, 3, 3, 3]);
    }

    #[test]
    fn a_head_that_was_begun_in_another_batch_came_with_the_others_of_its_last_one() {
        let (start, rest) = GET.split_at(9);
        assert_eq!(Crowd::new(2).batch(&[start]).batch(&[rest, GET]).seen.read(), [0, 0]);
    }

    #[test]
    fn a_request_behind_another_or_behind_an_empty_line_may_have_begun_later_than_the_batch() {
        let (two, skipped) = (GET.repeat(2), format!("\r\n{GET}"));
        assert_eq!(Crowd::new(3).batch(&[GET, &two, &skipped]).seen.read(), [0, 0, 1, 3]);
    }

    #[test]
    fn a_request_that_a_second_read_brings_may_have_begun_later_than_the_batch() {
        let mut crowd = Crowd::new(2);
        let mut is_first = true;
        crowd.server.fail_with(crowd.clients[1], move |_| {
            if std::mem::take(&mut is_first) { Fault::Short(GET.len()) } else { Fault::Nothing }
        });
        assert_eq!(crowd.batch(&[GET, &GET.repeat(2)]).seen.read(), [0, 0, 2]);
    }

    #[test]
    fn what_one_client_changes_is_seen_by_the_others_of_the_batch() {
        assert_eq!(Crowd::new(4).batch(&[GET, POST, GET, GET]).seen.read(), [0, 1, 2, 2]);
    }

    #[test]
    fn nothing_is_learned_from_another_loop() {
        let seen = Notebook::default();
        for _ in 0..2 {
            TestConn::open(Http::new(seen.handler())).unwrap().send(GET.as_bytes());
        }
        assert_eq!(seen.read(), [0, 1]);
    }
}
