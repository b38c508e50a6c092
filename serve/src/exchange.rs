//! How far a connection is in what is said on it: at rest, in the line of a request, or behind that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use axum::body::Body;

use crate::held::hold;

/// Nothing of the next request was read.
const BETWEEN: u8 = 0;
/// Some of its first line was read.
const LINE: u8 = 1;
/// All of that line was read, and perhaps more.
const BEHIND: u8 = 2;

/// How far a connection is; clones speak of the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    reading: AtomicU8,
    answered: AtomicU64,
    /// Whether the client has not taken all yet that there is for it.
    unsent: AtomicBool,
}

impl Exchange {
    /// Whether what is read next belongs to the line that begins a request.
    pub(crate) fn is_before_end_of_line(&self) -> bool {
        self.0.reading.load(Ordering::Acquire) != BEHIND
    }

    /// Some of such a line was read, and perhaps its end.
    pub(crate) fn line_read(&self, ends: bool) {
        self.0.reading.store(if ends { BEHIND } else { LINE }, Ordering::Release);
    }

    /// A whole head is there: what is read from now on is not of a line, even if the head came with another request.
    pub(crate) fn begun(&self) {
        self.0.reading.store(BEHIND, Ordering::Release);
    }

    /// The body of an answer, behind which the next request begins.
    pub(crate) fn behind(&self, body: Body) -> Body {
        hold(body, Answered(self.clone()))
    }

    /// Whether a write waits for the client.
    pub(crate) fn writes(&self, waits: bool) {
        self.0.unsent.store(waits, Ordering::Release);
    }

    /// How many requests were answered, if nothing is under way.
    pub(crate) fn at_rest(&self) -> Option<u64> {
        let rests =
            self.0.reading.load(Ordering::Acquire) == BETWEEN && !self.0.unsent.load(Ordering::Acquire);
        rests.then(|| self.answered())
    }

    /// How many requests were answered.
    pub(crate) fn answered(&self) -> u64 {
        self.0.answered.load(Ordering::Acquire)
    }
}

/// Held by the body of an answer: when it is dropped, all of the request was read by whoever answered it.
struct Answered(Exchange);

impl Drop for Answered {
    fn drop(&mut self) {
        let Self(Exchange(inner)) = self;
        inner.answered.fetch_add(1, Ordering::AcqRel);
        inner.reading.store(BETWEEN, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_rests_between_requests_alone() {
        let exchange = Exchange::default();
        assert_eq!(exchange.at_rest(), Some(0));
        exchange.line_read(false);
        assert_eq!((exchange.at_rest(), exchange.is_before_end_of_line()), (None, true));
        exchange.begun();
        assert_eq!((exchange.at_rest(), exchange.is_before_end_of_line()), (None, false));
        let body = exchange.behind(Body::empty());
        assert_eq!(exchange.at_rest(), None);
        exchange.writes(true);
        drop(body);
        assert_eq!((exchange.at_rest(), exchange.answered()), (None, 1));
        exchange.writes(false);
        assert_eq!(exchange.at_rest(), Some(1));
    }
}
