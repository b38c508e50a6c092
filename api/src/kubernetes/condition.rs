//! Conditions: what is true of an object, since when, and what to do about it.

use jiff::{Timestamp, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// The longest message that is written. The API server takes more, people do not.
const LONGEST_MESSAGE: usize = 1024;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$word_doc])* $word,)+
        }

        impl $name {
            /// As it is written.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => stringify!($word),)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a condition is about.
    ConditionType {
        /// All that was asked for is there.
        Ready,
        /// The operator is changing something.
        Reconciling,
        /// It cannot become Ready before somebody changes something.
        Stalled,
        /// DiskCluster: every volume is bound, shared and ours.
        VolumesReady,
        /// DiskCluster: the disk servers wanted are there and serve.
        DiskServersReady,
        /// DiskCluster: the web servers wanted are there and serve.
        WebServersReady,
        /// DiskCluster: there is an address for every server.
        Reachable,
        /// DiskCluster: everybody who may sign in can.
        SignInReady,
        /// DiskCluster: no more is promised than spec.policies.overcommitPercent allows.
        CapacitySufficient,
        /// DiskCluster: every pod runs the version and the settings wanted.
        UpToDate,
        /// DiskCluster: the operator was told to change nothing.
        Paused,
        /// Member: there is a password or an identity to sign in with.
        CredentialReady,
        /// Member: no more is used than the limit of the own disk.
        WithinQuota,
        /// Member: what is given to groups counts there.
        AllocationsEffective,
        /// Group: its capacity is more than nothing.
        Funded,
        /// Group: no more is used than its capacity.
        WithinCapacity,
        /// Group: an owner takes part.
        OwnerPresent,
    }
}

words! {
    /// Whether it is so.
    ConditionStatus {
        /// It is.
        True,
        /// It is not.
        False,
        /// Nobody knows yet.
        Unknown,
    }
}

words! {
    /// Why a condition is as it is. The message says the rest.
    Reason {
        /// The operator has not looked yet; the schema's default.
        Pending,
        /// It is as it should be.
        Succeeded,
        /// It is there and serves.
        Available,
        /// Something is being made or changed.
        Progressing,
        /// Something has to be waited for.
        Waiting,
        /// The operator was told to change nothing.
        Paused,
        /// Maintenance: the service is off.
        Offline,
        /// The object is being deleted.
        Deleting,
        /// The spec is refused by a rule that came later than the object.
        InvalidSpec,
        /// The Kubernetes API refused what the operator wanted to make.
        ApplyFailed,
        /// There is no DiskCluster of that name.
        ClusterNotFound,
        /// The DiskCluster is not yet there as it should be.
        ClusterNotReady,
        /// There is no claim of that name.
        ClaimNotFound,
        /// The claim is not bound to a volume.
        ClaimPending,
        /// The claim has no volume any more.
        ClaimLost,
        /// The claim is not ReadWriteMany.
        ClaimNotShared,
        /// The claim belongs to another DiskCluster.
        ClaimTaken,
        /// The volume says that it belongs to another DiskCluster.
        VolumeForeign,
        /// The volume does not do what is needed of it.
        VolumeUnsuitable,
        /// The volume is being tried out.
        VolumeCheckRunning,
        /// There is no storage class of that name.
        StorageClassNotFound,
        /// The claim cannot be enlarged.
        ExpansionRefused,
        /// Too few pods serve.
        PodsNotReady,
        /// The pods wait for a node.
        PodsUnschedulable,
        /// Their image cannot be pulled.
        ImageNotPulled,
        /// No server of the disk answers.
        NoDiskServer,
        /// No address is known under which they are reached.
        NoAddress,
        /// A Secret that is named is not there.
        SecretNotFound,
        /// The Secret has no such key.
        SecretKeyNotFound,
        /// What the Secret holds cannot be used.
        SecretUnusable,
        /// There is nothing to sign in with.
        NoCredential,
        /// An administrator has suspended the member.
        Suspended,
        /// An administrator has not yet approved the member.
        AwaitingApproval,
        /// More is used than the limit.
        OverLimit,
        /// No more is used than the limit.
        WithinLimit,
        /// Nothing is given to groups.
        NothingAllocated,
        /// Everything that is given counts.
        AllGranted,
        /// A part of what is given does not count yet.
        PartlyGranted,
        /// A group has not admitted the member.
        NotAdmitted,
        /// There is no group of that name.
        GroupNotFound,
        /// What was taken back is still in use.
        StillInUse,
        /// Nobody gives anything.
        NotFunded,
        /// Somebody gives something.
        Funded,
        /// No owner takes part.
        NoOwner,
        /// An owner takes part.
        OwnerPresent,
        /// More is promised than there is.
        Overcommitted,
        /// No more is promised than there is.
        Sufficient,
        /// Members or Groups are still there.
        InUse,
        /// The spec asks for what this version cannot do.
        NotSupported,
    }
}

/// What is found out about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub type_: ConditionType,
    /// Whether it is so.
    pub status: ConditionStatus,
    /// Why.
    pub reason: Reason,
    /// What to do, or what is there.
    pub message: String,
}

impl Finding {
    /// It is so.
    #[must_use]
    pub fn is(type_: ConditionType, reason: Reason, message: impl Into<String>) -> Self {
        Self { type_, status: ConditionStatus::True, reason, message: message.into() }
    }

    /// It is not so.
    #[must_use]
    pub fn is_not(type_: ConditionType, reason: Reason, message: impl Into<String>) -> Self {
        Self { type_, status: ConditionStatus::False, reason, message: message.into() }
    }

    /// Nobody knows yet.
    #[must_use]
    pub fn unknown(type_: ConditionType, reason: Reason, message: impl Into<String>) -> Self {
        Self { type_, status: ConditionStatus::Unknown, reason, message: message.into() }
    }
}

/// The conditions of a status that says these findings about the spec of `generation`. A condition keeps its time
/// while its status stays the same; types without a finding go. What did not change comes out equal, so that it need
/// not be written.
#[must_use]
pub fn conditions(
    before: &[Condition],
    findings: impl IntoIterator<Item = Finding>,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    findings
        .into_iter()
        .map(|Finding { type_, status, reason, message }| {
            let same = before.iter().find(|one| one.type_ == type_.as_str() && one.status == status.as_str());
            Condition {
                type_: type_.as_str().to_owned(),
                status: status.as_str().to_owned(),
                reason: reason.as_str().to_owned(),
                message: shortened(message),
                observed_generation: generation,
                last_transition_time: same
                    .map_or_else(|| Time(whole_seconds(now)), |one| one.last_transition_time.clone()),
            }
        })
        .collect()
}

/// The API server keeps whole seconds; what is written must be equal to what is read.
fn whole_seconds(now: Timestamp) -> Timestamp {
    now.round(jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc)).unwrap_or(now)
}

fn shortened(message: String) -> String {
    if message.len() <= LONGEST_MESSAGE {
        return message;
    }
    let end = (0..=LONGEST_MESSAGE - 4).rev().find(|end| message.is_char_boundary(*end)).unwrap_or(0);
    format!("{} …", &message[..end])
}

/// Finds a condition.
#[must_use]
pub fn find(conditions: &[Condition], type_: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|one| one.type_ == type_.as_str())
}

/// Whether a condition is there and true.
#[must_use]
pub fn is_true(conditions: &[Condition], type_: ConditionType) -> bool {
    find(conditions, type_).is_some_and(|one| one.status == ConditionStatus::True.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_stays_while_the_status_does() {
        let (first, later) = (at("2026-01-01T00:00:00.9Z"), at("2026-01-02T00:00:00Z"));
        let ready = |status, reason| Finding {
            type_: ConditionType::Ready,
            status,
            reason,
            message: "so it is".to_owned(),
        };
        let waiting = ready(ConditionStatus::False, Reason::Waiting);
        let before = conditions(&[], [waiting.clone()], Some(1), first);
        assert_eq!(before[0].last_transition_time, Time(at("2026-01-01T00:00:00Z")), "in whole seconds");
        assert_eq!(conditions(&before, [waiting], Some(1), later), before, "nothing to write");

        for (finding, moved) in [
            (ready(ConditionStatus::False, Reason::ClaimPending), false),
            (ready(ConditionStatus::True, Reason::Available), true),
            (ready(ConditionStatus::Unknown, Reason::NoDiskServer), true),
        ] {
            let after = conditions(&before, [finding.clone()], Some(2), later);
            assert_eq!(after[0].last_transition_time == Time(later), moved, "{finding:?}");
            assert_eq!((after.len(), after[0].observed_generation), (1, Some(2)));
            assert_eq!(after[0].reason, finding.reason.as_str());
        }
        assert!(conditions(&before, [], Some(2), later).is_empty(), "what is not said goes");
    }

    #[test]
    fn conditions_survive_the_api_server() {
        let said = conditions(
            &[],
            [Finding::is(ConditionType::Funded, Reason::Funded, "3 GiB")],
            None,
            at("2026-01-01T00:00:00.123456Z"),
        );
        let read: Vec<Condition> = serde_json::from_value(serde_json::to_value(&said).unwrap()).unwrap();
        assert_eq!(read, said);
        assert!(is_true(&read, ConditionType::Funded) && !is_true(&read, ConditionType::Ready));
    }

    #[test]
    fn long_messages_are_cut_between_letters() {
        for message in ["x".repeat(5000), "디스크".repeat(1000)] {
            let said = conditions(
                &[],
                [Finding::unknown(ConditionType::Ready, Reason::Pending, message)],
                None,
                Timestamp::UNIX_EPOCH,
            );
            assert!(said[0].message.len() <= LONGEST_MESSAGE && said[0].message.ends_with(" …"));
        }
    }
}
