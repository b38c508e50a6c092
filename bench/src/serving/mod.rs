//! How fast the disk pod is, beside what people would use instead: the same tree, the same requests, the server held to
//! one processor and the load to another. The processor time of the server is the honest figure where both share a
//! machine.

mod client;
mod peers;
mod process;
mod report;
mod work;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;

use crate::serving::peers::{Layout, PEERS, Peer, Server};
use crate::serving::report::{Measure, Report};
use crate::serving::work::{Cost, Noise};
use crate::world::Place;

/// What is asked for.
#[derive(Debug, clap::Parser)]
pub struct Arguments {
    /// A directory on the disk that is tried; a new one beside this program when none is named.
    directory: Option<PathBuf>,
    /// How often everything is done; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these servers.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Where `bench/peers.sh` has put what no package has.
    #[arg(long, default_value = "target/tools")]
    tools: PathBuf,
    /// The port that the servers take, one after the other.
    #[arg(long, default_value_t = 18080)]
    port: u16,
}

/// Measures, and prints a table.
///
/// # Errors
/// When no file can be made, or our own server does not do what it is asked for.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let place = Place::new(arguments.directory.clone())?;
    peers::open_to_all(&place.directory)?;
    let layout = Layout {
        disk_pod: std::env::current_exe()?
            .parent()
            .context("the program is in no directory")?
            .join("disk-pod"),
        tools: std::path::absolute(&arguments.tools)?,
        tree: place.below("tree")?,
        scratch: place.below("servers")?,
    };
    let address = SocketAddr::from(([127, 0, 0, 1], arguments.port));
    let wanted = |peer: Peer| arguments.only.is_empty() || arguments.only.contains(&peer.to_string());
    let noise = Noise::new();
    work::plain_tree(&layout.tree, &noise)?;
    let mut report = Report::default();
    for round in 0..arguments.rounds {
        report.add_raw(work::raw(&place.directory.join("raw"), &noise)?);
        for peer in PEERS.into_iter().filter(|peer| wanted(*peer)) {
            eprintln!("round {} of {}: {peer}", round + 1, arguments.rounds);
            let server = peer.start(&layout, address);
            let done = server.and_then(|server| measure(&server, peer, round, &noise, &mut report));
            match done {
                Err(error) if peer.is_plain() => eprintln!("{peer}: {error:#}"),
                done => done.with_context(|| peer.to_string())?,
            }
        }
    }
    report.print();
    Ok(())
}

/// Everything in one round of one server.
fn measure(
    server: &Server,
    peer: Peer,
    round: usize,
    noise: &Noise,
    report: &mut Report,
) -> anyhow::Result<()> {
    if round == 0 {
        report.add(Measure::MemoryAtRest, peer, server.process.memory()?);
        if !peer.is_plain() {
            work::put_tree(server, noise)?;
        }
    }
    let mut costs = |rate: Measure, processor: Measure, unit: f64, cost: anyhow::Result<Cost>| match cost {
        Ok(cost) => {
            report.add(rate, peer, cost.rate);
            report.add(processor, peer, cost.processor * unit);
            Ok(())
        }
        // Not everybody can do everything: a gap in the table says so.
        Err(error) if peer.is_plain() => {
            eprintln!("{peer}: {error:#}");
            Ok(())
        }
        Err(error) => Err(error),
    };
    costs(Measure::DownloadRate, Measure::DownloadProcessor, 1.0, work::downloads(server))?;
    costs(Measure::GetRate, Measure::GetProcessor, 1e6, work::gets(server))?;
    costs(Measure::UploadRate, Measure::UploadProcessor, 1.0, work::upload(server, round, noise))?;
    costs(Measure::PutRate, Measure::PutProcessor, 1e6, work::puts(server, round, noise))?;
    costs(Measure::ListingRate, Measure::ListingProcessor, 1e3, work::listings(server))?;
    if round == 0 {
        for (measure, memory) in [
            (Measure::MemoryUploads, work::uploads(server, noise)),
            (Measure::MemoryIdle, work::idle(server)),
        ] {
            match memory {
                Ok(memory) => report.add(measure, peer, memory),
                Err(error) => eprintln!("{peer}: {measure:?}: {error:#}"),
            }
        }
    }
    Ok(())
}
