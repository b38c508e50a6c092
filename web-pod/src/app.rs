//! What all handlers share.

use std::sync::Arc;

use api::ids::ClusterUid;
use roster::credentials::CredentialStore;

use crate::app_passwords::AppPasswordSecrets;
use crate::disks::View;
use crate::keys::Keys;
use crate::links::Links;
use crate::metrics::WebMetrics;
use crate::oidc::{NewMembers, Oidc};
use crate::self_service::SelfService;
use crate::sign_in::SignIn;

/// The parts of a web pod; clones share them.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

/// What a web pod is made of.
#[derive(Debug)]
pub struct Parts {
    /// The DiskCluster it serves.
    pub cluster: ClusterUid,
    /// Who the members are.
    pub roster: roster::Store,
    /// What their passwords are checked against.
    pub credentials: CredentialStore,
    /// What it signs with.
    pub keys: Keys,
    /// Checks passwords.
    pub sign_in: SignIn,
    /// Signs in by OpenID providers.
    pub oidc: Oidc,
    /// Makes Members; absent where no Kubernetes API is.
    pub new_members: Option<NewMembers>,
    /// How the disk pods are.
    pub disks: View,
    /// Asks disk pods about share links.
    pub links: Links,
    /// Changes Members and Groups; absent where no Kubernetes API is.
    pub self_service: Option<SelfService>,
    /// Where app passwords are written; absent where no Kubernetes API is.
    pub app_passwords: Option<AppPasswordSecrets>,
    /// What is counted.
    pub metrics: WebMetrics,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
