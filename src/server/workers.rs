//! A bounded pool of threads for handlers that block.
//!
//! Threads are started when there is work for them, up to a number, and end when there has been none for a while. What
//! they cannot take at once waits in a queue; when that is full the job is given back, and the client gets 503: a server
//! that is behind must say so, not collect work that nobody waits for any more.
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
    queue: VecDeque<Job>,
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
    /// Each job has a thread to itself, which may wait for anyone.
    fn submit(&self, job: Job, _: Waits) -> Result<(), Job> {
        let mut state = self.shared.lock();
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
        state.queue.push_back(job);
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
        while let Some(job) = self.next_job() {
            // The job has its own guard; this one keeps the count of threads right in any case.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// The next job; `None` ends the thread, which is no longer counted.
    fn next_job(&self) -> Option<Job> {
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
