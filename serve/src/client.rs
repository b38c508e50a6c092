//! A small HTTP client for calls between pods: short, bounded in time and size, over kept connections.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;

/// Answers between pods are reports, never files.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is no address.
    #[error("{0:?} is not a URL")]
    Address(String),
    /// Nobody could be reached there.
    #[error("cannot reach {uri}: {source}")]
    Unreachable {
        /// Who was called.
        uri: Uri,
        /// What the connection said.
        source: Box<legacy::Error>,
    },
    /// No full answer came in time.
    #[error("no answer from {uri} within {limit:?}")]
    TimedOut {
        /// Who was called.
        uri: Uri,
        /// How long was waited.
        limit: Duration,
    },
    /// The answer was cut short or is too large.
    #[error("the answer of {uri} broke off: {reason}")]
    Broken {
        /// Who was called.
        uri: Uri,
        /// What happened.
        reason: String,
    },
    /// An answer, but not of success.
    #[error("{uri} answered {status}: {body}")]
    Refused {
        /// Who was called.
        uri: Uri,
        /// The status.
        status: StatusCode,
        /// The beginning of the body, for the log.
        body: String,
    },
    /// The answer is not what was expected there.
    #[error("the answer of {uri} cannot be read: {source}")]
    Unreadable {
        /// Who was called.
        uri: Uri,
        /// What the decoder said.
        source: serde_json::Error,
    },
    /// The authorisation holds characters that no header can.
    #[error("the token cannot be sent in a header")]
    Token,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status, which may be one of failure.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, complete.
    pub body: Bytes,
}

/// A client; clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    inner: legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Client {
    /// A client that waits `connect` at most for a connection.
    pub fn new(connect: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(connect));
        connector.set_nodelay(true);
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(2)
            .build(connector);
        Self { inner }
    }

    /// Reads a JSON document; `limit` bounds the whole call.
    ///
    /// # Errors
    /// Every way of [`ClientError`].
    pub async fn get_json<T: DeserializeOwned>(&self, url: &str, limit: Duration) -> Result<T, ClientError> {
        let uri = parsed(url)?;
        let answer = self.send(request(Method::GET, &uri, Bytes::new()), limit).await?;
        decoded(uri, &answer)
    }

    /// Sends a JSON body, exactly as given (a token may be bound to its bytes), and reads a JSON answer.
    ///
    /// # Errors
    /// Every way of [`ClientError`].
    pub async fn post_json<T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: Option<&str>,
        body: Bytes,
        limit: Duration,
    ) -> Result<T, ClientError> {
        let uri = parsed(url)?;
        let mut request = request(Method::POST, &uri, body);
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        if let Some(token) = bearer {
            let mut value =
                HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| ClientError::Token)?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let answer = self.send(request, limit).await?;
        decoded(uri, &answer)
    }

    /// Sends any request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// When there is no whole answer within `limit`.
    pub async fn send(&self, request: Request<Full<Bytes>>, limit: Duration) -> Result<Answer, ClientError> {
        let uri = request.uri().clone();
        let whole = async {
            let response = self
                .inner
                .request(request)
                .await
                .map_err(|source| ClientError::Unreachable { uri: uri.clone(), source: source.into() })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, LARGEST_ANSWER)
                .collect()
                .await
                .map_err(|error| ClientError::Broken { uri: uri.clone(), reason: error.to_string() })?
                .to_bytes();
            Ok(Answer { status: head.status, headers: head.headers, body })
        };
        tokio::time::timeout(limit, whole)
            .await
            .unwrap_or_else(|_| Err(ClientError::TimedOut { uri: uri.clone(), limit }))
    }
}

fn parsed(url: &str) -> Result<Uri, ClientError> {
    url.parse().map_err(|_| ClientError::Address(url.to_owned()))
}

fn request(method: Method, uri: &Uri, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri.clone();
    request
}

fn decoded<T: DeserializeOwned>(uri: Uri, answer: &Answer) -> Result<T, ClientError> {
    if !answer.status.is_success() {
        let body = String::from_utf8_lossy(&answer.body).chars().take(200).collect();
        return Err(ClientError::Refused { uri, status: answer.status, body });
    }
    serde_json::from_slice(&answer.body).map_err(|source| ClientError::Unreadable { uri, source })
}
