//! Asks a provider over HTTPS, for a bounded time and a bounded answer.

use std::path::Path;
use std::time::Duration;

use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;

/// What providers answer are documents of a few kilobytes.
const LARGEST_ANSWER: usize = 1 << 20;
/// For the whole of one call: somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a provider told nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silent {
    #[error("cannot use the certificate authorities of {path}: {reason}")]
    Authorities { path: String, reason: String },
    #[error(
        "this pod knows no certificate authority: name those of the provider in spec.signIn.oidc[].caBundleRef ({0})"
    )]
    NoAuthorities(std::io::Error),
    #[error("{0:?} is no address of HTTPS")]
    Address(String),
    #[error("cannot reach {0}: {1}")]
    Unreachable(Uri, String),
    #[error("no answer from {0} within 5 s")]
    TimedOut(Uri),
    #[error("{uri} answered {status}: {body}")]
    Refused { uri: Uri, status: StatusCode, body: String },
    #[error("the answer of {0} cannot be read: {1}")]
    Unreadable(Uri, serde_json::Error),
}

/// A client of one provider.
#[derive(Debug)]
pub(super) struct Client {
    inner: Legacy<HttpsConnector<HttpConnector>, Full<bytes::Bytes>>,
}

impl Client {
    /// Trusts the authorities of a file, or those of the system where there is no such file.
    pub(super) fn new(authorities: &Path) -> Result<Self, Silent> {
        let builder = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| Silent::Address(error.to_string()))?;
        let config = if authorities.exists() {
            builder.with_root_certificates(read(authorities)?)
        } else {
            builder.with_native_roots().map_err(Silent::NoAuthorities)?
        };
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(Duration::from_secs(2)));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config.with_no_client_auth())
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let inner = Legacy::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .build(connector);
        Ok(Self { inner })
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: Option<&str>,
    ) -> Result<T, Silent> {
        let mut request = Request::get(address(url)?);
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.ask(url, request.body(Full::default())).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        authorization: Option<String>,
        form: String,
    ) -> Result<T, Silent> {
        let mut request =
            Request::post(address(url)?).header("content-type", "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        self.ask(url, request.body(Full::from(form))).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        url: &str,
        request: Result<Request<Full<bytes::Bytes>>, http::Error>,
    ) -> Result<T, Silent> {
        let mut request = request.map_err(|_| Silent::Address(url.to_owned()))?;
        request.headers_mut().insert("accept", http::HeaderValue::from_static("application/json"));
        let uri = request.uri().clone();
        let whole = async {
            let unreachable =
                |error: &dyn std::fmt::Display| Silent::Unreachable(uri.clone(), error.to_string());
            let response = self.inner.request(request).await.map_err(|error| {
                let cause =
                    std::error::Error::source(&error).map_or_else(String::new, |one| format!(": {one}"));
                unreachable(&format!("{error}{cause}"))
            })?;
            let (head, body) = response.into_parts();
            let body =
                Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|error| unreachable(&error))?;
            Ok::<_, Silent>((head.status, body.to_bytes()))
        };
        let (status, body) =
            tokio::time::timeout(PATIENCE, whole).await.map_err(|_| Silent::TimedOut(uri.clone()))??;
        if !status.is_success() {
            let body =
                String::from_utf8_lossy(&body).chars().filter(|one| !one.is_control()).take(200).collect();
            return Err(Silent::Refused { uri, status, body });
        }
        serde_json::from_slice(&body).map_err(|error| Silent::Unreadable(uri, error))
    }
}

fn read(path: &Path) -> Result<RootCertStore, Silent> {
    let wrong = |reason: String| Silent::Authorities { path: path.display().to_string(), reason };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))? {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}

/// Secrets go there: in the clear only within this machine.
fn address(url: &str) -> Result<Uri, Silent> {
    let uri: Uri = url.parse().map_err(|_| Silent::Address(url.to_owned()))?;
    let here = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if here => Ok(uri),
        _ => Err(Silent::Address(url.to_owned())),
    }
}
