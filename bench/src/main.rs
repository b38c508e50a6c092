//! `make bench-spaces`.

use clap::Parser;

fn main() -> anyhow::Result<()> {
    bench::run(&bench::Arguments::parse())
}
