//! Clients of whom we hear when they have said something (Linux).

use nix::sys::socket::setsockopt;
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};
use socket2::Socket;

/// How long the system waits for a client's first bytes before it hands the client over without them.
const SECONDS: u32 = 1;

sockopt_impl!(DeferAccept, Both, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, u32);

/// A new client and its first request become one event, where they would be two that often come a few microseconds apart.
/// Who says nothing comes a little later. It is a wish: where it is not granted, all goes on as without it. The macro that
/// makes the option is nix's, and so is what is unsafe in it.
pub(super) fn defer_accept(socket: &Socket) {
    if let Err(error) = setsockopt(socket, DeferAccept, &SECONDS) {
        log::debug!("clients come before their first bytes: TCP_DEFER_ACCEPT: {error}");
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::getsockopt;
    use socket2::{Domain, Type};

    use super::*;

    #[test]
    fn the_system_takes_the_wish() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        assert_eq!(getsockopt(&socket, DeferAccept).unwrap(), 0);
        defer_accept(&socket);
        assert_eq!(getsockopt(&socket, DeferAccept).unwrap(), SECONDS);
    }

    /// Caught: a server that does not start where the system does not know the option.
    #[test]
    fn a_wish_that_is_not_granted_is_no_error() {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        assert!(setsockopt(&socket, DeferAccept, &SECONDS).is_err());
        defer_accept(&socket);
    }
}
