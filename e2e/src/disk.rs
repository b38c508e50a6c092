//! A disk pod's side: files of one space, through one pod.

use anyhow::{Result, anyhow};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::http::{Answer, Body, Http};

/// One space on one disk pod.
#[derive(Clone)]
pub struct Disk {
    /// The connections.
    pub http: Http,
    /// The pod's name.
    pub pod: String,
    /// Its URL.
    pub url: String,
    /// The space's id.
    pub space: String,
    /// What lets us in.
    pub ticket: String,
}

impl Disk {
    /// The same space with the same ticket, in another way.
    pub fn with_ticket(&self, ticket: &str) -> Self {
        Self { ticket: ticket.to_owned(), ..self.clone() }
    }

    /// The URL of something under this space. `path` begins with what kind of thing it is.
    pub fn at(&self, path: &str) -> String {
        format!("{}/v1/spaces/{}/{path}", self.url, self.space)
    }

    /// The URL of a file, its name escaped.
    pub fn file(&self, path: &str) -> String {
        self.at(&format!("files/{}", escape(path)))
    }

    /// The header that lets us in.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.ticket)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer> {
        let bearer = self.bearer();
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        self.http.send(method, url, &all, body).await
    }

    /// Puts a file, making the directories above it.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn put(&self, path: &str, content: Bytes) -> Result<Answer> {
        let url = format!("{}?parents=true", self.file(path));
        self.send(Method::PUT, &url, &[("content-type", "application/octet-stream")], content).await
    }

    /// Puts a file from a body that may be long or end early.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn put_body(&self, path: &str, length: Option<u64>, body: Body) -> Result<Answer> {
        let bearer = self.bearer();
        let length = length.map(|length| length.to_string());
        let mut headers = vec![("authorization", bearer.as_str())];
        if let Some(length) = &length {
            headers.push(("content-length", length.as_str()));
        }
        self.http.send_body(Method::PUT, &format!("{}?parents=true", self.file(path)), &headers, body).await
    }

    /// Gets a file whole.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, &self.file(path), &[], Bytes::new()).await
    }

    /// Length and BLAKE3 of a file, as this pod serves it, at least as new as `generation`.
    ///
    /// # Errors
    /// When it is not served.
    pub async fn hash(&self, path: &str, generation: Option<u64>) -> Result<(u64, blake3::Hash)> {
        let bearer = self.bearer();
        let generation = generation.map(|generation| generation.to_string());
        let mut headers = vec![("authorization", bearer.as_str())];
        if let Some(generation) = &generation {
            headers.push(("x-generation", generation.as_str()));
        }
        self.http.hash(&self.file(path), &headers).await
    }

    /// Every entry of a directory, page after page.
    ///
    /// # Errors
    /// When it is not listed.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut entries = Vec::new();
        let mut after = String::new();
        loop {
            let url = self.at(&format!("list/{}?limit=500{after}", escape(path)));
            let page = self.send(Method::GET, &url, &[], Bytes::new()).await?.expect(200)?.json()?;
            let found = page["entries"].as_array().ok_or_else(|| anyhow!("no entries in {page}"))?;
            entries.extend(found.iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={}", escape(next)),
                None => return Ok(entries),
            }
        }
    }

    /// The names in a directory.
    ///
    /// # Errors
    /// When it is not listed.
    pub async fn names(&self, path: &str) -> Result<Vec<String>> {
        let entries = self.list(path).await?;
        Ok(entries.iter().filter_map(|entry| entry["name"].as_str().map(str::to_owned)).collect())
    }

    /// An operation that moves no bytes: `mkdir`, `move`, `copy`, `delete`.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn operate(&self, operation: Value) -> Result<Answer> {
        let headers = [("content-type", "application/json")];
        self.send(Method::POST, &self.at("operations"), &headers, operation.to_string().into()).await
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn make_directory(&self, path: &str) -> Result<Answer> {
        self.operate(json!({ "op": "mkdir", "path": path })).await
    }

    /// Deletes a file or a directory with all in it, for good.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.operate(json!({ "op": "delete", "path": path, "permanently": true })).await
    }

    /// Limit, used and reserved bytes.
    ///
    /// # Errors
    /// When it is not told.
    pub async fn usage(&self) -> Result<Usage> {
        let told = self.send(Method::GET, &self.at("usage"), &[], Bytes::new()).await?.expect(200)?.json()?;
        let number = |field: &str| told[field].as_u64().ok_or_else(|| anyhow!("no {field} in {told}"));
        Ok(Usage { limit: number("limit")?, used: number("used")?, reserved: number("reserved")? })
    }
}

/// What a space has and uses, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The hard limit.
    pub limit: u64,
    /// Files.
    pub used: u64,
    /// Promised to uploads under way.
    pub reserved: u64,
}

/// The generation an answer carries.
///
/// # Errors
/// When it carries none.
pub fn generation(answer: &Answer) -> Result<u64> {
    let header =
        answer.header("x-generation").ok_or_else(|| anyhow!("no X-Generation in {:?}", answer.headers))?;
    Ok(header.parse()?)
}

/// Percent-encodes a path, leaving the slashes.
pub fn escape(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
