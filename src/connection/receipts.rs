//! Who wants to know how much of an answer has been sent.
//!
//! ```text
//!   … sent already …│ head │ body ……………………│ head │ body …      what is queued
//!                          begin           end                  a receipt
//! ```
//!
//! A receipt is told when its last byte has been given to the system, or when the connection is over, whichever comes first.
//!
//! Pattern: Observer.

use std::collections::VecDeque;
use std::fmt;

use http::StatusCode;

use crate::message::{Fate, Sent};

/// The receipts of one connection, in the order of its answers. Places are bytes since the connection began.
#[derive(Default)]
pub(crate) struct Receipts {
    /// `None` where nobody has asked, as a rule.
    open: Option<VecDeque<Receipt>>,
}

struct Receipt {
    status: StatusCode,
    /// Where the body begins,
    begin: u64,
    /// and where it ends; `None` while it is still being made.
    end: Option<u64>,
    fate: Fate,
}

impl Receipts {
    /// A body begins here.
    pub(super) fn begin(&mut self, status: StatusCode, begin: u64, fate: Fate) {
        self.open.get_or_insert_default().push_back(Receipt { status, begin, end: None, fate });
    }

    /// The body that has begun last ends here.
    pub(super) fn end(&mut self, end: u64, sent: u64) {
        if let Some(last) = self.open.as_mut().and_then(VecDeque::back_mut) {
            last.end.get_or_insert(end);
            self.tell(sent);
        }
    }

    /// So many bytes of the connection have been sent.
    pub(super) fn tell(&mut self, sent: u64) {
        let Some(open) = &mut self.open else { return };
        while let Some(receipt) = open.pop_front_if(|receipt| receipt.end.is_some_and(|end| end <= sent)) {
            receipt.tell(sent);
        }
    }

    /// No more will be sent.
    pub(super) fn close(&mut self, sent: u64) {
        self.open.take().into_iter().flatten().for_each(|receipt| receipt.tell(sent));
    }

    /// Gives the memory back where nobody waits for news.
    pub(super) fn release(&mut self) {
        self.open.take_if(|open| open.is_empty());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.as_ref().is_none_or(VecDeque::is_empty)
    }
}

impl Receipt {
    fn tell(self, sent: u64) {
        let body_bytes = sent.min(self.end.unwrap_or(sent)).saturating_sub(self.begin);
        self.fate.tell(Sent { status: self.status, body_bytes });
    }
}

impl fmt::Debug for Receipts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} receipts", self.open.as_ref().map_or(0, VecDeque::len))
    }
}
