//! A client of HTTP/1.1 that costs little: the load shares the machine with what it measures.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

/// Longer than anything may take here.
const PATIENCE: Duration = Duration::from_secs(120);

/// One connection, kept for many requests.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What was read and belongs to no answer yet.
    held: std::ops::Range<usize>,
}

/// How the body of an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    After(u64),
    Chunked,
    Closed,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; 1 << 20], held: 0..0 })
    }

    /// Sends a request without a body and reads the answer; how many bytes its body had.
    pub(crate) fn ask(&mut self, head: &[u8], expected: u16) -> anyhow::Result<u64> {
        self.stream.write_all(head)?;
        self.answer(expected)
    }

    /// Sends bytes and does not wait.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Reads an answer that must be a success: of the kind expected, or any of 2xx when that is 0.
    pub(crate) fn answer(&mut self, expected: u16) -> anyhow::Result<u64> {
        let (status, ending) = self.head()?;
        let length = match ending {
            Ending::After(length) => self.skip(length)?,
            Ending::Chunked => self.skip_chunks()?,
            Ending::Closed => self.skip_all()?,
        };
        let good = if expected == 0 { (200..300).contains(&status) } else { status == expected };
        ensure!(good, "the server answered {status}");
        Ok(length)
    }

    fn head(&mut self) -> anyhow::Result<(u16, Ending)> {
        loop {
            let held = self.buffer.get(self.held.clone()).unwrap_or_default();
            if let Some(end) = held.windows(4).position(|window| window == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(held.get(..end).unwrap_or_default()).into_owned();
                self.held.start += end + 4;
                let (status, ending) = parse(&text)?;
                if status == 100 {
                    continue;
                }
                return Ok((status, ending));
            }
            self.more()?;
        }
    }

    /// Reads on, behind what is held.
    fn more(&mut self) -> anyhow::Result<()> {
        if self.held.is_empty() {
            self.held = 0..0;
        } else if self.held.end == self.buffer.len() {
            self.buffer.copy_within(self.held.clone(), 0);
            self.held = 0..self.held.len();
            ensure!(self.held.end < self.buffer.len(), "a head or a line of a megabyte");
        }
        let room = self.buffer.get_mut(self.held.end..).unwrap_or_default();
        match self.stream.read(room)? {
            0 => bail!("the server closed the connection before its answer was complete"),
            read => self.held.end += read,
        }
        Ok(())
    }

    fn skip(&mut self, length: u64) -> anyhow::Result<u64> {
        let mut left = length;
        while left > 0 {
            if self.held.is_empty() {
                self.more()?;
            }
            let step = (self.held.len() as u64).min(left);
            self.held.start += usize::try_from(step)?;
            left -= step;
        }
        Ok(length)
    }

    fn skip_chunks(&mut self) -> anyhow::Result<u64> {
        let mut sum = 0;
        loop {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(digits, 16).with_context(|| format!("{line:?} is no chunk"))?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(sum);
            }
            sum += self.skip(size)?;
            self.skip(2)?;
        }
    }

    fn skip_all(&mut self) -> anyhow::Result<u64> {
        let mut sum = self.held.len() as u64;
        loop {
            match self.stream.read(&mut self.buffer)? {
                0 => return Ok(sum),
                read => sum += read as u64,
            }
        }
    }

    fn line(&mut self) -> anyhow::Result<String> {
        loop {
            let held = self.buffer.get(self.held.clone()).unwrap_or_default();
            if let Some(end) = held.windows(2).position(|window| window == b"\r\n") {
                let line = String::from_utf8_lossy(held.get(..end).unwrap_or_default()).into_owned();
                self.held.start += end + 2;
                return Ok(line);
            }
            self.more()?;
        }
    }
}

fn parse(text: &str) -> anyhow::Result<(u16, Ending)> {
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .with_context(|| format!("no answer of HTTP: {text:?}"))?;
    if status < 200 || status == 204 || status == 304 {
        return Ok((status, Ending::After(0)));
    }
    let mut ending = Ending::Closed;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            ending = Ending::After(value.trim().parse().context("a length that is none")?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok((status, Ending::Chunked));
        }
    }
    Ok((status, ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_body_is_known_from_the_head() {
        for (text, status, ending) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 12", 200, Ending::After(12)),
            ("HTTP/1.1 207 Multi-Status\r\ntransfer-encoding: chunked", 207, Ending::Chunked),
            ("HTTP/1.1 204 No Content\r\nServer: x", 204, Ending::After(0)),
            ("HTTP/1.0 200 OK\r\nServer: x", 200, Ending::Closed),
        ] {
            assert_eq!(parse(text).unwrap(), (status, ending));
        }
        assert!(parse("SSH-2.0").is_err());
    }
}
