//! Starts the program; everything else is in the library.

fn main() -> anyhow::Result<()> {
    internet_disk_operator::run(clap::Parser::parse())
}
