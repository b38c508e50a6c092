//! What is asked of each server, the same of all.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use crate::serving::client::Client;
use crate::serving::peers::{Server, open_to_all};

/// The large file.
pub(crate) const LARGE: u64 = 512 << 20;
/// A small file.
pub(crate) const SMALL: u64 = 16 << 10;
/// How many small files can be read.
pub(crate) const SMALL_FILES: usize = 1000;
/// How many names the listed directory has.
pub(crate) const LISTED: usize = 5000;
/// Connections with small requests.
const CONNECTIONS: usize = 16;
const DOWNLOADS: u32 = 4;
const GETS: usize = 20_000;
const PUTS: usize = 4_000;
const LISTINGS: u32 = 10;
/// Connections that ask for nothing.
const IDLE: usize = 10_000;
/// Uploads at once.
const UPLOADS: usize = 200;

/// What one kind of work cost.
pub(crate) struct Cost {
    /// How many units were done in a second.
    pub(crate) rate: f64,
    /// Seconds of the server's processor for one.
    pub(crate) processor: f64,
}

/// Bytes that no file system and no network makes smaller.
pub(crate) struct Noise(Vec<u8>);

impl Noise {
    pub(crate) fn new() -> Self {
        let mut bytes = vec![0; 1 << 20];
        fastrand::Rng::with_seed(1).fill(&mut bytes);
        Self(bytes)
    }

    fn some(&self, length: u64) -> &[u8] {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.0.len());
        self.0.get(..length).unwrap_or_default()
    }

    fn send(&self, client: &mut Client, length: u64) -> anyhow::Result<()> {
        let mut left = length;
        while left > 0 {
            let step = self.some(left);
            client.send(step)?;
            left -= step.len() as u64;
        }
        Ok(())
    }
}

/// The same tree as plain files.
pub(crate) fn plain_tree(tree: &Path, noise: &Noise) -> anyhow::Result<()> {
    for directory in ["small", "listed", "up", ".temporary"] {
        std::fs::create_dir_all(tree.join(directory))?;
        open_to_all(&tree.join(directory))?;
    }
    raw(&tree.join("large"), noise)?;
    for (path, size) in small_files() {
        std::fs::write(tree.join(path), noise.some(size))?;
    }
    Ok(())
}

fn small_files() -> impl Iterator<Item = (String, u64)> {
    let small = (0..SMALL_FILES).map(|number| (format!("small/{number}"), SMALL));
    let listed = (0..LISTED).map(|number| (format!("listed/document-{number:05}.txt"), 100));
    small.chain(listed)
}

/// The same tree by requests.
pub(crate) fn put_tree(server: &Server, noise: &Noise) -> anyhow::Result<()> {
    let mut client = Client::connect(server.process.address)?;
    put(server, &mut client, "up/first?parents=true", SMALL, noise)?;
    put(server, &mut client, "large", LARGE, noise)?;
    for (path, size) in small_files() {
        put(server, &mut client, &format!("{path}?parents=true"), size, noise)?;
    }
    Ok(())
}

fn put(server: &Server, client: &mut Client, path: &str, size: u64, noise: &Noise) -> anyhow::Result<()> {
    client.send(&server.put(path, size))?;
    noise.send(client, size)?;
    client.answer(0).with_context(|| format!("PUT {path}"))?;
    Ok(())
}

/// Does something and divides what it took by the number of units.
fn cost(server: &Server, units: f64, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Cost> {
    let before = server.process.processor_time()?;
    let start = Instant::now();
    work()?;
    let took = start.elapsed().as_secs_f64();
    let processor = server.process.processor_time()? - before;
    Ok(Cost { rate: units / took, processor: processor / units })
}

const GIB: f64 = (1_u64 << 30) as f64;

/// A large file, read; a unit is a GiB.
pub(crate) fn downloads(server: &Server) -> anyhow::Result<Cost> {
    let mut client = Client::connect(server.process.address)?;
    let request = server.get("large");
    let work = || {
        for _ in 0..DOWNLOADS {
            let length = client.ask(&request, 200)?;
            anyhow::ensure!(length == LARGE, "{length} bytes came");
        }
        Ok(())
    };
    cost(server, f64::from(DOWNLOADS) * LARGE as f64 / GIB, work).context("large downloads")
}

/// Small files, read over many connections.
pub(crate) fn gets(server: &Server) -> anyhow::Result<Cost> {
    let mut clients = connect(server, CONNECTIONS)?;
    let work = || {
        for round in 0..GETS / CONNECTIONS {
            for (at, client) in clients.iter_mut().enumerate() {
                client.send(&server.get(&format!("small/{}", (round * CONNECTIONS + at) % SMALL_FILES)))?;
            }
            for client in &mut clients {
                anyhow::ensure!(client.answer(200)? == SMALL, "another length");
            }
        }
        Ok(())
    };
    cost(server, GETS as f64, work).context("small downloads")
}

/// A large file, written; a unit is a GiB.
pub(crate) fn upload(server: &Server, round: usize, noise: &Noise) -> anyhow::Result<Cost> {
    let mut client = Client::connect(server.process.address)?;
    let path = format!("up/large-{round}");
    cost(server, LARGE as f64 / GIB, || put(server, &mut client, &path, LARGE, noise))
        .context("large uploads")
}

/// Small files, written over many connections.
pub(crate) fn puts(server: &Server, round: usize, noise: &Noise) -> anyhow::Result<Cost> {
    let clients = connect(server, CONNECTIONS)?;
    let work = || {
        std::thread::scope(|scope| {
            let workers: Vec<_> = clients
                .into_iter()
                .enumerate()
                .map(|(at, mut client)| {
                    scope.spawn(move || {
                        (0..PUTS / CONNECTIONS).try_for_each(|number| {
                            put(server, &mut client, &format!("up/{round}-{at}-{number}"), SMALL, noise)
                        })
                    })
                })
                .collect();
            workers.into_iter().try_for_each(|worker| {
                worker.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a client has panicked")))
            })
        })
    };
    cost(server, PUTS as f64, work).context("small uploads")
}

/// A directory, listed by WebDAV.
pub(crate) fn listings(server: &Server) -> anyhow::Result<Cost> {
    let mut client = Client::connect(server.process.address)?;
    let request = server.list("listed/");
    let work = || (0..LISTINGS).try_for_each(|_| client.ask(&request, 207).map(drop));
    cost(server, f64::from(LISTINGS), work).context("listings")
}

/// What the server has in memory with many connections that ask for nothing, in MiB.
pub(crate) fn idle(server: &Server) -> anyhow::Result<f64> {
    let request = server.get("small/0");
    let mut clients = Vec::new();
    for _ in 0..IDLE {
        // Only a connection that was used is one that the server holds.
        let mut stream = std::net::TcpStream::connect(server.process.address)?;
        stream.write_all(&request)?;
        clients.push(stream);
    }
    for stream in &mut clients {
        read_small(stream)?;
    }
    server.process.memory()
}

fn read_small(stream: &mut std::net::TcpStream) -> anyhow::Result<()> {
    let mut buffer = [0; 4096];
    let mut left = SMALL;
    stream.set_read_timeout(Some(std::time::Duration::from_secs(30)))?;
    while left > 0 {
        match std::io::Read::read(stream, &mut buffer)? {
            0 => anyhow::bail!("the server has closed an idle connection"),
            read => left = left.saturating_sub(read as u64),
        }
    }
    Ok(())
}

/// What the server has in memory while many uploads are half sent, in MiB.
pub(crate) fn uploads(server: &Server, noise: &Noise) -> anyhow::Result<f64> {
    let size = 4 << 20;
    let mut clients = connect(server, UPLOADS)?;
    for (at, client) in clients.iter_mut().enumerate() {
        client.send(&server.put(&format!("up/slow-{at}"), size))?;
        noise.send(client, size / 2)?;
    }
    let memory = server.process.memory()?;
    for client in &mut clients {
        noise.send(client, size / 2)?;
        client.answer(0)?;
    }
    Ok(memory)
}

fn connect(server: &Server, number: usize) -> anyhow::Result<Vec<Client>> {
    (0..number).map(|_| Client::connect(server.process.address)).collect()
}

/// Writes a large file as `dd conv=fdatasync` does; GiB in a second.
pub(crate) fn raw(path: &Path, noise: &Noise) -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut file = File::create(path)?;
    for _ in 0..LARGE >> 20 {
        file.write_all(noise.some(1 << 20))?;
    }
    file.sync_data()?;
    Ok(LARGE as f64 / GIB / start.elapsed().as_secs_f64())
}
