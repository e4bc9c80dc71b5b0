//! How often each client may do something: a token bucket for each, in a bounded table.
//!
//! A bucket holds so many tokens at most, and one drips in at regular intervals. All that must be remembered of it is one
//! instant, the one at which it will be full again: to take a token is to move that instant on by one interval.
//!
//! The table is bounded, however many addresses an attacker has. It is two maps: when the younger one is full, it takes the
//! place of the older, whose buckets are forgotten, and these are the ones that were not used for the longest time. A
//! forgotten bucket is a full one.
//!
//! An IPv6 client has a network of 2⁶⁴ addresses at least, so the network is what counts.

#[cfg(feature = "auth")]
mod refund;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The buckets of all clients.
#[derive(Debug)]
pub(super) struct Buckets {
    /// How long one token takes to come back.
    interval: Duration,
    /// How long an empty bucket takes to be full.
    depth: Duration,
    /// Several locks, so that the loops seldom wait for each other.
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    /// Of one map of one shard.
    most_entries: usize,
}

/// When the bucket of each client will be full again.
#[derive(Debug, Default)]
struct Shard {
    younger: HashMap<Client, Instant>,
    older: HashMap<Client, Instant>,
}

/// An IPv4 address, or the upper half of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    V4(u32),
    V6(u64),
}

const SHARDS: usize = 16;

/// A year. No server runs for longer, and an instant cannot be moved by any duration.
const LONGEST_PERIOD: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Buckets {
    /// Buckets of `tokens` tokens that are full again after `period`, of about `most_clients` clients.
    pub(super) fn new(tokens: u32, period: Duration, most_clients: usize) -> Self {
        let interval = (period.min(LONGEST_PERIOD) / tokens.max(1)).max(Duration::from_nanos(1));
        Self {
            interval,
            depth: interval * tokens,
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            most_entries: (most_clients / (2 * SHARDS)).max(1),
        }
    }

    /// Takes a token; if there is none, says how long it takes until there is one.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let client = Client::of(address);
        let mut shard = self.shard(client);
        let full_at = shard.full_at(client).max(Some(now)).unwrap_or(now);
        let wait = self.until_a_token(full_at, now);
        // Those who are refused are kept in mind, too: else insisting would help.
        let full_at = if wait.is_none() { full_at + self.interval } else { full_at };
        shard.keep(client, full_at, self.most_entries);
        wait.map_or(Ok(()), Err)
    }

    /// How long it takes until there is a token, if there is none.
    fn until_a_token(&self, full_at: Instant, now: Instant) -> Option<Duration> {
        (full_at + self.interval - now).checked_sub(self.depth).filter(|wait| !wait.is_zero())
    }

    /// A panic elsewhere leaves the table whole, so a poisoned lock is still good.
    fn shard(&self, client: Client) -> MutexGuard<'_, Shard> {
        let index = self.hasher.hash_one(client) % SHARDS as u64;
        self.shards[index as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn full_at(&self, client: Client) -> Option<Instant> {
        self.younger.get(&client).or_else(|| self.older.get(&client)).copied()
    }

    fn keep(&mut self, client: Client, full_at: Instant, most_entries: usize) {
        if self.younger.len() >= most_entries && !self.younger.contains_key(&client) {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(client, full_at);
    }
}

impl Client {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn tokens_come_back_one_by_one_and_never_more_than_there_were() {
        let (buckets, client, begin) = (Buckets::new(3, 3 * SECOND, 100), address("192.0.2.1"), Instant::now());
        let taken = |at: Duration| (0..5).take_while(|_| buckets.take(client, begin + at).is_ok()).count();
        assert_eq!(taken(Duration::ZERO), 3);
        assert_eq!(buckets.take(client, begin), Err(SECOND));
        assert_eq!(buckets.take(client, begin + SECOND / 4), Err(SECOND * 3 / 4), "a refusal costs nothing");
        assert_eq!(taken(SECOND), 1);
        assert_eq!(taken(3 * SECOND), 2);
        assert_eq!(taken(1000 * SECOND), 3);
    }

    #[test]
    fn an_ipv6_network_is_one_client_and_ipv4_addresses_are_many() {
        let (buckets, now) = (Buckets::new(1, SECOND, 100), Instant::now());
        assert!(buckets.take(address("2001:db8::1"), now).is_ok());
        assert!(buckets.take(address("2001:db8::ffff:2"), now).is_err(), "the same /64");
        assert!(buckets.take(address("2001:db8:0:1::1"), now).is_ok());
        assert!(buckets.take(address("192.0.2.1"), now).is_ok());
        assert!(buckets.take(address("192.0.2.2"), now).is_ok());
        assert!(buckets.take(address("::ffff:192.0.2.2"), now).is_err(), "an IPv4 client of an IPv6 socket");
    }

    #[test]
    fn the_table_is_bounded_and_keeps_those_who_come_often() {
        let (buckets, now) = (Buckets::new(2, 1000 * SECOND, 320), Instant::now());
        let often = address("192.0.2.1");
        assert!(buckets.take(often, now).is_ok());
        assert!(buckets.take(often, now).is_ok());
        for number in 0..10_000_u32 {
            let _ = buckets.take(IpAddr::V4(number.into()), now);
            assert!(buckets.take(often, now).is_err(), "{number}");
        }
        let entries = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap();
            shard.younger.len() + shard.older.len()
        };
        assert!(buckets.shards.iter().map(entries).sum::<usize>() <= 320);
    }

    #[test]
    fn no_setting_panics() {
        let now = Instant::now();
        for (tokens, period) in
            [(0, SECOND), (1, Duration::ZERO), (1, Duration::MAX), (u32::MAX, Duration::ZERO), (u32::MAX, SECOND)]
        {
            let _ = Buckets::new(tokens, period, 0).take(address("::1"), now);
        }
        assert!(Buckets::new(0, SECOND, 0).take(address("::1"), now).is_err(), "0 lets nobody in");
    }
}
