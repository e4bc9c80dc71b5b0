//! What stands beside the loop: a mailbox that other threads write to, and a worker pool, neither of which does anything by
//! itself.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::lock;
use crate::connection::{Job, Waits, Workers};
use crate::message::{ClientKey, Mailbox, Note};
use crate::server::letters::{Letters, Wake};

/// A loop's mailbox whose waker only remembers that it was called.
pub(super) struct TestMail {
    pub(super) letters: Letters<(ClientKey, Note), Bell>,
}

impl Mailbox for TestMail {
    fn post(&self, to: ClientKey, note: Note) {
        self.letters.put((to, note));
    }
}

/// Rings until somebody comes.
#[derive(Default)]
pub(super) struct Bell {
    rings: AtomicBool,
}

impl Bell {
    pub(super) fn rings(&self) -> bool {
        self.rings.load(Ordering::SeqCst)
    }

    pub(super) fn stop(&self) {
        self.rings.store(false, Ordering::SeqCst);
    }
}

impl Wake for Bell {
    fn wake(&self) {
        self.rings.store(true, Ordering::SeqCst);
    }
}

/// A worker pool that works when it is told to.
pub(super) struct HeldJobs {
    pub(super) jobs: Mutex<Vec<Job>>,
    pub(super) most: usize,
}

impl Workers for HeldJobs {
    /// A job that waits for the client would wait for the test itself, so it gets a thread.
    fn submit(&self, job: Job, waits: Waits) -> Result<(), Job> {
        let job: Job = match waits {
            Waits::ForNobody => job,
            Waits::ForTheClient => Box::new(|| drop(std::thread::spawn(job))),
        };
        let mut jobs = lock(&self.jobs);
        if jobs.len() >= self.most {
            return Err(job);
        }
        jobs.push(job);
        Ok(())
    }
}
