//! What an operation costs one client, and how many a pod does for many.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::try_join_all;
use spaces::{Operation, Space};

use crate::raw;
use crate::table::{Table, median, milliseconds};
use crate::world::{Place, act, make_directory, path, pod, put, space};

/// So often in a round one client does each thing.
const TIMES: usize = 200;

/// How long many clients put files in a round.
const PUTTING: Duration = Duration::from_secs(2);

pub(crate) const CLIENTS: usize = 64;

/// The content that is put.
pub(crate) fn content() -> Bytes {
    Bytes::from(vec![7_u8; 16 << 10])
}

/// What one round found, in milliseconds of the median.
struct Round {
    raw: f64,
    make_directory: f64,
    relocate: f64,
    put: f64,
    rate: f64,
}

pub(crate) async fn measure(place: &Place, rounds: usize, table: &mut Table) -> anyhow::Result<()> {
    let engine = pod(&place.below("commits")?).await?;
    let space = space(&engine, 10).await?;
    let mut found = Vec::new();
    for number in 0..rounds {
        found.push(round(place, &space, number).await?);
    }
    let of = |pick: fn(&Round) -> f64| median(found.iter().map(pick).collect());
    table.row("one commit, raw", format!("{:.2} ms", of(|round| round.raw)), None);
    let times = "times raw";
    table.at_most("mkdir, one client", of(|round| round.make_directory / round.raw), 1.3, times);
    table.at_most("move, one client", of(|round| round.relocate / round.raw), 1.3, times);
    table.at_most("put of 16 KiB, one client", of(|round| round.put / round.raw), 2.2, times);
    let name = format!("puts of 16 KiB, {CLIENTS} clients");
    table.at_least(name, of(|round| round.rate), 20_000.0, "a second");
    Ok(())
}

async fn round(place: &Place, space: &Space, number: usize) -> anyhow::Result<Round> {
    let top = format!("round{number}");
    make_directory(space, &top).await?;
    // One after the other, so that whatever else the machine does meets all of them alike.
    let [mut raws, mut makes, mut moves, mut puts] = [(); 4].map(|()| Vec::new());
    let bare = place.below(&format!("raw{number}"))?;
    for step in 0..TIMES / 10 {
        raws.extend(raw::commits(&bare.join(step.to_string()), 10)?.into_iter().map(milliseconds));
        for one in 0..10 {
            let at = format!("{top}/{step}-{one}");
            makes.push(timed(make_directory(space, &at)).await?);
            let (from, to) = (path(&at)?, path(&format!("{at}-moved"))?);
            moves.push(timed(act(space, Operation::Move { from, to, overwrite: false })).await?);
            puts.push(timed(put(space, &format!("{at}-file"), content())).await?);
        }
    }
    let [raw, make_directory, relocate, put] = [raws, makes, moves, puts].map(median);
    let rate = rate(space, &format!("{top}/many"), CLIENTS, PUTTING).await?;
    Ok(Round { raw, make_directory, relocate, put, rate })
}

async fn timed<T>(what: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<f64> {
    let begun = Instant::now();
    what.await?;
    Ok(milliseconds(begun.elapsed()))
}

/// How many files a second so many clients put, each one after the other.
pub(crate) async fn rate(space: &Space, top: &str, clients: usize, during: Duration) -> anyhow::Result<f64> {
    let (ended, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let putting = (0..clients).map(|client| {
        let top = format!("{top}/{client}");
        let putting = tokio::spawn(keep_putting(space.clone(), top, ended.clone(), count.clone()));
        async { putting.await? }
    });
    let timer = async {
        tokio::time::sleep(during).await;
        ended.store(true, Ordering::Relaxed);
        Ok(())
    };
    futures::future::try_join(try_join_all(putting), timer).await?;
    #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
    let count = count.load(Ordering::Relaxed) as f64;
    Ok(count / begun.elapsed().as_secs_f64())
}

/// Puts files until it is ended.
pub(crate) async fn keep_putting(
    space: Space,
    top: String,
    ended: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    make_directory(&space, &top).await?;
    let content = content();
    for number in 0_u64.. {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        put(&space, &format!("{top}/{number}"), content.clone()).await?;
        count.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
