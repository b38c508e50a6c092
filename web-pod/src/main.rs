//! Starts the program; everything else is in the library.

fn main() -> anyhow::Result<()> {
    internet_disk_web_pod::start(clap::Parser::parse())
}
