//! The mailbox between threads, in every order in which they can meet there: loom runs each model again and again, until
//! it has tried all of them.
//!
//! What is tried is the source of the crate itself, src/server/letters.rs and src/message/address.rs, compiled into this
//! test with loom's lock and flag in the place of std's. The event loop is three lines here: it sleeps until it is woken,
//! takes its letters, and looks who they are for.

mod sync {
    pub(crate) use loom::sync::Mutex;
    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use std::sync::PoisonError;
}

#[allow(dead_code, reason = "the loop needs more of it than this test")]
#[path = "../src/server/letters.rs"]
mod letters;

#[allow(dead_code, unreachable_pub, rustdoc::broken_intra_doc_links, reason = "a file of the library")]
#[path = "../src/message/address.rs"]
mod address;

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use qibu::{IntoResponse, Piece, Response};

use self::address::{Address, ClientKey, Mailbox, Note, Reply};
use self::letters::{Letters, Wake};

/// What a loop sleeps on. Like an eventfd it remembers that it was rung, and counts how often.
struct Bell {
    is_ringing: Mutex<bool>,
    news: Condvar,
    rung: AtomicUsize,
}

impl Bell {
    fn new() -> Self {
        Self { is_ringing: Mutex::new(false), news: Condvar::new(), rung: AtomicUsize::new(0) }
    }

    /// Sleeps until somebody rings. Where nobody ever will, loom reports a deadlock.
    fn wait(&self) {
        let mut is_ringing = self.is_ringing.lock().unwrap();
        while !std::mem::take(&mut *is_ringing) {
            is_ringing = self.news.wait(is_ringing).unwrap();
        }
    }
}

impl Wake for Bell {
    fn wake(&self) {
        self.rung.fetch_add(1, Ordering::SeqCst);
        *self.is_ringing.lock().unwrap() = true;
        self.news.notify_one();
    }
}

/// A loop's mailbox.
struct Mail {
    letters: Letters<(ClientKey, Note), Bell>,
}

impl Mail {
    fn new() -> Arc<Self> {
        Arc::new(Self { letters: Letters::new(Bell::new()) })
    }

    /// Sleeps and reads until so many letters have come.
    fn read(&self, count: usize) -> Vec<(ClientKey, Note)> {
        let mut read = Vec::new();
        while read.len() < count {
            self.letters.waker().wait();
            read.extend(self.letters.take());
        }
        read
    }
}

impl Mailbox for Mail {
    fn post(&self, to: ClientKey, note: Note) {
        self.letters.put((to, note));
    }
}

const FIRST: ClientKey = ClientKey { slot: 0, generation: 0 };

/// Who sits in the slot when the first client has left.
const SECOND: ClientKey = ClientKey { slot: 0, generation: 1 };

fn reply_of(mail: &Arc<Mail>, client: ClientKey) -> Reply {
    Reply::new(Address::new(mail.clone(), client), 1)
}

fn status_of(note: &Note) -> u16 {
    match note {
        Note::Reply { exchange: 1, response } => response.status().as_u16(),
        Note::ReplyDropped { exchange: 1 } => 500, // by the session
        _ => panic!("this is no reply to exchange 1: {note:?}"),
    }
}

/// Caught: forgetting the wake-up after the letters were taken, or waking before the letter is there.
#[test]
fn a_letter_is_never_left_without_a_wake_up() {
    loom::model(|| {
        let mail = Mail::new();
        let writers = [1, 2].map(|number: u8| {
            let mail = mail.clone();
            thread::spawn(move || Address::new(mail, FIRST).send(number))
        });
        let mut numbers: Vec<u8> = mail
            .read(2)
            .into_iter()
            .map(|(_, note)| if let Note::Custom(any) = note { *any.downcast().unwrap() } else { 0 })
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2], "each letter comes, and once");
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(mail.letters.count(), 0);
    });
}

#[test]
fn a_writer_s_letters_come_in_order() {
    loom::model(|| {
        let mail = Mail::new();
        let writer = {
            let address = Address::new(mail.clone(), FIRST);
            thread::spawn(move || (1..=3_u8).for_each(|number| address.send(number)))
        };
        let numbers = mail.read(3).into_iter().map(|(_, note)| match note {
            Note::Custom(any) => *any.downcast::<u8>().unwrap(),
            _ => 0,
        });
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3]);
        writer.join().unwrap();
    });
}

/// While nobody reads, one wake-up is enough for all.
#[test]
fn wake_ups_coalesce() {
    loom::model(|| {
        let mail = Mail::new();
        let writers = [1, 2].map(|number: u8| {
            let mail = mail.clone();
            thread::spawn(move || Address::new(mail, FIRST).send(number))
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(mail.letters.waker().rung.load(Ordering::SeqCst), 1);
        assert_eq!(mail.read(2).len(), 2);
        Address::new(mail.clone(), FIRST).send(3_u8);
        assert_eq!(mail.letters.waker().rung.load(Ordering::SeqCst), 2, "after a read, a letter wakes again");
    });
}

/// A worker answers while its client leaves and another takes the slot: the answer names the one who has gone.
#[test]
fn a_reply_for_a_slot_used_again_never_reaches_the_next_client() {
    loom::model(|| {
        let mail = Mail::new();
        let late = reply_of(&mail, FIRST);
        let worker = thread::spawn(move || late.send("late"));
        let current = reply_of(&mail, SECOND); // the first has left, the second asks
        let other = thread::spawn(move || current.send("right"));
        let letters = mail.read(2);
        let for_second: Vec<_> = letters.iter().filter(|(key, _)| *key == SECOND).collect();
        assert_eq!(for_second.len(), 1, "the late reply has another generation");
        worker.join().unwrap();
        other.join().unwrap();
    });
}

/// A thread may lose its reply at any moment, even while others answer: the loop is woken and the client gets 500.
#[test]
fn a_reply_dropped_unsent_is_500_and_wakes_the_loop() {
    loom::model(|| {
        let mail = Mail::new();
        let (lost, sent) = (reply_of(&mail, FIRST), reply_of(&mail, SECOND));
        let loser = thread::spawn(move || drop(lost));
        let sender = thread::spawn(move || sent.send("well"));
        let mut statuses: Vec<_> = mail.read(2).iter().map(|(key, note)| (*key, status_of(note))).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [(FIRST, 500), (SECOND, 200)]);
        loser.join().unwrap();
        sender.join().unwrap();
    });
}
