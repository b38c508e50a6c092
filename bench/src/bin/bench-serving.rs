//! `make bench`.

use clap::Parser;

fn main() -> anyhow::Result<()> {
    bench::serving::run(&bench::serving::Arguments::parse())
}
