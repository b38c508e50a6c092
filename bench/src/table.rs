//! What came out, beside what was asked for.

use std::fmt::Display;
use std::time::Duration;

use crate::world::Place;

/// What is printed at the end.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// A line; `target` says what was asked for, when something was, and whether it is met.
    pub(crate) fn row(&mut self, what: impl Display, found: impl Display, target: Option<(String, bool)>) {
        let (target, met) = match target {
            Some((target, true)) => (target, "yes"),
            Some((target, false)) => (target, "NO"),
            None => (String::new(), ""),
        };
        let row = [what.to_string(), found.to_string(), target, met.to_owned()];
        // It takes minutes; whoever waits sees how far it is.
        let [what, found, ..] = &row;
        eprintln!("{what}: {found}");
        self.rows.push(row);
    }

    /// A line for a number of which less is better.
    pub(crate) fn at_most(&mut self, what: impl Display, found: f64, most: f64, unit: &str) {
        let target = format!("at most {}", number(most, unit));
        self.row(what, number(found, unit), Some((target, found <= most)));
    }

    /// A line for a number of which more is better.
    pub(crate) fn at_least(&mut self, what: impl Display, found: f64, least: f64, unit: &str) {
        let target = format!("at least {}", number(least, unit));
        self.row(what, number(found, unit), Some((target, found >= least)));
    }

    #[expect(clippy::print_stdout, reason = "this is what the program is for")]
    pub(crate) fn print(&self, place: &Place) -> anyhow::Result<()> {
        let head = ["", "found", "asked for", "met"].map(str::to_owned);
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&head]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths = [0, 1, 2, 3].map(width);
        println!("\n{}\n", place.describe()?);
        let line = |row: &[String; 4]| {
            let cells: Vec<String> =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            println!("| {} |", cells.join(" | "));
        };
        line(&head);
        line(&widths.map(|width| "-".repeat(width)));
        self.rows.iter().for_each(line);
        Ok(())
    }
}

fn number(number: f64, unit: &str) -> String {
    let digits = if number < 10.0 { 2 } else { 0 };
    format!("{number:.digits$} {unit}")
}

/// The middle of several.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
