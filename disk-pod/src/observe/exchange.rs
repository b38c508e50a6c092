//! One request and its answer, as it is seen from outside: when the last of the request was heard, how many bytes went which
//! way, and who asked.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use api::ids::{MemberUid, SpaceId};
use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use crate::auth::Via;

/// What is known of an exchange while it lasts.
#[derive(Debug)]
pub(crate) struct Exchange {
    begun: Instant,
    /// Microseconds after it.
    heard: AtomicU64,
    received: AtomicU64,
    who: OnceLock<Who>,
}

/// Who asks, and about which space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) member: MemberUid,
    pub(crate) via: Via,
    pub(crate) space: SpaceId,
}

impl Default for Exchange {
    fn default() -> Self {
        let (heard, received) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { begun: Instant::now(), heard, received, who: OnceLock::new() }
    }
}

impl Exchange {
    /// Since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Since the last byte of the request's body, or since the beginning when it has none: what is before that is the time
    /// of the client.
    pub(crate) fn since_heard(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_micros(self.heard.load(Ordering::Relaxed)))
    }

    /// Bytes of the request's body.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// It is known now who asks.
    pub(crate) fn is_of(&self, who: Who) {
        // The first that is known is the one.
        let _ = self.who.set(who);
    }

    /// Who asked, when that was ever known.
    pub(crate) fn who(&self) -> Option<Who> {
        self.who.get().copied()
    }

    /// The body of the request, which tells what came of it.
    pub(crate) fn listen(self: &Arc<Self>, body: Body) -> Body {
        if body.is_end_stream() { body } else { Body::new(Listening { body, exchange: Arc::clone(self) }) }
    }
}

struct Listening {
    body: Body,
    exchange: Arc<Exchange>,
}

impl HttpBody for Listening {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = &polled {
            let micros = u64::try_from(self.exchange.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.exchange.heard.store(micros, Ordering::Relaxed);
            if let Some(Ok(frame)) = frame
                && let Some(data) = frame.data_ref()
            {
                self.exchange.received.fetch_add(data.len() as u64, Ordering::Relaxed);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
