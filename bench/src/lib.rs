//! How fast the engine is. Everything that waits for a disk is compared with what the same disk needs for the bare
//! calls in the same round, so that a figure means something on another machine, too.

// What the engine says of its memory and what is measured here are counted by the same code.
#[path = "../../spaces/tests/weight/allocator.rs"]
mod allocator;
mod commits;
mod large;
mod pods;
mod quick;
mod raw;
pub mod serving;
mod table;
mod world;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use crate::table::Table;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;

/// What is asked for.
#[derive(Debug, clap::Parser)]
pub struct Arguments {
    /// A directory on the disk that is tried; a new one beside this program when none is named.
    directory: Option<PathBuf>,
    /// How often everything is done; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many files the large space has.
    #[arg(long, default_value_t = 1_000_000)]
    files: usize,
    /// Only these parts: commits, pods, large.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Be one of several pods, which puts files until its input ends.
    #[arg(long, hide = true)]
    pod: Option<String>,
}

/// Measures, and prints a table.
///
/// # Errors
/// When the directory can not be used or the engine fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(pod) = &arguments.pod {
        let directory = arguments.directory.as_deref().context("a pod needs a directory")?;
        return runtime.block_on(pods::serve(directory, pod));
    }
    let place = Arc::new(world::Place::new(arguments.directory.clone())?);
    let wanted = |part: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == part);
    let mut table = Table::default();
    if wanted("commits") {
        // As what a pod answers: a task of the runtime.
        let (place, rounds) = (place.clone(), arguments.rounds);
        let measured = async move { commits::measure(&place, rounds, &mut table).await.map(|()| table) };
        table = runtime.block_on(async { tokio::spawn(measured).await? })?;
    }
    if wanted("pods") {
        runtime.block_on(pods::measure(&place, arguments.rounds, &mut table))?;
    }
    if wanted("large") {
        runtime.block_on(large::measure(&place, arguments.rounds, arguments.files, &mut table))?;
    }
    table.print(&place)
}
