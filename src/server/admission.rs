//! Who may come in: so many clients at once, and so many from one address.
//!
//! The first loop admits, every loop says when one of its clients has left. Clients of this computer (a proxy, as a rule)
//! count towards the whole but have no limit of their own.

#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(not(target_os = "linux"))]
#[path = "admission/no_descriptors.rs"]
mod descriptors;

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// One per server.
#[derive(Debug)]
pub(crate) struct Admission {
    most: usize,
    most_per_address: usize,
    present: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

/// Why a client was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overload {
    Server { limit: usize },
    Address { limit: usize },
}

impl fmt::Display for Overload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server { limit } => write!(f, "there are {limit} clients already (max_connections)"),
            Self::Address { limit } => {
                write!(f, "there are {limit} clients from this address already (max_connections_per_address)")
            }
        }
    }
}

impl Admission {
    pub(crate) fn new(most: usize, most_per_address: usize) -> Self {
        descriptors::make_room(most);
        Self { most, most_per_address, present: AtomicUsize::new(0), by_address: Mutex::default() }
    }

    /// Lets a client in; it must [`Self::leave`] in the end.
    pub(crate) fn admit(&self, peer: SocketAddr) -> Result<(), Overload> {
        if self.present.load(Ordering::Relaxed) >= self.most {
            return Err(Overload::Server { limit: self.most });
        }
        if let Some(origin) = origin(peer) {
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let present = by_address.entry(origin).or_insert(0);
            if *present >= self.most_per_address {
                return Err(Overload::Address { limit: self.most_per_address });
            }
            *present += 1;
        }
        self.present.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn leave(&self, peer: SocketAddr) {
        self.present.fetch_sub(1, Ordering::Relaxed);
        if let Some(origin) = origin(peer) {
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(present) = by_address.get_mut(&origin) {
                *present -= 1;
                if *present == 0 {
                    by_address.remove(&origin);
                }
            }
        }
    }
}

/// What counts as one address; `None` where there is no limit. One IPv6 host has a whole /64 to itself.
fn origin(peer: SocketAddr) -> Option<IpAddr> {
    match peer.ip() {
        ip if ip.is_loopback() || ip.is_unspecified() => None,
        IpAddr::V4(ip) => Some(ip.into()),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(ip: &str) -> SocketAddr {
        SocketAddr::new(ip.parse().unwrap(), 1234)
    }

    #[test]
    fn each_address_has_its_limit_and_all_have_one() {
        let admission = Admission::new(4, 2);
        assert_eq!(admission.admit(peer("192.0.2.1")), Ok(()));
        assert_eq!(admission.admit(peer("192.0.2.1")), Ok(()));
        assert_eq!(admission.admit(peer("192.0.2.1")), Err(Overload::Address { limit: 2 }));
        assert_eq!(admission.admit(peer("192.0.2.2")), Ok(()));
        assert_eq!(admission.admit(peer("127.0.0.1")), Ok(()));
        assert_eq!(admission.admit(peer("192.0.2.3")), Err(Overload::Server { limit: 4 }));
        admission.leave(peer("192.0.2.1"));
        assert_eq!(admission.admit(peer("192.0.2.1")), Ok(()), "one has left");
    }

    #[test]
    fn an_ipv6_host_is_one_address_however_many_it_has() {
        let admission = Admission::new(9, 1);
        assert_eq!(admission.admit(peer("2001:db8::1")), Ok(()));
        assert_eq!(admission.admit(peer("2001:db8::2")), Err(Overload::Address { limit: 1 }));
        assert_eq!(admission.admit(peer("2001:db8:0:1::1")), Ok(()));
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let admission = Admission::new(9, 9);
        for number in 0..100 {
            let peer = peer(&format!("198.51.100.{number}"));
            admission.admit(peer).unwrap();
            admission.leave(peer);
        }
        assert!(admission.by_address.lock().unwrap().is_empty());
    }
}
