//! What every request of this pod shares.

use std::sync::Arc;
use std::time::Duration;

use api::ids::{ClusterUid, PodName, VolumeName};
use api::keys::Trust;
use jiff::Timestamp;
use roster::Roster;
use serve::Shutdown;

use crate::admission::Admission;
use crate::auth::{Grant, Passwords, Tickets};
use crate::error::Error;
use crate::http::cors::origin_of;
use crate::load::Load;
use crate::observe::Observed;
use crate::observe::audit::Opened;

/// A volume whose canary gave no sign for so long is not waited for: a request is better off with an answer.
pub const STALLED_AFTER: Duration = Duration::from_secs(3);

/// The pod's parts; clones share them.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// The DiskCluster.
    pub cluster: ClusterUid,
    /// This pod.
    pub pod: PodName,
    /// When it started.
    pub started: Timestamp,
    /// The engine over the volumes.
    pub engine: spaces::Local,
    /// The volumes it was given.
    pub volumes: Vec<VolumeName>,
    /// Who the members are.
    pub roster: roster::Store,
    /// Whose names and passwords are.
    pub passwords: Passwords,
    /// Tickets that were verified.
    pub tickets: Tickets,
    /// The operator's keys, for the private port.
    pub operator: Trust,
    /// Who is served at once.
    pub admission: Admission,
    /// What the pod is busy with.
    pub load: Load,
    /// What is seen of it from outside.
    pub observed: Observed,
    /// The end of the pod.
    pub shutdown: Shutdown,
    /// How long a client may be silent in the middle of a body.
    pub silence: Duration,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The keys whose tickets count at this moment.
    pub(crate) fn ticket_keys(&self, roster: &Roster) -> Trust {
        let now = Timestamp::now();
        let keys = roster.settings().ticket_keys.iter();
        keys.filter(|key| key.not_after.is_none_or(|until| now < until)).map(|key| key.key.clone()).collect()
    }

    /// The origin of the web UI, as browsers write it.
    pub(crate) fn web_origin(&self) -> Option<String> {
        self.roster.current().settings().web_url.as_deref().and_then(origin_of)
    }

    /// The space of a grant.
    pub(crate) fn space(&self, grant: &Grant) -> Opened {
        let space = self.engine.space(grant.space, grant.volume.clone());
        Opened::new(space, grant.clone(), self.observed.clone())
    }

    /// Whether a volume gave a sign of life lately.
    ///
    /// # Errors
    /// When it did not: asking it would only wait.
    pub fn answers(&self, volume: &VolumeName) -> Result<(), Error> {
        match self.engine.health(volume).canary_age {
            Some(age) if age < STALLED_AFTER => Ok(()),
            _ => Err(Error::Stalled(volume.clone())),
        }
    }
}
