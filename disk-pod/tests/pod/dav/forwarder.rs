//! What stands between litmus and three pods: it spreads single requests over them, and repeats one that broke with
//! its `Operation-Id`, as a client does that knows several pods. It also signs in.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serve::{Endpoint, Limits, Metrics, Shutdown};

use crate::world::PATIENCE;

pub(super) struct Forwarder {
    pub(super) address: SocketAddr,
    /// Each request that was sent more than once, and why.
    pub(super) repeated: Arc<Mutex<Vec<String>>>,
}

struct Route {
    pods: Vec<SocketAddr>,
    authorization: HeaderValue,
    client: Client<HttpConnector, Full<Bytes>>,
    next: AtomicUsize,
    generation: AtomicU64,
    repeated: Arc<Mutex<Vec<String>>>,
}

impl Forwarder {
    /// Listens; must be called within a runtime.
    pub(super) async fn start(pods: Vec<SocketAddr>, ticket: &str) -> Self {
        let repeated = Arc::default();
        let route = Arc::new(Route {
            pods,
            authorization: HeaderValue::try_from(format!("Bearer {ticket}")).unwrap(),
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
            next: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
            repeated: Arc::clone(&repeated),
        });
        let router = Router::new().fallback(move |request: Request<Body>| {
            let route = route.clone();
            async move { route.forward(request).await }
        });
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let endpoint = Endpoint::bind("forwarder", anywhere, router, Limits::default()).await.unwrap();
        let address = endpoint.address().unwrap();
        tokio::spawn(async move {
            serve::serve_until_drained(vec![endpoint], &Metrics::new(), Duration::ZERO, &Shutdown::new())
                .await;
        });
        Self { address, repeated }
    }
}

impl Route {
    async fn forward(&self, request: Request<Body>) -> Response {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        head.headers.insert(header::AUTHORIZATION, self.authorization.clone());
        head.headers.remove(header::TRANSFER_ENCODING);
        head.headers.remove(header::EXPECT);
        let id = uuid::Uuid::new_v4().to_string();
        head.headers.insert("operation-id", HeaderValue::try_from(id).unwrap());
        let known = self.generation.load(Ordering::Relaxed);
        if known > 0 {
            head.headers.insert("x-generation", HeaderValue::from(known));
        }
        let begun = Instant::now();
        loop {
            let pod = self.pods[self.next.fetch_add(1, Ordering::Relaxed) % self.pods.len()];
            let why = match tokio::time::timeout(Duration::from_secs(10), self.ask(pod, &head, &body)).await {
                Ok(Ok(response)) if response.status() != StatusCode::SERVICE_UNAVAILABLE => return response,
                Ok(Ok(response)) => response.status().to_string(),
                Ok(Err(error)) => error,
                Err(_) => "no answer".to_owned(),
            };
            assert!(begun.elapsed() < PATIENCE, "{} {}: {why}", head.method, head.uri);
            self.repeated.lock().unwrap().push(format!("{} {}: {why}", head.method, head.uri));
            tokio::task::yield_now().await;
        }
    }

    async fn ask(
        &self,
        pod: SocketAddr,
        head: &http::request::Parts,
        body: &Bytes,
    ) -> Result<Response, String> {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = head.method.clone();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("http://{pod}{path}").parse::<Uri>().unwrap();
        *request.headers_mut() = head.headers.clone();
        let response = self.client.request(request).await.map_err(|error| format!("{error:?}"))?;
        let (mut head, body) = response.into_parts();
        // How long it is was not known when it came; now it is.
        head.headers.remove(header::TRANSFER_ENCODING);
        let body = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
        let seen = head.headers.get("x-generation").and_then(|value| value.to_str().ok()?.parse().ok());
        self.generation.fetch_max(seen.unwrap_or(0), Ordering::Relaxed);
        Ok((head, body).into_response())
    }
}
