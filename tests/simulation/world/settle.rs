//! The end of a world: it comes to rest, and everyone leaves.

use std::sync::Arc;
use std::time::Duration;

use super::{Peer, Reading, World};
use crate::check::Complaint;
use crate::server::Ending;

/// How many rounds a world may take to settle: far more than it needs.
const MOST_ROUNDS: usize = 100_000;

/// So long the server leaves the workers alone when there were too many files to be read from the disk (server/supply.rs).
/// Nothing but the clock ends that.
const PAUSE: Duration = Duration::from_millis(100);

impl World {
    /// Nothing goes wrong any more, and all is answered: first what was asked by then, so that nothing but the server itself
    /// can bring it on (the clock stands still but for a moment, and nobody sends); then everybody says what they still have to say.
    pub(super) fn settle(&mut self) -> Result<(), Complaint> {
        self.tell(|| "the world settles".into());
        for index in self.present().collect::<Vec<_>>() {
            self.server.heal(self.peers[index].id);
        }
        self.come_to_rest()?;
        self.check_complete(|peer| peer.reading == Reading::AsItComes)?;
        for index in self.present().collect::<Vec<_>>() {
            self.server.open_window(self.peers[index].id, usize::MAX);
            self.send(index, self.peers[index].script.bytes.len() - self.peers[index].sent);
        }
        self.come_to_rest()?;
        self.check_complete(|_| true)
    }

    fn check_complete(&self, is_meant: impl Fn(&Peer) -> bool) -> Result<(), Complaint> {
        for index in self.present().filter(|index| is_meant(&self.peers[*index])) {
            let complete = self.with_facts(index, |check, facts| check.complete(facts));
            complete.map_err(|complaint| format!("peer {index}: {complaint}"))?;
        }
        Ok(())
    }

    /// Answers, produces and steps until nothing is left to do.
    fn come_to_rest(&mut self) -> Result<(), Complaint> {
        for _ in 0..MOST_ROUNDS {
            self.server.step();
            self.look_around()?;
            for index in self.present().collect::<Vec<_>>() {
                self.receive(index)?;
            }
            let has_answered = self.answer_everyone();
            if !self.server.is_quiet() || has_answered {
                continue;
            }
            match self.server.sleep() {
                Some(sleep) if sleep <= PAUSE => self.server.advance(sleep),
                _ => return Ok(()),
            }
        }
        Err("the loop never comes to rest".into())
    }

    fn answer_everyone(&mut self) -> bool {
        let jobs = self.server.jobs_waiting();
        (0..jobs).for_each(|_| self.server.run_job(0));
        let replies: Vec<u64> = self.book.open().replies.keys().copied().collect();
        replies.iter().for_each(|id| self.reply_to(*id, false));
        let mut streams = 0;
        for stream in self.book.open().streams.values_mut() {
            if let Some(sender) = stream.sender.take() {
                stream.ending = Ending::Whole;
                drop(sender);
                streams += 1;
            }
        }
        jobs + replies.len() + streams > 0
    }

    /// Everybody leaves, or stays silent until the server has had enough. Then nothing is left of anyone.
    pub(super) fn say_farewell(&mut self) -> Result<(), Complaint> {
        if self.rng.bool() {
            (0..self.peers.len()).for_each(|index| self.finish(index));
            self.come_to_rest()?;
            if self.server.open_clients() > 0 {
                return Err(format!("{} clients are kept after their end", self.server.open_clients()));
            }
        }
        self.wait_for_everyone()?;
        match Arc::strong_count(&self.file) {
            2 => self.write_to_the_dead(), // ours and the handler's
            count => Err(format!("the file has {count} holders, and nobody is there")),
        }
    }

    /// The loop sleeps as long as it likes, again and again, until it would sleep for ever.
    fn wait_for_everyone(&mut self) -> Result<(), Complaint> {
        for _ in 0..MOST_ROUNDS {
            let Some(sleep) = self.server.sleep() else {
                let left = self.server.open_clients();
                return if left == 0 { Ok(()) } else { Err(format!("the loop sleeps for ever on {left} clients")) };
            };
            self.server.advance(sleep);
            self.server.step();
            for index in self.present().collect::<Vec<_>>() {
                self.receive(index)?;
            }
            self.look_around()?;
        }
        Err("clients are kept for ever".into())
    }

    /// Notes for those who have gone do nothing and are not kept.
    fn write_to_the_dead(&mut self) -> Result<(), Complaint> {
        for address in self.book.open().addresses.values() {
            address.send(String::from("is anybody there?"));
        }
        self.server.step();
        match self.server.letters_waiting() {
            0 => Ok(()),
            letters => Err(format!("{letters} letters are never read")),
        }
    }
}
