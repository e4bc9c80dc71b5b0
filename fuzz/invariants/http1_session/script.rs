//! What happens in a session, in order.

/// Something that the client, the server's surroundings or time does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Send(usize),
    SendLine,
    Take(usize),
    TakeAll,
    Reply,
    Piece,
    Seconds(u64),
    UntilDeadline,
    Finish,
    ShutDown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    Usual,
    Small,
}

#[derive(Debug)]
pub(super) struct Script {
    pub(super) events: Vec<Event>,
    pub(super) limits: Limits,
}

/// A longer script only costs time.
const MOST_EVENTS: usize = 200;

impl Script {
    pub(super) fn parse(line: &[u8]) -> Self {
        let mut events = Vec::new();
        for group in line.chunk_by(|one, other| amount(*one).is_some() && amount(*other).is_some()) {
            let amounts: Vec<usize> = group.iter().copied().filter_map(amount).collect();
            if !amounts.is_empty() {
                events.push(Event::Send(amounts.into_iter().sum()));
            }
            events.extend(group.iter().copied().filter_map(event));
        }
        events.truncate(MOST_EVENTS);
        Self { events, limits: if line.contains(&b's') { Limits::Small } else { Limits::Usual } }
    }

    /// Whether it matters when a byte comes, not only which.
    pub(super) fn is_about_time(&self) -> bool {
        use Event::{Finish, Seconds, ShutDown, UntilDeadline};
        self.events.iter().any(|event| matches!(event, Seconds(_) | UntilDeadline | Finish | ShutDown))
    }

    /// All bytes in one piece.
    pub(super) fn at_once(&self) -> Self {
        Self { events: Vec::new(), ..*self }
    }

    pub(super) fn byte_by_byte(&self, bytes: usize) -> Self {
        Self { events: vec![Event::Send(1); bytes], ..*self }
    }
}

/// How many bytes are sent: `XX3` is 23.
fn amount(byte: u8) -> Option<usize> {
    Some(match byte {
        b'1'..=b'9' => (byte - b'0').into(),
        b'X' => 10,
        b'C' => 100,
        b'M' => 1000,
        _ => return None,
    })
}

fn event(byte: u8) -> Option<Event> {
    Some(match byte {
        b'l' => Event::SendLine,
        b'w' => Event::Take(1),
        b'W' => Event::Take(100),
        b'o' => Event::TakeAll,
        b'r' => Event::Reply,
        b'p' => Event::Piece,
        b'.' => Event::Seconds(1),
        b':' => Event::Seconds(10),
        b'!' => Event::UntilDeadline,
        b'f' => Event::Finish,
        b'q' => Event::ShutDown,
        _ => return None,
    })
}
