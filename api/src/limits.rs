//! How the operator tells the disk pods what limits hold: the body of `POST /v1/limits` on their private port.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bytes::Bytes;
use crate::generation::{Generation, RosterGeneration};
use crate::ids::{ClusterUid, SpaceId, VolumeName};

/// Limits to be committed, each in the log of its space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitsRequest {
    /// Which internet disk.
    pub cluster: ClusterUid,
    /// Only a generation above the one a space has seen is accepted.
    pub roster_generation: RosterGeneration,
    /// At most a few hundred.
    pub limits: Vec<LimitWanted>,
}

/// The limit wanted for one space. It becomes `used + reserved`, but at least the target and at most the ceiling: so
/// quota is taken back as far as it is not in use, and no operator needs to know the use exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitWanted {
    /// The space; made when it is not there yet.
    pub space: SpaceId,
    /// The volume its log is on.
    pub volume: VolumeName,
    /// The limit that is wished for.
    pub target: Bytes,
    /// What it may not pass, whatever is in use. Never below the target.
    pub ceiling: Bytes,
}

/// What became of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitsAnswer {
    /// In the order of the request.
    pub results: Vec<LimitResult>,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitResult {
    /// The space.
    pub space: SpaceId,
    /// What became of its limit.
    pub outcome: LimitOutcome,
}

/// What became of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LimitOutcome {
    /// It is in the log.
    Committed {
        /// The limit in force.
        limit: Bytes,
        /// What is in use.
        used: Bytes,
        /// What uploads under way have reserved.
        reserved: Bytes,
        /// The generation of the space that it became.
        generation: Generation,
    },
    /// The space has seen a later roster: go on above it.
    Superseded {
        /// The latest it has seen.
        roster_generation: RosterGeneration,
    },
    /// It could not be committed now.
    Failed {
        /// Why, for the operator's log and condition.
        reason: String,
    },
}

/// The claims of the bearer token of a request, signed by the operator for [`crate::keys::purpose::LIMITS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitsClaims {
    /// Which internet disk.
    pub cluster: ClusterUid,
    /// Until when; a minute is plenty.
    pub expires: Timestamp,
    /// BLAKE3 of the body, in hexadecimal, so that the token is worth nothing for another body.
    pub body: String,
}
