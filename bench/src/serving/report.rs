//! The table: a column for each server, and what was asked of ours.

use std::collections::BTreeMap;

use crate::serving::peers::{PEERS, Peer};
use crate::table::median;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    DownloadRate,
    DownloadProcessor,
    GetRate,
    GetProcessor,
    UploadRate,
    UploadProcessor,
    PutRate,
    PutProcessor,
    ListingRate,
    ListingProcessor,
    MemoryAtRest,
    MemoryIdle,
    MemoryUploads,
}

use Measure::{
    DownloadProcessor, DownloadRate, GetProcessor, GetRate, ListingProcessor, ListingRate, MemoryAtRest,
    MemoryIdle, MemoryUploads, PutProcessor, PutRate, UploadProcessor, UploadRate,
};

const MEASURES: [(Measure, &str); 13] = [
    (DownloadRate, "large download, GiB/s"),
    (DownloadProcessor, "processor for a GiB of it, s"),
    (GetRate, "GET of 16 KiB, 16 connections, 1/s"),
    (GetProcessor, "processor for one, µs"),
    (UploadRate, "large upload, GiB/s"),
    (UploadProcessor, "processor for a GiB of it, s"),
    (PutRate, "PUT of 16 KiB, 16 connections, 1/s"),
    (PutProcessor, "processor for one, µs"),
    (ListingRate, "PROPFIND of 5,000 names, 1/s"),
    (ListingProcessor, "processor for one, ms"),
    (MemoryAtRest, "memory at rest, MiB"),
    (MemoryIdle, "with 10,000 idle connections, MiB"),
    (MemoryUploads, "with 200 uploads at once, MiB"),
];

/// What was found, round by round.
#[derive(Default)]
pub(crate) struct Report {
    found: BTreeMap<(Measure, Peer), Vec<f64>>,
    raw: Vec<f64>,
}

/// What was asked of ours: a bound, and whether more is better.
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Report {
    pub(crate) fn add(&mut self, measure: Measure, peer: Peer, value: f64) {
        self.found.entry((measure, peer)).or_default().push(value);
    }

    /// How fast the disk took the same bytes in this round.
    pub(crate) fn add_raw(&mut self, rate: f64) {
        self.raw.push(rate);
    }

    fn middle(&self, measure: Measure, peer: Peer) -> Option<f64> {
        self.found.get(&(measure, peer)).map(|values| median(values.clone()))
    }

    fn others(&self, measure: Measure) -> impl Iterator<Item = f64> + '_ {
        PEERS.into_iter().filter(|peer| peer.is_plain()).filter_map(move |peer| self.middle(measure, peer))
    }

    fn bound(&self, measure: Measure) -> Option<Bound> {
        let nginx = self.middle(measure, Peer::Nginx);
        let most = self.others(measure).reduce(f64::max);
        let least = self.others(measure).reduce(f64::min);
        Some(match measure {
            DownloadRate => Bound::AtLeast(most?),
            DownloadProcessor => Bound::AtMost(nginx?),
            GetProcessor => Bound::AtMost(1.5 * nginx?),
            UploadRate => Bound::AtLeast((1.2 * most?).min(0.85 * median(self.raw.clone()))),
            UploadProcessor => Bound::AtMost(0.8 * least?),
            PutRate => Bound::AtLeast(nginx?),
            ListingProcessor => Bound::AtMost(0.5 * nginx?),
            MemoryAtRest => Bound::AtMost(25.0),
            MemoryIdle => Bound::AtMost(200.0),
            MemoryUploads => Bound::AtMost(300.0),
            GetRate | PutProcessor | ListingRate => return None,
        })
    }

    #[expect(clippy::print_stdout, reason = "this is what the program is for")]
    pub(crate) fn print(&self) {
        let names: Vec<String> = PEERS.iter().map(Peer::to_string).collect();
        println!(
            "\nA file on the disk by the bare calls, with fdatasync: {} GiB/s\n",
            number(median(self.raw.clone()))
        );
        println!("| | {} | asked for | met |", names.join(" | "));
        println!("| --- |{}", " --- |".repeat(PEERS.len() + 2));
        for (measure, name) in MEASURES {
            let cells: Vec<String> =
                PEERS.iter().map(|peer| self.middle(measure, *peer).map_or("–".into(), number)).collect();
            let ours = self.middle(measure, Peer::InternetDisk);
            let (asked, met) = match (self.bound(measure), ours) {
                (Some(Bound::AtLeast(least)), Some(ours)) => {
                    (format!("at least {}", number(least)), ours >= least)
                }
                (Some(Bound::AtMost(most)), Some(ours)) => {
                    (format!("at most {}", number(most)), ours <= most)
                }
                _ => (String::new(), true),
            };
            let met = if asked.is_empty() {
                ""
            } else if met {
                "yes"
            } else {
                "NO"
            };
            println!("| {name} | {} | {asked} | {met} |", cells.join(" | "));
        }
    }
}

fn number(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}
