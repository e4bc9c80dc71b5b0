//! A bounded pool of threads for handlers that block.
//!
//! Threads are started when there is work for them, up to a number, and end when there has been none for a while. What
//! they cannot take at once waits in a queue; when that is full the job is given back, and the client gets 503: a server
//! that is behind must say so, not collect work that nobody waits for any more.
//!
//! A handler that reads its request's body while it arrives holds its thread for as long as the client takes to send it. Such
//! jobs get half of the threads at most, and wait for each other: slow clients, however many, leave the other half to the
//! handlers that block for nobody.
//!
//! Pattern: Thread Pool.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::connection::{Job, Waits, Workers};

/// How long a thread waits for work before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// The pool. Dropping it lets the threads finish what is queued.
pub(crate) struct WorkerPool {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled for each job, and when the pool is dropped.
    news: Condvar,
    most_threads: usize,
    most_queued: usize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(Job, Waits)>,
    /// Jobs that wait for a client, and for others of their kind to end.
    behind: VecDeque<Job>,
    /// How many of their kind run, or are in the queue.
    waiting_for_clients: usize,
    threads: usize,
    idle: usize,
    is_closed: bool,
}

impl WorkerPool {
    pub(crate) fn new(most_threads: usize, most_queued: usize) -> Self {
        let shared =
            Shared { state: Mutex::default(), news: Condvar::new(), most_threads: most_threads.max(1), most_queued };
        Self { shared: Arc::new(shared) }
    }
}

impl Workers for WorkerPool {
    fn submit(&self, job: Job, waits: Waits) -> Result<(), Job> {
        let mut state = self.shared.lock();
        if waits == Waits::ForTheClient && state.waiting_for_clients >= self.shared.most_threads.div_ceil(2) {
            if state.behind.len() >= self.shared.most_queued {
                return Err(job);
            }
            state.behind.push_back(job);
            return Ok(());
        }
        let free = state.idle.saturating_sub(state.queue.len());
        let can_start = free == 0 && state.threads < self.shared.most_threads;
        if free == 0 && !can_start && state.queue.len() >= self.shared.most_queued {
            return Err(job);
        }
        if can_start {
            let shared = self.shared.clone();
            let started = thread::Builder::new().name("qibu worker".into()).spawn(move || shared.work());
            match started {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    log::error!("no worker thread could be started: {error}");
                    return Err(job);
                }
                Err(error) => log::warn!("a worker thread could not be started: {error}"),
            }
        }
        state.waiting_for_clients += usize::from(waits == Waits::ForTheClient);
        state.queue.push_back((job, waits));
        self.shared.news.notify_one();
        Ok(())
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.news.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a worker thread.
    fn work(&self) {
        while let Some((job, waits)) = self.next_job() {
            // The job has its own guard; this one keeps the count of threads right in any case.
            let _ = catch_unwind(AssertUnwindSafe(job));
            if waits == Waits::ForTheClient {
                self.let_the_next_in();
            }
        }
    }

    /// A job that has waited for its client is done: one that stands behind takes its place.
    fn let_the_next_in(&self) {
        let mut state = self.lock();
        match state.behind.pop_front() {
            Some(next) => {
                state.queue.push_back((next, Waits::ForTheClient));
                self.news.notify_one();
            }
            None => state.waiting_for_clients -= 1,
        }
    }

    /// The next job; `None` ends the thread, which is no longer counted.
    fn next_job(&self) -> Option<(Job, Waits)> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                break;
            }
            state.idle += 1;
            let (woken, waited) = self.news.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_full_pool_gives_the_job_back() {
        let pool = WorkerPool::new(1, 1);
        let (go, wait) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        let blocked: Job = Box::new(move || {
            begun.send(()).unwrap();
            let _ = wait.recv();
        });
        assert!(pool.submit(blocked, Waits::ForNobody).is_ok());
        has_begun.recv().unwrap();
        let (done, is_done) = mpsc::channel();
        assert!(pool.submit(Box::new(move || done.send(()).unwrap()), Waits::ForNobody).is_ok(), "one may wait");
        assert!(pool.submit(Box::new(|| {}), Waits::ForNobody).is_err(), "two may not");
        drop(go);
        is_done.recv().unwrap();
    }

    /// A job that waits until it is told to go on, and then says who it was.
    fn slow(name: &'static str, done: &mpsc::Sender<&'static str>) -> (Job, mpsc::Sender<()>) {
        let (go, wait) = mpsc::channel();
        let done = done.clone();
        let job = move || {
            let _ = wait.recv();
            done.send(name).unwrap();
        };
        (Box::new(job), go)
    }

    #[test]
    fn those_who_wait_for_clients_leave_half_of_the_threads_to_the_others() {
        let pool = WorkerPool::new(4, 2);
        let (done, is_done) = mpsc::channel();
        let mut clients = Vec::new();
        for name in ["first", "second", "third", "fourth"] {
            let (job, go) = slow(name, &done);
            assert!(pool.submit(job, Waits::ForTheClient).is_ok(), "two run, and two stand behind");
            clients.push(go);
        }
        assert!(pool.submit(Box::new(|| {}), Waits::ForTheClient).is_err(), "no more can");
        for _ in 0..20 {
            let done = done.clone();
            assert!(pool.submit(Box::new(move || done.send("quick").unwrap()), Waits::ForNobody).is_ok());
            assert_eq!(is_done.recv(), Ok("quick"), "with four slow clients there");
        }
        for (go, name) in clients.into_iter().zip(["first", "second", "third", "fourth"]) {
            drop(go);
            assert_eq!(is_done.recv(), Ok(name));
        }
        let (job, go) = slow("fifth", &done);
        assert!(pool.submit(job, Waits::ForTheClient).is_ok());
        drop((go, pool));
        assert_eq!(is_done.recv(), Ok("fifth"));
    }

    #[test]
    fn one_thread_waits_for_anyone() {
        let pool = WorkerPool::new(1, 1);
        let (done, is_done) = mpsc::channel();
        let (job, go) = slow("only", &done);
        assert!(pool.submit(job, Waits::ForTheClient).is_ok());
        drop(go);
        assert_eq!(is_done.recv(), Ok("only"));
    }

    #[test]
    fn a_panic_costs_no_thread() {
        let pool = WorkerPool::new(1, 10);
        assert!(pool.submit(Box::new(|| panic!("on purpose")), Waits::ForNobody).is_ok());
        let (done, is_done) = mpsc::channel();
        assert!(pool.submit(Box::new(move || done.send(()).unwrap()), Waits::ForNobody).is_ok());
        is_done.recv().unwrap();
        assert_eq!(pool.shared.lock().threads, 1);
    }

    #[test]
    fn what_is_queued_is_done_when_the_pool_is_dropped() {
        let pool = WorkerPool::new(1, 100);
        let (done, is_done) = mpsc::channel();
        for number in 0..50 {
            let done = done.clone();
            assert!(pool.submit(Box::new(move || done.send(number).unwrap()), Waits::ForNobody).is_ok());
        }
        drop((pool, done));
        assert_eq!(is_done.iter().count(), 50);
    }
}
