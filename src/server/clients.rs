//! The table of a loop's clients.
//!
//! A slot is used again when its client has gone; the generation tells its clients apart, so that a note for an old one
//! never reaches the next.

use slab::Slab;

use super::client::Client;
use crate::message::ClientKey;

/// One per loop.
#[derive(Default)]
pub(crate) struct Clients {
    slots: Slab<Box<Client>>,
    /// By slot: how many clients have left it.
    generations: Vec<u32>,
}

impl Clients {
    /// The key that the next client will have.
    pub(crate) fn next_key(&self) -> ClientKey {
        let slot = self.slots.vacant_key();
        let generation = self.generations.get(slot).copied().unwrap_or(0);
        ClientKey { slot: u32::try_from(slot).expect("fewer clients than descriptors"), generation }
    }

    /// Takes a client in, under the key that [`Self::next_key`] has just given.
    pub(crate) fn insert(&mut self, client: Client) -> usize {
        let slot = self.slots.insert(Box::new(client));
        if self.generations.len() <= slot {
            self.generations.resize(slot + 1, 0);
        }
        slot
    }

    pub(crate) fn get(&mut self, slot: usize) -> Option<&mut Client> {
        self.slots.get_mut(slot).map(|client| &mut **client)
    }

    /// The slot of this very client, if it is still there.
    pub(crate) fn find(&self, key: ClientKey) -> Option<usize> {
        let slot = key.slot as usize;
        (self.slots.contains(slot) && self.generations[slot] == key.generation).then_some(slot)
    }

    pub(crate) fn remove(&mut self, slot: usize) -> Client {
        self.generations[slot] = self.generations[slot].wrapping_add(1);
        *self.slots.remove(slot)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(crate) fn slots(&self) -> Vec<usize> {
        self.slots.iter().map(|(slot, _)| slot).collect()
    }
}
