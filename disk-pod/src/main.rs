//! Starts the program; everything else is in the library.

use clap::Parser;
use internet_disk_disk_pod::config::CommandLine;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    internet_disk_disk_pod::run(CommandLine::parse()).await
}
