//! Who is served at once, and who is told to come back: decided by a request's head, before its body is read.
//!
//! Each volume has three gates, for [metadata, small and bulk work](Work), with a [limit](limit) that learns, and each
//! [gate] shares what there is among members. Decision 0023 says why so.

pub(crate) mod gate;
mod lag;
pub(crate) mod limit;
pub(crate) mod work;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use api::bytes::Bytes;
use api::ids::{MemberUid, SpaceId, VolumeName};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use jiff::Timestamp;
use serve::Peer;
use tokio::sync::Semaphore;

use self::gate::{Closed, Gate, Slot};
pub(crate) use self::gate::{Refused, Standing};
use self::lag::Lag;
use self::limit::Bounds;
pub(crate) use self::work::{Asked, Protocol};
use crate::app::App;
use crate::auth::Identity;
use crate::error::Error;
use crate::load::Work;
use crate::observe::exchange::{Exchange, Who};

/// A member who has too much under way waits so long before being told so: mostly there is room by then.
const PAUSE: Duration = Duration::from_millis(100);
/// And so long where all wait for their turn: whoever asks again at once, a thousand times, shall cost little.
const LONG_PAUSE: Duration = Duration::from_secs(1);
/// So many wait so at once; they have nothing but the head of a request.
const WAITING: usize = 4096;
/// About what a transfer takes in memory.
const TRANSFER: u64 = 1 << 20;
/// So many transfers at once are worth having, where there is memory.
const TRANSFERS: u64 = 512;

/// The gates of all volumes.
#[derive(Debug)]
pub struct Admission {
    volumes: RwLock<HashMap<VolumeName, Arc<Gates>>>,
    /// The most large transfers at once.
    transfers: u32,
    waiting: Semaphore,
    lag: Lag,
}

impl Default for Admission {
    fn default() -> Self {
        Self::within(Bytes(TRANSFERS * TRANSFER))
    }
}

#[derive(Debug)]
struct Gates {
    metadata: Arc<Gate>,
    small: Arc<Gate>,
    bulk: Arc<Gate>,
}

impl Gates {
    fn new(transfers: u32) -> Self {
        let (read_slack, write_slack) = (Duration::from_millis(5), Duration::from_millis(25));
        let short = Bounds { least: 32, first: 256, most: 2048, read_slack, write_slack };
        // How long it takes says less here: it depends on how much there is. Memory is what must not run out.
        let (read_slack, write_slack) = (Duration::from_millis(100), Duration::from_secs(1));
        let long =
            Bounds { least: transfers / 2, first: transfers, most: transfers, read_slack, write_slack };
        let gate = |bounds| Arc::new(Gate::new(bounds));
        Self { metadata: gate(short), small: gate(short), bulk: gate(long) }
    }

    fn of(&self, work: Work) -> &Arc<Gate> {
        match work {
            Work::Metadata => &self.metadata,
            Work::Small => &self.small,
            Work::Bulk => &self.bulk,
        }
    }
}

impl Admission {
    /// With so much memory for transfers under way.
    pub fn within(memory: Bytes) -> Self {
        let transfers = (memory.0 / TRANSFER).clamp(32, TRANSFERS);
        Self {
            volumes: RwLock::default(),
            transfers: u32::try_from(transfers).unwrap_or(u32::MAX),
            waiting: Semaphore::new(WAITING),
            lag: Lag::default(),
        }
    }

    fn gates(&self, volume: &VolumeName) -> Arc<Gates> {
        if let Some(gates) = self.volumes.read().unwrap_or_else(PoisonError::into_inner).get(volume) {
            return Arc::clone(gates);
        }
        let mut volumes = self.volumes.write().unwrap_or_else(PoisonError::into_inner);
        let gates = volumes.entry(volume.clone()).or_insert_with(|| Arc::new(Gates::new(self.transfers)));
        Arc::clone(gates)
    }

    /// Finds out how long requests wait for their turn; runs until dropped.
    pub(crate) async fn feel_lag(&self) {
        self.lag.feel().await;
    }

    /// How the gates of a volume stand.
    pub(crate) fn standing(&self, volume: &VolumeName) -> [(Work, Standing); 3] {
        let gates = self.gates(volume);
        Work::ALL.map(|work| (work, gates.of(work).standing()))
    }

    fn pause(&self) -> Duration {
        if self.lag.now().is_zero() {
            return PAUSE;
        }
        // Those who came together shall not come back together.
        let part = Timestamp::now().subsec_nanosecond().unsigned_abs() % 1_000_000;
        LONG_PAUSE / 2 + LONG_PAUSE * part / 1_000_000
    }

    /// Lets a request in, after a [`PAUSE`] if its member has too much under way.
    async fn slot(
        &self,
        gate: &Arc<Gate>,
        member: MemberUid,
        peer: Option<SocketAddr>,
    ) -> Result<Slot, Error> {
        let mut entered = gate.enter(member, peer);
        if matches!(entered, Err(Closed::ToMember))
            && let Ok(_waiting) = self.waiting.try_acquire()
        {
            tokio::time::sleep(self.pause()).await;
            entered = gate.enter(member, peer);
        }
        entered.map_err(|closed| refused(gate, closed))
    }
}

fn refused(gate: &Gate, closed: Closed) -> Error {
    gate.refused(closed);
    match closed {
        Closed::ToMember => Error::TooManyAtOnce,
        Closed::ToAll => Error::Overloaded,
    }
}

/// A request that was let in.
pub(crate) struct Turn {
    slot: Slot,
    gates: Arc<Gates>,
    member: MemberUid,
    asked: Asked,
    exchange: Arc<Exchange>,
    lag: Duration,
}

/// Lets a request in that is about a space; `None` when there is no such space, which the handler says.
///
/// # Errors
/// When there is too much under way, of this member or of all.
pub(crate) async fn enter(
    app: &App,
    head: &Parts,
    identity: &Identity,
    space: SpaceId,
) -> Result<Option<Turn>, Error> {
    let exchange = head.extensions.get::<Arc<Exchange>>().cloned().unwrap_or_default();
    let member = identity.member();
    exchange.is_of(Who { member, via: identity.via(), space });
    let gates = match app.roster.current().space_owner(space) {
        Some(owner) => app.admission.gates(owner.volume()),
        None => return Ok(None),
    };
    let asked = Asked::of(head);
    let peer = head.extensions.get::<Peer>().map(|Peer(address)| *address);
    let slot = app.admission.slot(gates.of(asked.work), member, peer).await?;
    Ok(Some(Turn { slot, gates, member, asked, exchange, lag: app.admission.lag.now() }))
}

impl Turn {
    /// The same answer, which keeps its place until its last byte is handed over. A file that turns out to be large needs
    /// one among the large transfers.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn answer(self, response: Response) -> Result<Response, Error> {
        let Self { mut slot, gates, member, asked, exchange, lag } = self;
        let status = response.status();
        // What is refused takes no time that says anything; what storage gave up, does.
        if status.as_u16() < 400 || status == StatusCode::SERVICE_UNAVAILABLE {
            slot.took(asked.way, exchange.since_heard(), lag);
        }
        if asked.work == Work::Small && asked.answered_by(&response).work == Work::Bulk {
            slot = gates.bulk.enter(member, None).map_err(|closed| refused(&gates.bulk, closed))?;
        }
        Ok(response.map(|body| serve::hold(body, slot)))
    }
}

/// Lets requests under `/v1/spaces/{space}/` in, once it is known who asks.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Result<Response, Error> {
    let (head, body) = request.into_parts();
    let space = head.uri.path().split('/').nth(3).and_then(|text| text.parse().ok());
    let turn = match (head.extensions.get::<Identity>(), space) {
        (Some(identity), Some(space)) => enter(&app, &head, identity, space).await?,
        // Refused before it costs anything.
        _ => None,
    };
    let response = next.run(Request::from_parts(head, body)).await;
    match turn {
        Some(turn) => turn.answer(response),
        None => Ok(response),
    }
}
