//! The access log: one line for each request of members, when its answer is over. It has no name of a file.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use api::ids::{MemberUid, SpaceId};
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use jiff::Timestamp;
use serde::Serialize;
use serve::Peer;
use serve::metrics::known_method;

use super::Observed;
use super::exchange::{Exchange, Who};
use crate::admission::Asked;
use crate::app::App;
use crate::auth::Via;
use crate::load::Running;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    protocol: &'static str,
    work: &'static str,
    method: &'static str,
    route: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberUid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<Via>,
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<SpaceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<IpAddr>,
    bytes_in: u64,
    bytes_out: u64,
    server_micros: u64,
    total_micros: u64,
    complete: bool,
}

/// What a line has that is known when the request comes; nothing is kept when no line is written.
struct Head {
    request_id: Option<String>,
    method: &'static str,
    route: String,
    peer: Option<IpAddr>,
}

impl Head {
    fn of(request: &Request) -> Self {
        let extensions = request.extensions();
        Self {
            request_id: serve::current_request_id(),
            method: known_method(request.method()),
            route: extensions.get::<MatchedPath>().map_or_else(String::new, |path| path.as_str().to_owned()),
            peer: extensions.get::<Peer>().map(|Peer(address)| address.ip()),
        }
    }
}

/// Sees each request of members from its head to the last byte of its answer: it counts as under way so long.
pub(crate) async fn see(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let running = app.load.request();
    let exchange = Arc::new(Exchange::default());
    let asked = Asked::of_request(&request);
    let head = app.observed.access().is_on().then(|| Head::of(&request));
    request.extensions_mut().insert(Arc::clone(&exchange));
    let request = request.map(|body| exchange.listen(body));
    let response = next.run(request).await;
    let asked = asked.answered_by(&response);
    let (status, server) = (response.status().as_u16(), exchange.since_heard());
    app.observed.answered(asked, status, server);
    let server_micros = u64::try_from(server.as_micros()).unwrap_or(u64::MAX);
    let seen = Seen { observed: app.observed.clone(), exchange, asked, head, status, server_micros, sent: 0 };
    response.map(|body| {
        let complete = body.is_end_stream();
        Body::new(Watched { body, complete, seen, _running: running })
    })
}

struct Seen {
    observed: Observed,
    exchange: Arc<Exchange>,
    asked: Asked,
    head: Option<Head>,
    status: u16,
    server_micros: u64,
    sent: u64,
}

impl Seen {
    fn is_over(&self, complete: bool) {
        let Self { observed, exchange, asked, head, status, server_micros, sent } = self;
        observed.moved(asked.protocol, exchange.received(), *sent);
        let Some(Head { request_id, method, route, peer }) = head else { return };
        let who = exchange.who();
        observed.access().write(&Line {
            time: Timestamp::now(),
            request_id: request_id.as_deref(),
            protocol: asked.protocol.as_str(),
            work: asked.work.as_str(),
            method,
            route,
            status: *status,
            member: who.map(|Who { member, .. }| member),
            via: who.map(|Who { via, .. }| via),
            space: who.map(|Who { space, .. }| space),
            peer: *peer,
            bytes_in: exchange.received(),
            bytes_out: *sent,
            server_micros: *server_micros,
            total_micros: u64::try_from(exchange.elapsed().as_micros()).unwrap_or(u64::MAX),
            complete,
        });
    }
}

/// An answer on its way.
struct Watched {
    body: Body,
    /// Whether its last byte was handed over.
    complete: bool,
    seen: Seen,
    _running: Running,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.seen.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.complete = self.body.is_end_stream();
            }
            Poll::Ready(Some(Err(_))) => self.complete = false,
            Poll::Ready(None) => self.complete = true,
            Poll::Pending => {}
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

impl Drop for Watched {
    fn drop(&mut self) {
        self.seen.is_over(self.complete);
    }
}
