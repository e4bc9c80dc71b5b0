//! From a request to its handler: on the loop, on the worker pool, or there while its body arrives.
//!
//! Pattern: State (what the handler's plan leads to).

use std::sync::{Arc, Mutex, PoisonError};

use super::answering::explain;
use super::exchange::{Exchange, Reuse};
use super::uploading::Uploading;
use super::waits::{Missing, ReadingBody, Waiting};
use super::{HttpSession, State, Step};
use crate::connection::{Connection, Waits};
use crate::handler::{Place, call};
use crate::message::{Reply, Request, RequestBody, feed};

impl HttpSession {
    /// The request is complete.
    pub(super) fn handle(
        &mut self,
        new_socket: &mut Connection,
        mut request: Request,
        place: Place,
        exchange: Exchange,
    ) -> State {
        match place {
            Place::Loop => {
                let warn_after = Some(self.shared.settings.slow_handler_warning);
                let response = call(&*self.shared.handler, &mut request, warn_after);
                if !request.method().is_safe() {
                    // RFC 9112 §9.3.2: what is behind it in the pipeline shall see what it did.
                    new_socket.begin_arrival();
                }
                self.answer(new_socket, exchange, response)
            }
            Place::Pool | Place::Stream => match self.hand_over(new_socket, request, exchange, Waits::ForNobody) {
                Ok(()) => {
                    let missing = Missing::Return { early: None };
                    State::Waiting(Box::new(Waiting { exchange, missing, since: new_socket.now() }))
                }
                Err(Busy(request)) => {
                    let answer = self.shared.come_again(new_socket, *request);
                    self.answer(new_socket, exchange, answer)
                }
            },
            Place::Refused(response) => self.answer(new_socket, exchange, *response),
        }
    }

    /// Lets a worker thread handle the request while the rest of its body arrives, behind what came first.
    pub(super) fn begin_upload(&mut self, new_socket: &mut Connection, reading: ReadingBody, first: Vec<u8>) -> State {
        let ReadingBody { mut request, exchange, incoming, .. } = reading;
        let (feed, intake) = feed(first);
        request.set_body(RequestBody::arriving(intake), new_socket.arrival());
        match self.hand_over(new_socket, request, exchange, Waits::ForTheClient) {
            Ok(()) => State::Uploading(Box::new(Uploading::new(exchange, incoming, feed))),
            Err(Busy(request)) => {
                let answer = self.shared.come_again(new_socket, *request);
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
                let exchange = uploading.fail(error);
                // The handler has been told, and so will be who stands around it.
                Step::Go(self.refuse(new_socket, exchange.wants, explain(new_socket, error)))
            }
        }
    }

    /// Lets a worker thread handle the request; its answer comes back as a note. Fails when all workers
    /// are busy.
    fn hand_over(
        &self,
        new_socket: &Connection,
        request: Request,
        exchange: Exchange,
        waits: Waits,
    ) -> Result<(), Busy> {
        let reply = Reply::of_worker(new_socket.address(), exchange.id);
        let (handler, parcel) = (self.shared.handler.clone(), Parcel::new(request, reply));
        let sent = parcel.clone();
        let job = Box::new(move || {
            let (mut request, reply) = sent.open();
            reply.send(call(&*handler, &mut request, None));
        });
        new_socket.submit(job, waits).map_err(|_job| {
            let (request, reply) = parcel.open();
            reply.withdraw();
            Busy(Box::new(request))
        })
    }
}

/// No worker is free, and the queue is full: the request comes back.
struct Busy(Box<Request>);

/// What a job carries, so that it can be taken out again where the job is not wanted.
#[derive(Clone)]
struct Parcel(Arc<Mutex<Option<(Request, Reply)>>>);

impl Parcel {
    fn new(request: Request, reply: Reply) -> Self {
        Self(Arc::new(Mutex::new(Some((request, reply)))))
    }

    fn open(&self) -> (Request, Reply) {
        let content = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        content.expect("a job runs once, or comes back and never runs")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use crate::message::{Arrival, Request};
    use crate::protocol::Http;
    use crate::testing::TestConn;

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";

    /// Sends these, each in a read of its own, and tells which of the requests had equal arrivals.
    fn arrivals(reads: &[String]) -> Vec<usize> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notebook = seen.clone();
        let mut client = TestConn::open(Http::new(move |request: &mut Request| {
            notebook.lock().unwrap().push(request.arrival());
        }))
        .unwrap();
        for read in reads {
            client.send(read.as_bytes());
        }
        let seen: Vec<Arrival> = seen.lock().unwrap().clone();
        seen.iter().map(|arrival| seen.iter().position(|other| other == arrival).unwrap()).collect()
    }

    #[test]
    fn the_requests_of_one_read_came_together() {
        assert_eq!(arrivals(&[GET.repeat(3), GET.repeat(2)]), [0, 0, 0, 3, 3]);
    }

    #[test]
    fn a_request_came_when_its_last_byte_did() {
        let (start, rest) = POST.split_at(POST.len() - 1);
        assert_eq!(arrivals(&[format!("{GET}{start}"), rest.to_owned()]), [0, 1]);
    }

    #[test]
    fn what_follows_a_change_did_not_come_together_with_what_came_before() {
        assert_eq!(arrivals(&[[GET, POST, GET, GET].concat()]), [0, 0, 2, 2]);
    }

    #[test]
    fn two_connections_never_came_together() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notebook = seen.clone();
        let handler: Arc<dyn crate::handler::Handler> = Arc::new(move |request: &mut Request| {
            notebook.lock().unwrap().push(request.arrival());
        });
        for _ in 0..2 {
            TestConn::open(Http::new(handler.clone())).unwrap().send(GET.as_bytes());
        }
        let seen = seen.lock().unwrap();
        assert_ne!(seen[0], seen[1]);
    }
}
