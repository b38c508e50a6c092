//! Several pods, each a process of its own, put files into one space.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::commits::{CLIENTS, keep_putting};
use crate::table::{Table, median};
use crate::world::{Place, pod, space};

/// How long they put files in a round.
const PUTTING: Duration = Duration::from_secs(3);

const SPACE: u128 = 20;

pub(crate) async fn measure(place: &Place, rounds: usize, table: &mut Table) -> anyhow::Result<()> {
    let directory = place.below("pods")?;
    space(&pod(&directory).await?, SPACE).await?;
    let [mut shares, mut ones, mut threes] = [(); 3].map(|()| Vec::new());
    for round in 0..rounds {
        let one = rate(&directory, &format!("{round}-one"), 1).await?;
        let three = rate(&directory, &format!("{round}-three"), 3).await?;
        shares.push(three / one);
        ones.push(one);
        threes.push(three);
    }
    table.row(format!("the same by one pod, a process, {CLIENTS} clients"), a_second(median(ones)), None);
    let name = format!("by three pods into one space, {CLIENTS} clients in all");
    table.row(name, a_second(median(threes)), None);
    table.at_least("three pods against one", median(shares), 0.5, "times");
    Ok(())
}

fn a_second(rate: f64) -> String {
    format!("{rate:.0} a second")
}

/// How many files a second so many pods put together, with the same number of clients in all.
async fn rate(directory: &Path, round: &str, pods: usize) -> anyhow::Result<f64> {
    let mut children = Vec::new();
    for number in 0..pods {
        let clients = CLIENTS / pods + usize::from(number < CLIENTS % pods);
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--pod", &format!("{round}-{number}:{clients}")])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        // It has opened the space and waits.
        ensure!(line(&mut output).await? == "ready", "a pod did not start");
        children.push((child, output));
    }
    let begun = Instant::now();
    for (child, _) in &mut children {
        say(child, "go\n").await?;
    }
    tokio::time::sleep(PUTTING).await;
    let ending = children.into_iter().map(async |(mut child, mut output)| {
        drop(child.stdin.take());
        let count: f64 = line(&mut output).await?.parse()?;
        ensure!(child.wait().await?.success(), "a pod failed");
        anyhow::Ok(count)
    });
    let counts = try_join_all(ending).await?;
    Ok(counts.iter().sum::<f64>() / begun.elapsed().as_secs_f64())
}

async fn line(output: &mut BufReader<tokio::process::ChildStdout>) -> anyhow::Result<String> {
    let mut line = String::new();
    output.read_line(&mut line).await?;
    Ok(line.trim().to_owned())
}

async fn say(child: &mut Child, what: &str) -> anyhow::Result<()> {
    child.stdin.as_mut().context("no input")?.write_all(what.as_bytes()).await?;
    Ok(())
}

/// A pod of such a round: puts files from a line on its input until the input ends, and says how many.
#[expect(clippy::print_stdout, reason = "this is how it answers")]
pub(crate) async fn serve(directory: &Path, pod_and_clients: &str) -> anyhow::Result<()> {
    let (name, clients) =
        pod_and_clients.split_once(':').context("a pod has a name and a number of clients")?;
    let clients: usize = clients.parse()?;
    let engine = pod(directory).await?;
    let space = space(&engine, SPACE).await?;
    println!("ready");
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    let (ended, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let putting = (0..clients).map(|client| {
        let top = format!("{name}/{client}");
        let putting = tokio::spawn(keep_putting(space.clone(), top, ended.clone(), count.clone()));
        async { putting.await? }
    });
    let until = async {
        tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
        ended.store(true, Ordering::Relaxed);
        anyhow::Ok(())
    };
    futures::future::try_join(try_join_all(putting), until).await?;
    println!("{}", count.load(Ordering::Relaxed));
    Ok(())
}
