//! A ticket: a web pod's word that a member may use one space at any disk pod for a short while.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{ClusterUid, MemberName, MemberUid, SpaceId};
use crate::keys::{self, KeyError, SigningKey, Trust, purpose};
use crate::link::LinkAccess;

/// How far the clocks of two pods may differ.
pub const CLOCK_LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// What a ticket allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    ReadWrite,
}

/// The claims of a ticket. What it allows is bounded by the role the member has when it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ticket {
    /// Which internet disk it is for.
    pub cluster: ClusterUid,
    /// Whose it is.
    pub member: MemberUid,
    /// The member's name when it was issued; for logs.
    pub name: MemberName,
    /// The one space it opens.
    pub space: SpaceId,
    /// What may be done there.
    pub access: Access,
    /// Only what lies at or below this path, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// It is of somebody who came by a share link of the member: only what the link allows, and only while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Until when.
    pub expires: Timestamp,
    /// Names the ticket; for logs.
    pub id: Uuid,
}

/// The share link that a ticket was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Link {
    /// Names the share in the log of the space.
    pub share: Uuid,
    /// The file or directory that is shared: what has taken its name since is not.
    pub node: u64,
    /// What may be done.
    pub access: LinkAccess,
}

/// Why a ticket is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// It is no ticket.
    #[error("this is not a ticket")]
    Malformed,
    /// Its key is not trusted, or no longer.
    #[error("the ticket was signed by a key that is not trusted here")]
    UnknownKey,
    /// It was changed, or is a token of another kind.
    #[error("the signature of the ticket is wrong")]
    BadSignature,
    /// Its time is over: get a new one.
    #[error("the ticket has expired")]
    Expired,
    /// It is for another internet disk.
    #[error("the ticket is for another internet disk")]
    WrongCluster,
}

impl From<KeyError> for TicketError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::UnknownKey => Self::UnknownKey,
            KeyError::BadSignature => Self::BadSignature,
            KeyError::NotAKey | KeyError::Signing | KeyError::Malformed => Self::Malformed,
        }
    }
}

impl Ticket {
    /// The token.
    ///
    /// # Errors
    /// Never in practice: the claims are plain JSON.
    pub fn issue(&self, key: &SigningKey) -> Result<String, KeyError> {
        keys::sign(key, purpose::TICKET, self)
    }

    /// The claims of a token that is good here and now.
    ///
    /// # Errors
    /// Says why it is not.
    pub fn verify(
        token: &str,
        trust: &Trust,
        cluster: ClusterUid,
        now: Timestamp,
    ) -> Result<Self, TicketError> {
        let ticket: Self = keys::verify(token, purpose::TICKET, trust)?;
        if ticket.cluster != cluster {
            return Err(TicketError::WrongCluster);
        }
        ticket.check_time(now)?;
        Ok(ticket)
    }

    /// Whether a ticket that was verified before is still good.
    ///
    /// # Errors
    /// [`TicketError::Expired`].
    pub fn check_time(&self, now: Timestamp) -> Result<(), TicketError> {
        if now.duration_since(self.expires) > CLOCK_LEEWAY { Err(TicketError::Expired) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(cluster: ClusterUid, expires: Timestamp) -> Ticket {
        Ticket {
            cluster,
            member: MemberUid(Uuid::new_v4()),
            name: "alice".parse().unwrap(),
            space: SpaceId(Uuid::new_v4()),
            access: Access::ReadWrite,
            path: None,
            link: None,
            expires,
            id: Uuid::new_v4(),
        }
    }

    #[test]
    fn a_ticket_is_good_where_and_while_it_is_meant() {
        let (old, new, other) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        let trust = Trust::new([new.verifying_key().clone(), old.verifying_key().clone()]);
        let cluster = ClusterUid(Uuid::new_v4());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let good = ticket(cluster, now);
        let minute = SignedDuration::from_mins(1);
        let check = |ticket: &Ticket, key: &SigningKey, now: Timestamp| {
            Ticket::verify(&ticket.issue(key).unwrap(), &trust, cluster, now).map(|_| ())
        };
        assert_eq!(check(&good, &new, now), Ok(()));
        assert_eq!(check(&good, &old, now), Ok(()), "rotated, still trusted");
        assert_eq!(check(&good, &other, now), Err(TicketError::UnknownKey));
        assert_eq!(check(&good, &new, now + CLOCK_LEEWAY), Ok(()), "clocks differ a little");
        assert_eq!(check(&good, &new, now + minute), Err(TicketError::Expired));
        let foreign = ticket(ClusterUid(Uuid::new_v4()), now);
        assert_eq!(check(&foreign, &new, now), Err(TicketError::WrongCluster));
        let session = keys::sign(&new, purpose::SESSION, &good).unwrap();
        assert_eq!(Ticket::verify(&session, &trust, cluster, now), Err(TicketError::BadSignature));
    }
}
