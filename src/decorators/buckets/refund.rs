//! A token that was taken on suspicion comes back.

use std::net::IpAddr;

use super::{Buckets, Client};

impl Buckets {
    /// Undoes one [`Buckets::take`].
    pub(in crate::decorators) fn give_back(&self, address: IpAddr) {
        let client = Client::of(address);
        let mut shard = self.shard(client);
        if let Some(full_at) = shard.full_at(client).and_then(|full_at| full_at.checked_sub(self.interval)) {
            shard.keep(client, full_at, self.most_entries);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_came_back_can_be_taken_again_and_no_more() {
        let (buckets, now) = (Buckets::new(2, Duration::from_secs(60), 100), Instant::now());
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        buckets.give_back(client);
        assert_eq!([(); 3].map(|()| buckets.take(client, now).is_ok()), [true, true, false]);
        buckets.give_back(client);
        assert_eq!([(); 2].map(|()| buckets.take(client, now).is_ok()), [true, false]);
    }
}
