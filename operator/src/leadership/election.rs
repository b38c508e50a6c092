//! Who may take the Lease, decided by what was seen and how long ago: clocks of other machines are not believed.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::Instant;

use super::LASTS;

/// What a candidate does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is no Lease: make it.
    Create,
    /// It is free: take it, as the holder of this number.
    Write(i32),
    /// It is held by this replica.
    Mine,
    /// It is held by another one: look again after a while.
    Wait(Duration),
}

/// The last form of the Lease, and when it was first seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Observed {
    holder: String,
    renewed: Option<MicroTime>,
    since: Instant,
}

/// Decides, and remembers what was seen.
pub(super) fn next(
    lease: Option<&LeaseSpec>,
    me: &str,
    observed: &mut Option<Observed>,
    now: Instant,
) -> Step {
    let Some(lease) = lease else { return Step::Create };
    let transitions = lease.lease_transitions.unwrap_or_default().saturating_add(1);
    let holder = lease.holder_identity.clone().unwrap_or_default();
    // A process that was started anew under the name of the one before has nothing of its state: it waits for
    // nobody, for the one before is gone.
    if holder.is_empty() || holder == me {
        return Step::Write(transitions);
    }
    let lasts = lease
        .lease_duration_seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map_or(LASTS, Duration::from_secs);
    match observed {
        Some(known) if known.holder == holder && known.renewed == lease.renew_time => {
            let silent = now.saturating_duration_since(known.since);
            if silent >= lasts { Step::Write(transitions) } else { Step::Wait(lasts - silent) }
        }
        _ => {
            *observed = Some(Observed { holder, renewed: lease.renew_time.clone(), since: now });
            Step::Wait(lasts)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn lease(holder: &str, renewed: i64) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(10),
            renew_time: Some(MicroTime(Timestamp::from_second(renewed).unwrap())),
            lease_transitions: Some(4),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn a_lease_is_taken_when_free_and_when_its_holder_was_silent_as_seen_from_here() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let wait = |seconds| Step::Wait(Duration::from_secs(seconds));
        let mut observed = None;
        let (theirs, renewed) = (lease("b", 1), lease("b", 2));
        for (what, lease, now, expected) in [
            ("none", None, 0, Step::Create),
            ("given back", Some(lease("", 1)), 0, Step::Write(5)),
            ("of the one before of this name", Some(lease("a", 1)), 0, Step::Write(5)),
            ("of another one, seen first", Some(theirs.clone()), 0, wait(10)),
            ("silent for a while", Some(theirs.clone()), 9, wait(1)),
            ("renewed", Some(renewed.clone()), 9, wait(10)),
            ("silent again", Some(renewed.clone()), 18, wait(1)),
            ("silent too long", Some(renewed), 19, Step::Write(5)),
            ("another holder", Some(lease("c", 2)), 19, wait(10)),
        ] {
            assert_eq!(next(lease.as_ref(), "a", &mut observed, at(now)), expected, "{what}");
        }
    }
}
