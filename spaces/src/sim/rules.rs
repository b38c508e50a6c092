//! Whether the simulator is worth anything: each rule of the protocol is broken in turn, and it has to notice.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::chaos::Plan;
use super::disk::Character;
use super::mount::Weather;
use super::run;
use super::search::{threads, variable};
use crate::rule::{Rule, broken};

/// So many seeds are tried for each rule; most are noticed within ten, the rarest after some thousands.
///
/// That the same entry is linked again is not here. To say instead that nothing was done was not noticed in 20,000 seeds
/// that leaned to it: the name in `tmp/` is removed before a late link lands, or another entry has the place by then; and
/// the ids of operations cover those who ask again.
const SEEDS: u64 = 20_000;

/// Some rules guard against what is rare. Where one of them is broken runs are made that come near to it more often.
pub(super) fn lead_to(rule: Rule, character: &mut Character, plan: &mut Plan) {
    match rule {
        Rule::OpenLooksForGone | Rule::SyncBeforeGone => {
            plan.more = false;
            (character.names_durable, character.stale_absence) = (false, false);
            (plan.power, plan.pauses, plan.things) = (true, true, 80);
        }
        Rule::GoneSeen => {
            plan.more = false;
            character.stale_absence = false;
            plan.weather = Weather { lost: 20, late: 80, failed: 80, slow: 20 };
            plan.things = 80;
        }
        Rule::LowForObjects => {
            plan.more = false;
            character.stale_absence = false;
            (plan.dawdlers, plan.things) = (700, 80);
        }
        // Replies that are lost, and clients that ask once: to them it was said that nothing was done.
        Rule::WinnerById => {
            plan.more = false;
            plan.weather = Weather { lost: 200, late: 50, failed: 50, slow: 0 };
            (plan.dawdlers, plan.things) = (500, 40);
        }
        // A pod that sleeps through the end of the volume, and wakes in a past of which nothing says that it is gone.
        Rule::GoneDurable => {
            plan.more = false;
            (character.names_durable, character.stale_absence) = (false, false);
            (plan.power, plan.pauses, plan.survivors, plan.things) = (true, true, 500, 80);
        }
        // To whoever writes a state down it is said that the name in `tmp/` was there before: then it is nowhere.
        Rule::StartSeen => {
            plan.more = false;
            character.stale_absence = false;
            // A round that fails looks again at what is there, so what is wrong comes of few failures.
            plan.weather = Weather { lost: 100, late: 0, failed: 0, slow: 0 };
            (plan.crashes, plan.evictions, plan.things) = (true, true, 80);
        }
        Rule::LocksHold | Rule::SharesBounded => plan.more = true,
        _ => {}
    }
}

/// The first seed that something is wrong with when a rule is broken, and what is wrong.
fn first_wrong(rule: Rule) -> Option<(u64, String)> {
    let (next, first) = (AtomicU64::new(0), AtomicU64::new(variable("SPACES_SEEDS").unwrap_or(SEEDS)));
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
    let only = std::env::var("SPACES_RULE").ok();
    let mut unnoticed = Vec::new();
    for (rule, tells) in [
        (Rule::ContentDurable, &["3:", "4:"][..]),
        (Rule::ObjectNameDurable, &["4:"]),
        (Rule::ParentsDurable, &["1:", "4:", "5:", "6:", "7:"]),
        (Rule::EntryDurable, &["7:"]),
        (Rule::WinnerById, &["1:", "6:", "7:"]),
        (Rule::PlaceDurable, &["1:", "6:", "7:"]),
        (Rule::DurableBeforeFolding, &["1:", "6:", "7:"]),
        (Rule::FreshRefusals, &["6:"]),
        (Rule::OnceByItsId, &["1:"]),
        (Rule::OwnerExtends, &["3:", "4:"]),
        (Rule::NewerRoster, &["1:", "2:"]),
        (Rule::WithinLimit, &["1:", "2:"]),
        (Rule::LowForOperations, &["1:", "2:"]),
        (Rule::LookForGone, &["1:", "6:", "7:"]),
        (Rule::ReadLooksForGone, &["3:", "6:", "7:"]),
        (Rule::GoneOnMisfit, &["7:"]),
        (Rule::StartDurable, &["7:"]),
        (Rule::StartSeen, &["7:"]),
        (Rule::SyncBeforeGone, &["7:"]),
        (Rule::GoneSeen, &["1:", "6:", "7:"]),
        (Rule::GoneDurable, &["1:", "6:", "7:"]),
        (Rule::OpenLooksForGone, &["6:", "7:"]),
        (Rule::LowForObjects, &["4:"]),
        (Rule::GiverFirst, &["2:"]),
        (Rule::LocksHold, &["1:"]),
        (Rule::SharesBounded, &["1:", "2:"]),
    ] {
        if only.as_ref().is_some_and(|only| *only != format!("{rule:?}")) {
            continue;
        }
        match first_wrong(rule) {
            Some((seed, wrong)) if tells.iter().any(|tell| wrong.starts_with(tell)) => {
                println!("{rule:?}: seed {seed}: {wrong}");
            }
            Some((seed, wrong)) => {
                unnoticed.push(format!("{rule:?}: seed {seed} tells of something else: {wrong}"))
            }
            None => unnoticed.push(format!("{rule:?}: nothing is noticed in as many seeds as are tried")),
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}
