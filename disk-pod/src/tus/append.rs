//! Takes the bytes of one request into an upload, and acknowledges as it goes: whatever happens to the client,
//! the connection or this pod, at most a second of transfer is sent twice.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use spaces::{Committed, UploadWriter};
use tokio::time::Instant;

use crate::app::App;
use crate::auth::Grant;
use crate::error::Error;
use crate::http::body::{BodyError, Incoming};
use crate::http::digest::Check;
use crate::load::Work;

/// Acknowledged after so many bytes, or after [`ACKNOWLEDGE_TIME`], whichever is first.
const ACKNOWLEDGE_BYTES: u64 = 64 * 1024 * 1024;
const ACKNOWLEDGE_TIME: Duration = Duration::from_secs(1);

/// How a request's bytes were taken in.
#[derive(Debug)]
pub(crate) enum Appended {
    /// More is to come from here.
    UpTo(u64),
    /// That was all: the file is there.
    Complete(u64, Committed),
}

/// An upload in the hands of this pod.
pub(crate) struct Append {
    pub(crate) app: App,
    /// By what right.
    pub(crate) grant: Grant,
    pub(crate) writer: UploadWriter,
    /// Where the bytes begin.
    pub(crate) offset: u64,
    /// The length of the whole upload.
    pub(crate) length: u64,
    /// How many bytes the request announces.
    pub(crate) announced: Option<u64>,
    /// What they must be: until that is known none of them counts.
    pub(crate) check: Option<Check>,
}

impl Append {
    /// Reads the body to its end and stores it. Runs on its own, so that a client which goes away does not
    /// take with it what it has sent.
    pub(crate) async fn run(self, body: Body) -> Result<Appended, Error> {
        let room = self.length.saturating_sub(self.offset);
        if self.announced.is_some_and(|announced| announced > room) {
            return Err(Error::TooLarge(room));
        }
        match tokio::spawn(Box::pin(self.take(body))).await {
            Ok(result) => result,
            // Cancelled: the program is at its end, and so is this request.
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::Draining { offset: None }),
            },
        }
    }

    async fn take(self, body: Body) -> Result<Appended, Error> {
        let Self { app, grant, mut writer, offset, length, announced, mut check } = self;
        let mut incoming = Incoming::new(body, app.silence);
        let mut transfer = app.load.transfer(announced.unwrap_or(0));
        let (mut position, mut acknowledged) = (offset, offset);
        let mut since = Instant::now();
        loop {
            let due = since + ACKNOWLEDGE_TIME;
            let event = tokio::select! {
                biased;
                () = app.shutdown.draining() => Event::Draining,
                () = tokio::time::sleep_until(due), if position > acknowledged => Event::Due,
                chunk = incoming.next() => Event::Chunk(chunk),
            };
            match event {
                Event::Chunk(Ok(Some(chunk))) => {
                    let taken = chunk.len() as u64;
                    if taken > length - position {
                        keep(&mut writer, check.is_none()).await?;
                        return Err(Error::TooLarge(length - offset));
                    }
                    if let Some(check) = &mut check {
                        check.update(&chunk);
                    }
                    let begun = Instant::now();
                    writer.write(chunk).await?;
                    if position == offset {
                        app.load.took(Work::of_transfer(length - offset), begun.elapsed());
                    }
                    transfer.moved(taken);
                    position += taken;
                    if position - acknowledged < ACKNOWLEDGE_BYTES {
                        continue;
                    }
                }
                Event::Chunk(Ok(None)) => break,
                Event::Chunk(Err(error)) => {
                    keep(&mut writer, check.is_none()).await?;
                    return Err(Error::Body(error));
                }
                Event::Draining => {
                    let kept = keep(&mut writer, check.is_none()).await?;
                    return Err(Error::Draining { offset: Some(kept.unwrap_or(offset)) });
                }
                Event::Due => {}
            }
            acknowledged = keep(&mut writer, check.is_none()).await?.unwrap_or(acknowledged);
            since = Instant::now();
            grant.still_holds(&app)?;
        }
        if !check.is_none_or(Check::holds) {
            return Err(Error::Checksum);
        }
        if position == length {
            grant.still_holds(&app)?;
            let finished = writer.finish().await;
            app.space(&grant).uploaded(&finished).await;
            return Ok(Appended::Complete(length, finished?));
        }
        Ok(Appended::UpTo(writer.acknowledge().await?))
    }
}

/// Acknowledges what came, if it counts already, and says up to where.
async fn keep(writer: &mut UploadWriter, counts: bool) -> Result<Option<u64>, Error> {
    Ok(if counts { Some(writer.acknowledge().await?) } else { None })
}

enum Event {
    Chunk(Result<Option<Bytes>, BodyError>),
    Due,
    Draining,
}
