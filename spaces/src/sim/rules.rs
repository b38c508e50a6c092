//! Whether the simulator is worth anything: each rule of the protocol is broken in turn, and it has to notice.

use super::run;
use crate::rule::{Rule, broken};

/// So many seeds are tried for each rule; most are noticed within ten, the rarest after some hundreds.
///
/// Two rules of the commit are not here, for without them the ids of operations still keep all invariants: to link the
/// same entry again, and to ask who won. They save work.
const SEEDS: u64 = 4000;

/// The first seed that something is wrong with when a rule is broken, and what is wrong.
fn first_wrong(rule: Rule) -> Option<(u64, String)> {
    broken(Some(rule));
    let found = (0..SEEDS).find_map(|seed| Some((seed, run(seed, false).wrong.into_iter().next()?)));
    broken(None);
    found
}

#[test]
fn every_rule_that_is_broken_is_noticed() {
    let mut unnoticed = Vec::new();
    for (rule, tells) in [
        (Rule::ContentDurable, &["3:", "4:"][..]),
        (Rule::ObjectNameDurable, &["4:"]),
        (Rule::EntryDurable, &["a pod answered: the space was stopped"]),
        (Rule::PlaceDurable, &["1:", "6:", "a pod answered: the space was stopped"]),
        (Rule::DurableBeforeFolding, &["1:", "6:"]),
        (Rule::FreshRefusals, &["6:"]),
        (Rule::OnceByItsId, &["1:"]),
        (Rule::OwnerExtends, &["3:", "4:"]),
        (Rule::NewerRoster, &["1:", "2:"]),
        (Rule::WithinLimit, &["1:", "2:"]),
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
