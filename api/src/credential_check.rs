//! How a disk pod asks a web pod whose name and password these are: `POST /v1/credentials` on the private port of web
//! pods. Disk pods hold no verifier of any password.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::generation::RosterGeneration;
use crate::ids::{ClusterUid, MemberUid, SpaceId};
use crate::ticket::Access;

/// What is asked; the call is authorised for [`crate::keys::purpose::CREDENTIAL_CHECK`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialCheck {
    /// Of this question alone: the answer repeats it.
    pub nonce: Uuid,
    /// The name, as the client gave it.
    pub name: String,
    /// The password, as the client gave it.
    pub password: String,
    /// Where the client is, so that guessing is slowed down there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Credentials older than this are not good enough: the disk pod knows that they have changed.
    pub at_least: RosterGeneration,
}

impl fmt::Debug for CredentialCheck {
    /// Without name and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialCheck").field("nonce", &self.nonce).finish_non_exhaustive()
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialAnswer {
    /// [`Checked`], signed with a ticket key for [`crate::keys::purpose::CREDENTIAL_ANSWER`].
    pub token: String,
}

/// What a web pod found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checked {
    /// Which internet disk.
    pub cluster: ClusterUid,
    /// Of the question.
    pub nonce: Uuid,
    /// The generation of the credentials that were looked at.
    pub generation: RosterGeneration,
    /// What came of it.
    pub outcome: CheckOutcome,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CheckOutcome {
    /// They are a member's.
    Right(Right),
    /// They are nobody's.
    Wrong,
    /// Nothing was looked at: too many attempts failed.
    Limited {
        /// Seconds to wait before the next one.
        wait_seconds: u32,
    },
}

/// Whose they are, and what they are good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Right {
    /// Whose.
    pub member: MemberUid,
    /// What the password is.
    pub kind: CredentialKind,
    /// The most that may be done with it.
    pub access: Access,
    /// The only place where it is good, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<CredentialScope>,
    /// It may be believed for so long without asking again.
    pub remember_seconds: u32,
}

/// What a password is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CredentialKind {
    /// The member's own.
    Password,
    /// One that the member made for a program.
    AppPassword {
        /// Which.
        id: Uuid,
    },
}

/// A space, or a directory in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialScope {
    /// The space.
    pub space: SpaceId,
    /// The path at or below which everything must lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}
