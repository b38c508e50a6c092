//! Resumable uploads (tus 1.0) through a disk pod, and the way to go on with them through another.

use anyhow::{Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;

use crate::disk::Disk;
use crate::http::Answer;

/// An upload that was begun.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its id, the last part of its address, the same on every pod.
    pub id: String,
    /// The length that was declared.
    pub length: u64,
}

/// Declares an upload of `length` bytes to `path`.
///
/// # Errors
/// When there is no answer.
pub async fn try_create(disk: &Disk, path: &str, length: u64) -> Result<Answer> {
    let metadata = format!("path {},parents", STANDARD.encode(path));
    let length = length.to_string();
    let headers = [("tus-resumable", "1.0.0"), ("upload-length", &length), ("upload-metadata", &metadata)];
    disk.send(Method::POST, &disk.at("uploads"), &headers, Bytes::new()).await
}

/// The same, when it is accepted.
///
/// # Errors
/// When it is not.
pub async fn create(disk: &Disk, path: &str, length: u64) -> Result<Upload> {
    let answer = try_create(disk, path, length).await?.expect(201)?;
    let location = answer.header("location").ok_or_else(|| anyhow!("201 without Location"))?;
    let id = location.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    Ok(Upload { id, length })
}

/// The offset that is durable, told by any pod.
///
/// # Errors
/// When it is not told.
pub async fn offset(disk: &Disk, upload: &Upload) -> Result<u64> {
    let url = disk.at(&format!("uploads/{}", upload.id));
    let answer =
        disk.send(Method::HEAD, &url, &[("tus-resumable", "1.0.0")], Bytes::new()).await?.expect(200)?;
    read_offset(&answer)
}

/// Sends a piece at an offset, and returns the answer as it is.
///
/// # Errors
/// When there is none.
pub async fn try_patch(disk: &Disk, upload: &Upload, at: u64, piece: Bytes) -> Result<Answer> {
    let url = disk.at(&format!("uploads/{}", upload.id));
    let at = at.to_string();
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("upload-offset", at.as_str()),
        ("content-type", "application/offset+octet-stream"),
    ];
    disk.send(Method::PATCH, &url, &headers, piece).await
}

/// Sends everything from `at` on in pieces, and returns the last answer.
///
/// # Errors
/// When a piece is not taken.
pub async fn send_rest(
    disk: &Disk,
    upload: &Upload,
    content: &Bytes,
    mut at: u64,
    piece: usize,
) -> Result<Answer> {
    loop {
        let begin = usize::try_from(at)?;
        let end = content.len().min(begin + piece);
        let answer = try_patch(disk, upload, at, content.slice(begin..end)).await?.expect(204)?;
        let reached = read_offset(&answer)?;
        if reached != end as u64 {
            bail!("sent up to {end}, the pod acknowledged {reached}");
        }
        if reached == upload.length {
            return Ok(answer);
        }
        at = reached;
    }
}

/// Sends a file whole, going on elsewhere when a pod fails, as the page does: the servers are taken in turn, and
/// the offset is asked for before anything is sent again. Returns how often it had to move.
///
/// # Errors
/// When no server of the list takes it in `attempts` tries.
pub async fn send_anywhere(
    disks: &[Disk],
    path: &str,
    content: &Bytes,
    piece: usize,
    attempts: usize,
) -> Result<usize> {
    let mut upload = None;
    let mut last = anyhow!("no server was tried");
    for (moves, disk) in disks.iter().cycle().take(attempts).enumerate() {
        let outcome = async {
            let upload = match &mut upload {
                Some(upload) => upload,
                none => none.insert(create(disk, path, content.len() as u64).await?),
            };
            let at = offset(disk, upload).await?;
            if at < upload.length {
                send_rest(disk, upload, content, at, piece).await?;
            }
            anyhow::Ok(())
        };
        match outcome.await {
            Ok(()) => return Ok(moves),
            Err(error) => last = error,
        }
    }
    Err(last.context(format!("{path} found no server")))
}

fn read_offset(answer: &Answer) -> Result<u64> {
    let offset =
        answer.header("upload-offset").ok_or_else(|| anyhow!("no Upload-Offset in {:?}", answer.headers))?;
    Ok(offset.parse()?)
}
