//! What must hold after every step.

use std::time::Duration;

use super::{Peer, World};
use crate::check::Complaint;

/// The longest wait that any setting allows.
const LONGEST_WAIT: Duration = Duration::from_secs(301);

/// How long a head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The most memory that the server may hold for one client: what it may leave unread, the high-water mark of its output,
/// the largest answer on top of that, and the room that buffers have to spare.
const MOST_MEMORY: usize = 64 * 1024 + 4 * (64 * 1024 + 150_000);

/// What an idle client may hold.
const IDLE_MEMORY: usize = 1024;

/// How often one client may read in one turn.
const MOST_READS: u64 = 16;

impl World {
    /// Of a connection that is closed, the server keeps nothing: the producers of its answers know that it has gone.
    pub(super) fn check_left_behind(&self, index: usize) -> Result<(), Complaint> {
        let (peer, book) = (&self.peers[index], self.book.open());
        let streams = peer.script.exchanges.iter().filter_map(|exchange| book.streams.get(&exchange.id));
        let is_kept = streams.filter_map(|stream| stream.sender.as_ref()).any(|sender| !sender.is_closed());
        if is_kept && !self.server.is_open(peer.id) {
            return Err(format!("peer {} has gone, and a stream for it is kept", peer.number));
        }
        Ok(())
    }

    pub(super) fn check_memory(&self, index: usize, is_idle: bool) -> Result<(), Complaint> {
        let (peer, is_quiet) = (&self.peers[index], self.server.is_quiet());
        let memory = self.server.memory(peer.id);
        let most = if is_idle && is_quiet { IDLE_MEMORY } else { MOST_MEMORY };
        if memory <= most {
            Ok(())
        } else {
            Err(format!("peer {}: {memory} bytes are held, {most} may be", peer.number))
        }
    }

    /// After every step.
    pub(super) fn look_around(&mut self) -> Result<(), Complaint> {
        for index in self.present().collect::<Vec<_>>() {
            if self.server.is_open(self.peers[index].id) {
                self.check_deadline(&self.peers[index])?;
                self.check_half_head(index)?;
                self.check_memory(index, false)?;
            }
        }
        if self.server.longest_turn() > MOST_READS {
            return Err(format!("{} reads in one turn", self.server.longest_turn()));
        }
        let book = self.book.open();
        let often = book.handled.iter().find(|(_, count)| **count > 1);
        often.map_or(Ok(()), |(id, count)| Err(format!("exchange {id} was handled {count} times")))
    }

    /// Nobody waits without a deadline, and the loop is awake by then.
    fn check_deadline(&self, peer: &Peer) -> Result<(), Complaint> {
        let number = peer.number;
        let deadline =
            self.server.deadline(peer.id).ok_or_else(|| format!("peer {number} waits without a deadline"))?;
        let sleep = self.server.sleep().unwrap_or(Duration::MAX);
        if deadline > LONGEST_WAIT {
            Err(format!("peer {number} may wait {deadline:?}"))
        } else if sleep > deadline {
            Err(format!("peer {number} has {deadline:?} left, and the loop sleeps {sleep:?}"))
        } else {
            Ok(())
        }
    }

    /// A head has one deadline, however slowly its bytes come.
    fn check_half_head(&mut self, index: usize) -> Result<(), Complaint> {
        let is_within = !self.server.is_finished(self.peers[index].id)
            && self.with_facts(index, |check, facts| check.is_within_head(facts));
        let (now, is_quiet) = (self.server.now(), self.server.is_quiet());
        let peer = &mut self.peers[index];
        let answered = peer.check.answers();
        let deadline = now + self.server.deadline(peer.id).unwrap_or_default();
        let known = peer.within_head.filter(|(exchange, _)| is_within && *exchange == answered);
        peer.within_head = known.or((is_within && is_quiet).then_some((answered, deadline)));
        match peer.within_head {
            Some((_, first)) if now < first && deadline > first.min(now + HEAD_TIMEOUT) => {
                Err(format!("peer {} has a head until {deadline:?}, but had one until {first:?}", peer.number))
            }
            _ => Ok(()),
        }
    }
}
