//! A simulated disk: pods of unequal speed, web pods that choose among them by reports that are old when they are
//! used, and what becomes of the requests. Everything comes from one seed, and no clock decides anything.

mod cell;
mod pod;
mod rivals;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use cell::{Cell, Found, Speeds};
use rivals::Rival;

/// In no cell the selector may take so many times what two choices take.
const NOT_WORSE: f64 = 1.02;
/// With one slow pod the 99th percentile must be this part of theirs at most.
const BETTER: f64 = 0.8;

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for speeds in [Speeds::Equal, Speeds::Unequal, Speeds::OneSlow] {
        for pods in [3, 20, 300] {
            for load in [0.5, 0.8, 0.95] {
                for report_age in [0.1, 0.3] {
                    for web_pods in [1, 20] {
                        cells.push(Cell { pods, speeds, load, report_age, web_pods, requests: 100_000 });
                    }
                }
            }
        }
    }
    cells
}

/// By how much the selector misses what is asked of it in a cell.
fn missed(cell: &Cell, ours: Found, two: Found) -> Vec<String> {
    let pairs = [("p50", ours.p50, two.p50), ("p99", ours.p99, two.p99), ("p99.9", ours.p999, two.p999)];
    let mut missed: Vec<String> = pairs
        .iter()
        .filter(|(_, ours, two)| *ours > two * NOT_WORSE)
        .map(|(name, ours, two)| format!("{name} {:.1} % worse", 100.0 * (ours / two - 1.0)))
        .collect();
    if cell.speeds == Speeds::OneSlow && ours.p99 > two.p99 * BETTER {
        missed.push(format!("p99 {:.0} % better", 100.0 * (1.0 - ours.p99 / two.p99)));
    }
    missed
}

/// A small part of the table, in every run of the tests.
#[test]
fn the_selector_is_no_worse_than_two_choices_and_avoids_a_slow_pod() {
    for (pods, speeds, load) in [
        (3, Speeds::OneSlow, 0.8),
        (20, Speeds::Equal, 0.8),
        (20, Speeds::Unequal, 0.95),
        (20, Speeds::OneSlow, 0.8),
    ] {
        let cell = Cell { pods, speeds, load, report_age: 0.3, web_pods: 5, requests: 20_000 };
        let (ours, two) = (cell.run(Rival::Selector), cell.run(Rival::TwoChoices));
        // So few requests say less of the tail than those of the table.
        assert!(ours.p99 <= two.p99 * 1.05, "{cell}: {ours} against {two}");
        if speeds == Speeds::OneSlow {
            assert!(ours.p999 <= two.p999 * BETTER, "{cell}: {ours} against {two}");
        }
    }
}

#[test]
#[ignore = "minutes: make bench-selector"]
fn table() {
    let (next, cells) = (AtomicUsize::new(0), cells());
    let work = || {
        let mut lines = Vec::new();
        while let Some((number, cell)) = cells.iter().enumerate().nth(next.fetch_add(1, Relaxed)) {
            let found = Rival::ALL.map(|rival| cell.run(rival));
            let missed = missed(cell, found[0], found[1]);
            let all = found.map(|found| found.to_string()).join(" | ");
            lines.push((number, format!("| {cell} | {all} | {} |", missed.join(", ")), missed.is_empty()));
        }
        lines
    };
    let mut lines: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    lines.sort();
    println!(
        "\n| pods | speeds | load | reports | web pods | selector | two choices | round robin | random | missed |"
    );
    println!("|{}", " --- |".repeat(10));
    for (_, line, _) in &lines {
        println!("{line}");
    }
    let kept = lines.iter().filter(|(.., kept)| *kept).count();
    println!("\np50 / p99 / p99.9 in milliseconds; {kept} of {} cells miss nothing.", lines.len());
}
