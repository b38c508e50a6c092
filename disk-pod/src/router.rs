//! The public routes.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::{HeaderValue, Method, StatusCode, header};

use crate::admission::admit;
use crate::app::App;
use crate::auth;
use crate::dav::dav;
use crate::error::Error;
use crate::http::cors::cors;
use crate::http::openapi::{docs, openapi};
use crate::http::routes::{RESOURCES, Resource};
use crate::observe::access::see;

type Answer = Result<Response, Error>;

/// Everything that is served to members.
pub fn router(app: App) -> Router {
    // Methods are matched inside: the router has no word for those of WebDAV, and its own HEAD loses lengths.
    let resources =
        RESOURCES.iter().flat_map(|resource| resource.paths.iter().map(move |path| (path, resource)));
    let spaces = resources
        .fold(Router::new(), |router, (path, resource)| {
            router.route(
                &format!("/v1/spaces/{{space}}/{path}"),
                any(move |app: State<App>, request: Request| answer(resource, app, request)),
            )
        })
        .fallback(serve::problem::not_found)
        .layer(from_fn_with_state(app.clone(), admit))
        .layer(from_fn_with_state(app.clone(), auth::know))
        .layer(from_fn_with_state(app.clone(), see))
        .layer(from_fn_with_state(app.clone(), cors));
    // No page has a business there: without CORS a browser lets none send more than a GET.
    let mounted = Router::new()
        .route("/", any(dav))
        .route("/dav", any(dav))
        .route("/dav/", any(dav))
        .route("/dav/{*path}", any(dav))
        .layer(from_fn_with_state(app.clone(), see));
    Router::new()
        .route("/v1/ping", get(ping))
        .route("/v1/openapi.json", get(openapi))
        .route("/v1/docs", get(docs))
        .merge(spaces)
        .merge(mounted)
        .layer(from_fn(no_sniffing))
        .with_state(app)
}

/// Tells silence from slowness: no storage, no roster, no ticket.
async fn ping() -> Response {
    let anyone = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::NO_CONTENT, anyone).into_response()
}

/// Answers by the table: what is not in it is no method of this resource.
async fn answer(resource: &'static Resource, State(app): State<App>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    match resource.operation(&head.method) {
        Some(operation) => (operation.call)(app, head, body).await,
        None if head.method == Method::OPTIONS => Ok(allow(resource.allow)),
        None => Err(Error::Method(resource.allow)),
    }
}

fn allow(methods: &'static str) -> Response {
    (StatusCode::NO_CONTENT, [(header::ALLOW, HeaderValue::from_static(methods))]).into_response()
}

async fn no_sniffing(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
