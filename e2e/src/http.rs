//! A small HTTP client that knows, as browsers do, that every name under `localhost` is this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, Request, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use tower::util::ServiceFn;

type Addresses = std::vec::IntoIter<SocketAddr>;
type Resolving = Pin<Box<dyn Future<Output = std::io::Result<Addresses>> + Send>>;
type Resolver = ServiceFn<fn(Name) -> Resolving>;

/// What a body may fail with.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;
/// A body to send.
pub type Body = BoxBody<Bytes, BodyError>;

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, all of it.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{}: no JSON: {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// The machine-readable code of a problem (`application/problem+json`).
    ///
    /// # Errors
    /// When the body is no problem.
    pub fn problem(&self) -> Result<String> {
        let problem = self.json()?;
        problem["code"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| anyhow!("{}: no code in {problem}", self.status))
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// This answer, when its status is as expected.
    ///
    /// # Errors
    /// When it is another, with what the server said.
    pub fn expect(self, status: u16) -> Result<Self> {
        if self.status.as_u16() != status {
            bail!("expected {status}, got {}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        Ok(self)
    }
}

/// The client. Clones share connections.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpConnector<Resolver>, Body>,
    limit: Duration,
}

impl Default for Http {
    fn default() -> Self {
        Self::new(Duration::from_secs(30))
    }
}

impl Http {
    /// A client whose requests end after `limit`, one way or the other.
    pub fn new(limit: Duration) -> Self {
        let resolver: Resolver = tower::service_fn(|name| Box::pin(resolve(name)));
        let mut connector = HttpConnector::new_with_resolver(resolver);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, limit }
    }

    /// Sends a request with a body in one piece.
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
        self.send_body(method, url, headers, Full::new(body).map_err(|never| match never {}).boxed()).await
    }

    /// Sends a request with any body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send_body(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method.clone()).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).with_context(|| format!("{url} is no URL"))?;
        let exchange = async {
            let response = self.client.request(request).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            anyhow::Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        tokio::time::timeout(self.limit, exchange)
            .await
            .map_err(|_| anyhow!("{method} {url}: no answer in {:?}", self.limit))?
            .with_context(|| format!("{method} {url}"))
    }

    /// Fetches and hashes a body without keeping it: its length and its BLAKE3.
    ///
    /// # Errors
    /// When there is no answer, it is not 200, or it ends early.
    pub async fn hash(&self, url: &str, headers: &[(&str, &str)]) -> Result<(u64, blake3::Hash)> {
        let mut request = Request::get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let empty = Full::new(Bytes::new()).map_err(|never| match never {}).boxed();
        let response =
            self.client.request(request.body(empty)?).await.with_context(|| format!("GET {url}"))?;
        if response.status() != StatusCode::OK {
            bail!("GET {url}: {}", response.status());
        }
        let mut body = response.into_body();
        let mut hasher = blake3::Hasher::new();
        let mut length = 0;
        while let Some(frame) =
            tokio::time::timeout(self.limit, body.frame()).await.context("the body stood still")?
        {
            if let Ok(data) = frame?.into_data() {
                length += data.len() as u64;
                hasher.update(&data);
            }
        }
        Ok((length, hasher.finalize()))
    }
}

async fn resolve(name: Name) -> std::io::Result<Addresses> {
    let name = name.as_str();
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))].into_iter());
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.collect::<Vec<_>>().into_iter())
}
