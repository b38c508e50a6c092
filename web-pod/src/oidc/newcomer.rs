//! Members made on their first sign-in. The Kubernetes API holds web pods to what the DiskCluster says: state and
//! quota are what it says there, or nothing is made.

use std::time::Duration;

use api::bytes::Bytes;
use api::kubernetes::member::{Identity, Member, MemberSpec, MemberState};
use api::kubernetes::reference::ClusterReference;
use api::problem::ProblemCode;
use kube::api::PostParams;
use kube::{Api, Client};
use roster::{Newcomers, Provider, identity_version};
use serve::problem::Refusal;

use super::id_token::Claims;
use crate::app::App;
use crate::config::Watched;
use crate::self_service::{FIELD_MANAGER, denied, in_time};

const LONGEST_NAME: usize = 40;
const LONGEST_DISPLAY_NAME: usize = 128;
const LONGEST_EMAIL: usize = 254;
/// From a Member to the roster it takes the operator a moment.
const PATIENCE: Duration = Duration::from_secs(8);

/// Makes Members.
#[derive(Clone, Debug)]
pub struct NewMembers {
    members: Api<Member>,
    cluster: String,
}

impl NewMembers {
    /// Makes those of this DiskCluster.
    pub fn new(client: Client, watched: &Watched) -> Self {
        Self { members: Api::namespaced(client, &watched.namespace), cluster: watched.cluster.clone() }
    }

    /// Makes the Member of somebody who is known to a provider. Who comes twice at once, by two web pods, is made once:
    /// the name follows from who it is.
    pub(super) async fn make(
        &self,
        provider: &Provider,
        quota: Bytes,
        subject: &str,
        claims: &Claims,
    ) -> Result<(), Refusal> {
        let text = |claim: &str, most: usize| {
            let text = claims.text(claim).ok()?.trim();
            (!text.is_empty() && !text.chars().any(char::is_control))
                .then(|| text.chars().take(most).collect::<String>())
        };
        let display_name = text(&provider.display_name_claim, LONGEST_DISPLAY_NAME);
        let email = text(&provider.email_claim, LONGEST_EMAIL).filter(|email| email.contains('@'));
        let spoken = claims.text("preferred_username").ok().or(email.as_deref()).or(display_name.as_deref());
        let name = name(spoken.unwrap_or_default(), &provider.name, subject);
        let spec = MemberSpec {
            cluster_ref: ClusterReference { name: self.cluster.clone() },
            quota: quota.into(),
            allocations: Vec::new(),
            state: match provider.newcomers {
                Newcomers::Create => MemberState::Active,
                Newcomers::Approval | Newcomers::Refuse => MemberState::Pending,
            },
            display_name,
            email,
            password_secret_ref: None,
            identities: vec![Identity { provider: provider.name.clone(), subject: subject.to_owned() }],
            deletion_policy: Default::default(),
            space_id: None,
        };
        let member = Member::new(&name, spec);
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let made = in_time(async {
            match self.members.create(&params, &member).await {
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
                Err(error) => Err(denied(&error)),
                Ok(_) => Ok(()),
            }
        });
        made.await
    }
}

/// A name that a Member can have, and that no other identity gets.
fn name(spoken: &str, provider: &str, subject: &str) -> String {
    let spoken = spoken.split('@').next().unwrap_or_default().to_lowercase();
    let mut name = String::new();
    for one in spoken.chars() {
        match one {
            'a'..='z' | '0'..='9' => name.push(one),
            _ if name.ends_with('-') || name.is_empty() => {}
            _ => name.push('-'),
        }
        if name.len() == LONGEST_NAME {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    let name = if name.is_empty() { "member" } else { name };
    format!("{name}-{:08x}", identity_version(provider, subject) >> 32)
}

/// Waits until the roster names somebody who was just made.
pub(super) async fn known(app: &App, provider: &str, subject: &str) -> Result<(), Refusal> {
    let mut changed = app.roster.changed();
    let named = async {
        while app.roster.current().member_by_identity(provider, subject).is_none() {
            if changed.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, named).await.map_err(|_| {
        Refusal::new(ProblemCode::ControlPlaneAway, "your disk is being made: sign in again in a minute")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_one_is_called_the_name_is_possible_and_ones_own() {
        for (spoken, begins) in [
            ("alice@example.org", "alice-"),
            ("Alice B. Cooper", "alice-b-cooper-"),
            ("홍길동", "member-"),
            ("", "member-"),
            ("--x--", "x-"),
            ("../../etc", "etc-"),
        ] {
            let name = name(spoken, "corp", "u1");
            assert!(name.starts_with(begins), "{name}");
            name.parse::<api::ids::MemberName>().unwrap();
        }
        assert_eq!(name("a", "corp", "u1"), name("a", "corp", "u1"));
        assert_ne!(name("a", "corp", "u1"), name("a", "corp", "u2"));
        assert!(name(&"x".repeat(500), "corp", "u1").len() <= 63);
    }
}
