//! A space of very many files: what it takes in memory, how soon it is open, and what an operation costs in it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use futures::future::try_join_all;
use spaces::{Freshness, Operation, Settings, Snapshot, Space};

use crate::allocator;
use crate::quick::Quick;
use crate::table::{Table, median, milliseconds};
use crate::world::{Place, act, engine, make_directory, path, pod, put, space};

const SPACE: u128 = 30;

/// Two files of five are in directories of so many, the others in directories of a hundred.
const MANY: usize = 10_000;
const SOME: usize = 100;

/// So many files are put at once; a quarter of them have objects of their own, the others share one.
const AT_ONCE: usize = 64;
const OWN: usize = 4;

/// Longer than what is packed with others.
const LONG: usize = (64 << 10) + 1;

/// How often an operation is timed.
const TIMES: usize = 400;

pub(crate) async fn measure(
    place: &Place,
    rounds: usize,
    files: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let directory = place.below("large")?;
    build(&directory, files, table).await?;
    let [mut took, mut memory] = [(); 2].map(|()| Vec::new());
    let mut last = None;
    for _ in 0..rounds {
        drop(last.take());
        let (before, begun) = (settled().await, Instant::now());
        let engine = pod(&directory).await?;
        let snapshot = open(&engine).await?;
        took.push(begun.elapsed().as_secs_f64());
        memory.push(per(allocator::in_use().saturating_sub(before), files));
        last = Some((engine, snapshot));
    }
    table.row(
        format!("{files} files opened cold from their entries"),
        format!("{:.2} s", median(took)),
        None,
    );
    table.at_most("a file in memory, read from entries", median(memory), 250.0, "bytes");
    let (engine, snapshot) = last.take().context("no round")?;
    list(&snapshot, table)?;
    let begun = Instant::now();
    let start = snapshot.to_start();
    let took = begun.elapsed().as_secs_f64();
    let size = per(start.len(), files);
    table.row("a start made of them", format!("{took:.2} s, {size:.0} bytes a file"), None);
    drop((snapshot, engine));
    let block = place.below("start")?;
    truncated(&directory, &block, &start)?;
    drop(start);
    let [mut took, mut memory] = [(); 2].map(|()| Vec::new());
    for _ in 0..rounds {
        let (before, begun) = (settled().await, Instant::now());
        let engine = pod(&block).await?;
        let snapshot = open(&engine).await?;
        took.push(begun.elapsed().as_secs_f64());
        memory.push(per(allocator::in_use().saturating_sub(before), files));
        drop(snapshot);
    }
    table.at_most(format!("{files} files opened cold from a start"), median(took), 1.0, "s");
    table.at_most("a file in memory, read from a start", median(memory), 250.0, "bytes");
    Ok(())
}

/// What is in memory once the pods that ended have given back theirs.
async fn settled() -> usize {
    let mut last = usize::MAX;
    loop {
        let now = allocator::in_use();
        // A canary breathes all the time.
        if now.abs_diff(last) < 1 << 20 {
            return now;
        }
        last = now;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn open(engine: &spaces::Engine) -> anyhow::Result<Snapshot> {
    let space = engine.space(api::ids::SpaceId(uuid::Uuid::from_u128(SPACE)), crate::world::volume()?);
    Ok(space.snapshot(Freshness::Now).await?)
}

#[expect(clippy::cast_precision_loss, reason = "a mean need not be exact")]
fn per(bytes: usize, files: usize) -> f64 {
    bytes as f64 / files as f64
}

/// Where a file is and what it is called: some twelve bytes, a few much longer.
fn name(number: usize, files: usize) -> (String, String) {
    let many = files * 2 / 5;
    let directory = if number < many {
        format!("many-{}", number / MANY)
    } else {
        let some = (number - many) / SOME;
        format!("projects/{}/part-{some}", some / 500)
    };
    let (kind, ending) = match number % 5 {
        0 => ("IMG_", "jpg"),
        1 => ("doc-", "pdf"),
        2 => ("", "txt"),
        3 => ("notes ", "md"),
        _ => ("Übersicht ", "odt"),
    };
    // No order of names is an order of numbers.
    let mixed = number.wrapping_mul(7_919) % 1_000_003;
    let long = if number.is_multiple_of(50) { " - copy for the meeting on Friday" } else { "" };
    (directory, format!("{kind}{mixed}{long}.{ending}"))
}

/// Makes the space, and times an operation while it grows.
async fn build(directory: &Path, files: usize, table: &mut Table) -> anyhow::Result<()> {
    let engine = engine(Quick::over(directory.to_owned()), Settings::default()).await?;
    let space = space(&engine, SPACE).await?;
    let (short, long) = (Bytes::from_static(&[7; 100]), Bytes::from(vec![7; LONG]));
    let mut first = None;
    let mut known = String::new();
    let mut made = 0;
    while made < files {
        let until = (made + AT_ONCE).min(files);
        let names: Vec<_> = (made..until).map(|number| name(number, files)).collect();
        for (above, _) in &names {
            if *above != known {
                make_directory(&space, above).await?;
                known.clone_from(above);
            }
        }
        let putting = names.iter().enumerate().map(|(at, (above, name))| {
            let content = if at % OWN == 0 { long.clone() } else { short.clone() };
            let at = format!("{above}/{name}");
            let space = &space;
            async move { put(space, &at, content).await }
        });
        try_join_all(putting).await?;
        for count in [1_000, 100_000, 1_000_000] {
            if (made..until).contains(&(count - 1)) {
                let took = operation(&space, files).await?;
                let first = *first.get_or_insert(took);
                table.at_most(
                    format!("an operation among {count} files, without a disk"),
                    took / first,
                    2.0,
                    &format!("times the first ({took:.0} µs)"),
                );
            }
        }
        made = until;
    }
    // Up to the end of a block.
    let mut number = 0;
    while !made_generation(&space).await?.is_multiple_of(1_000) {
        make_directory(&space, &format!("fill-{number}")).await?;
        number += 1;
    }
    Ok(())
}

async fn made_generation(space: &Space) -> anyhow::Result<u64> {
    Ok(space.snapshot(Freshness::Within(Duration::MAX)).await?.generation().0)
}

/// Microseconds of moving a file to and fro in a directory of many.
async fn operation(space: &Space, files: usize) -> anyhow::Result<f64> {
    let (above, name) = name(500, files);
    let names = [format!("{above}/{name}"), format!("{above}/{name}-moved")];
    let [from, to] = [path(&names[0])?, path(&names[1])?];
    let mut took = Vec::new();
    for _ in 0..TIMES / 2 {
        for (from, to) in [(&from, &to), (&to, &from)] {
            let begun = Instant::now();
            act(space, Operation::Move { from: from.clone(), to: to.clone(), overwrite: false }).await?;
            took.push(milliseconds(begun.elapsed()) * 1e3);
        }
    }
    Ok(median(took))
}

fn list(snapshot: &Snapshot, table: &mut Table) -> anyhow::Result<()> {
    let directory = path("many-0")?;
    let mut took = Vec::new();
    let mut names = 0;
    for _ in 0..20 {
        let begun = Instant::now();
        let listed = snapshot.list(&directory, None, MANY);
        took.push(milliseconds(begun.elapsed()));
        names = listed.len();
    }
    table.at_most(format!("a listing of {names} names"), median(took), 2.0, "ms");
    Ok(())
}

/// A volume whose log begins with a start.
fn truncated(from: &Path, to: &Path, start: &[u8]) -> anyhow::Result<()> {
    let id = api::ids::SpaceId(uuid::Uuid::from_u128(SPACE)).to_string();
    let space = Path::new("spaces").join(id.get(..2).unwrap_or_default()).join(&id);
    std::fs::copy(from.join("internet-disk.json"), to.join("internet-disk.json"))?;
    let blocks = std::fs::read_dir(from.join(&space).join("log"))?;
    let numbers: Result<Vec<u64>, _> =
        blocks.map(|block| anyhow::Ok(block?.file_name().to_string_lossy().parse()?)).collect();
    let last = numbers?.into_iter().max().unwrap_or(0);
    let block = to.join(&space).join("log").join((last + 1).to_string());
    std::fs::create_dir_all(&block)?;
    std::fs::write(block.join("start"), start)?;
    Ok(())
}
