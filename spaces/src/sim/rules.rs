//! Whether the simulator is worth anything: each rule of the protocol is broken in turn, and it has to notice.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::run;
use super::search::threads;
use crate::rule::{Rule, broken};

/// So many seeds are tried for each rule; most are noticed within ten, the rarest after some hundreds.
///
/// Two rules of the commit are not here, for without them the ids of operations still keep all invariants: to link the
/// same entry again, and to ask who won. They save work.
const SEEDS: u64 = 4000;

/// The first seed that something is wrong with when a rule is broken, and what is wrong.
fn first_wrong(rule: Rule) -> Option<(u64, String)> {
    let (next, first) = (AtomicU64::new(0), AtomicU64::new(SEEDS));
    let found = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                broken(Some(rule));
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first.load(Ordering::Relaxed) {
                        break;
                    }
                    if let Some(wrong) = run(seed, false).wrong.into_iter().next() {
                        first.fetch_min(seed, Ordering::Relaxed);
                        let mut found = found.lock().unwrap();
                        if found.as_ref().is_none_or(|(before, _)| seed < *before) {
                            *found = Some((seed, wrong));
                        }
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn every_rule_that_is_broken_is_noticed() {
    let mut unnoticed = Vec::new();
    for (rule, tells) in [
        (Rule::ContentDurable, &["3:", "4:"][..]),
        (Rule::ObjectNameDurable, &["4:"]),
        (Rule::ParentsDurable, &["1:", "4:", "6:", "7:"]),
        (Rule::EntryDurable, &["7:"]),
        (Rule::PlaceDurable, &["1:", "6:", "7:"]),
        (Rule::DurableBeforeFolding, &["1:", "6:", "7:"]),
        (Rule::FreshRefusals, &["6:"]),
        (Rule::OnceByItsId, &["1:"]),
        (Rule::OwnerExtends, &["3:", "4:"]),
        (Rule::NewerRoster, &["1:", "2:"]),
        (Rule::WithinLimit, &["1:", "2:"]),
        (Rule::LowForOperations, &["1:", "2:"]),
        (Rule::LookForGone, &["1:", "6:", "7:"]),
        (Rule::ReadLooksForGone, &["6:", "7:"]),
        (Rule::GoneOnMisfit, &["7:"]),
        (Rule::StartDurable, &["7:"]),
        (Rule::SyncBeforeGone, &["7:"]),
        (Rule::GiverFirst, &["2:"]),
    ] {
        match first_wrong(rule) {
            Some((seed, wrong)) if tells.iter().any(|tell| wrong.starts_with(tell)) => {
                println!("{rule:?}: seed {seed}: {wrong}");
            }
            Some((seed, wrong)) => {
                unnoticed.push(format!("{rule:?}: seed {seed} tells of something else: {wrong}"))
            }
            None => unnoticed.push(format!("{rule:?}: nothing is noticed in {SEEDS} seeds")),
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}
