//! The clients of one loop: their slots, their turns, and when each has to be looked at again.
//!
//! A slot is used again when its client has gone; the generation tells its clients apart, so that a note for an old one
//! never reaches the next. Nothing here names mio: a simulation drives the same table with events of its own making.
//!
//! A session is code of the user, and is called in many places of a turn. So it is the turn that is contained: whatever
//! panics in it costs this client the connection, and nobody else anything.
//!
//! Pattern: Acceptor (the opening half: [`Clients::join`] gives a new client its session).

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use slab::Slab;

use super::WebServer;
use super::agenda::{Again, Agenda};
use super::client::{Buffers, Cause, Client, Turn};
use super::pace::Pace;
use super::readiness::Readiness;
use crate::connection::transport::Transport;
use crate::connection::{Connection, Context};
use crate::handler::call::panic_text;
use crate::message::{ClientKey, Note};
use crate::protocol::Protocol;

/// One per loop; it never leaves its thread.
pub(crate) struct Clients {
    slots: Slab<Box<Client>>,
    /// By slot: how many clients have left it.
    generations: Vec<u32>,
    pub(crate) agenda: Agenda,
    pub(crate) context: Rc<Context>,
    buffers: Buffers,
    protocol: Arc<dyn Protocol>,
    pace: Pace,
    /// Who has gone since somebody last asked.
    departed: Vec<SocketAddr>,
}

impl Clients {
    pub(crate) fn new(context: Context, protocol: Arc<dyn Protocol>, pace: Pace) -> Self {
        Self {
            slots: Slab::new(),
            generations: Vec::new(),
            agenda: Agenda::default(),
            context: Rc::new(context),
            buffers: Buffers::new(),
            protocol,
            pace,
            departed: Vec::new(),
        }
    }

    /// Gives a new client a slot and its first turn; then `register` is told the slot, if the client is still there: one
    /// that has come with its only request has been answered and is gone, and nobody need wait for it. Fails if its
    /// session could not be opened or it not be registered; then it has departed.
    pub(crate) fn join(
        &mut self,
        transport: Box<dyn Transport>,
        peer: SocketAddr,
        register: impl FnOnce(&mut dyn Transport, usize) -> io::Result<()>,
    ) -> io::Result<ClientKey> {
        let slot = self.slots.vacant_key();
        if self.generations.len() <= slot {
            self.generations.resize(slot + 1, 0);
        }
        let number = u32::try_from(slot).expect("fewer clients than there can be descriptors");
        let key = ClientKey { slot: number, generation: self.generations[slot] };
        let connection = Connection::new(peer, key, self.context.clone());
        let opened = Client::open(transport, connection, &*self.protocol, self.pace);
        let client = opened.inspect_err(|_| self.departed.push(peer))?;
        self.context.counters.count_client();
        self.slots.insert(client);
        self.give_turn(slot, Cause::Accepted);
        if let Some(client) = self.slots.get_mut(slot) {
            register(client.transport(), slot).inspect_err(|_| self.remove(slot))?;
        }
        Ok(key)
    }

    /// Gives the client in `slot` its turn. There may be none any more: it left earlier in the same batch.
    pub(crate) fn give_turn(&mut self, slot: usize, cause: Cause) {
        let Some(client) = self.slots.get_mut(slot) else { return };
        let buffers = &mut self.buffers;
        let taken =
            contain("a session", || (WebServer::handle_client_request(client, cause, buffers), client.deadline()));
        let Some((turn, deadline)) = taken else { return self.remove_broken(slot) };
        match turn {
            Turn::Finished => return self.remove(slot),
            Turn::Unfinished | Turn::OthersFirst => self.agenda.again(Again::Client(slot)),
            Turn::Waiting => {}
        }
        if let Some(deadline) = deadline {
            self.agenda.arm(slot, deadline);
        }
    }

    /// Remembers what the system says of a client that has its turn later in the batch.
    pub(crate) fn note(&mut self, slot: usize, readiness: Readiness) {
        if let Some(client) = self.slots.get_mut(slot) {
            client.note(readiness);
        }
    }

    /// Gives a note to the client it is for, if that one is still there.
    pub(crate) fn deliver(&mut self, key: ClientKey, note: Note) {
        let slot = key.slot as usize;
        if self.generations.get(slot) == Some(&key.generation) {
            self.give_turn(slot, Cause::Note(Box::new(note)));
        } else {
            contain("what came too late for a client", || drop(note));
        }
    }

    /// Tells everyone that the server shuts down.
    pub(crate) fn shut_down(&mut self) {
        for slot in self.slots.iter().map(|(slot, _)| slot).collect::<Vec<_>>() {
            self.give_turn(slot, Cause::Shutdown);
        }
    }

    fn remove(&mut self, slot: usize) {
        let client = self.slots.remove(slot);
        self.generations[slot] = self.generations[slot].wrapping_add(1);
        self.departed.push(client.connection.peer_addr());
        contain("the end of a session", || drop(client));
    }

    /// Its turn was broken off, and what was lent to it is lost.
    #[cold]
    fn remove_broken(&mut self, slot: usize) {
        self.slots[slot].fail(&io::Error::other("its session panicked"));
        self.buffers = Buffers::new();
        self.remove(slot);
    }

    /// One of those who have gone and of whom nobody was told yet.
    pub(crate) fn take_departed(&mut self) -> Option<SocketAddr> {
        self.departed.pop()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(crate) fn get(&self, slot: usize) -> Option<&Client> {
        self.slots.get(slot).map(|client| &**client)
    }
}

/// The end of the loop is that of its clients.
impl Drop for Clients {
    fn drop(&mut self) {
        for client in self.slots.drain() {
            contain("the end of a session", || drop(client));
        }
    }
}

/// Calls code that is not ours. `None` where it panicked, which the log has then.
pub(crate) fn contain<T>(what: &str, call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call))
        .inspect_err(|panic| log::error!("{what} panicked: {}", panic_text(&**panic)))
        .ok()
}
