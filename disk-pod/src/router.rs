//! The public routes.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::{HeaderValue, Method, StatusCode, header};

use crate::app::App;
use crate::auth;
use crate::dav::dav;
use crate::error::Error;
use crate::http::cors::cors;
use crate::http::{
    delete, get as download, list, operations, put, search, trash, usage, versions as old, zip,
};
use crate::links;
use crate::load::CountedBody;
use crate::tus;

type Answer = Result<Response, Error>;

/// Everything that is served to members.
pub fn router(app: App) -> Router {
    // Methods are matched inside: the router has no word for those of WebDAV, and its own HEAD loses lengths.
    let spaces = Router::new()
        .route("/v1/spaces/{space}/files", any(files))
        .route("/v1/spaces/{space}/files/{*path}", any(files))
        .route("/v1/spaces/{space}/list", any(listing))
        .route("/v1/spaces/{space}/list/", any(listing))
        .route("/v1/spaces/{space}/list/{*path}", any(listing))
        .route("/v1/spaces/{space}/operations", any(operation))
        .route("/v1/spaces/{space}/search", any(searched))
        .route("/v1/spaces/{space}/trash", any(trashed))
        .route("/v1/spaces/{space}/versions/{*path}", any(versions))
        .route("/v1/spaces/{space}/zip", any(zipped))
        .route("/v1/spaces/{space}/zip/", any(zipped))
        .route("/v1/spaces/{space}/zip/{*path}", any(zipped))
        .route("/v1/spaces/{space}/usage", any(numbers))
        .route("/v1/spaces/{space}/shares", any(shares))
        .route("/v1/spaces/{space}/shares/{share}", any(share))
        .route("/v1/spaces/{space}/uploads", any(uploads))
        .route("/v1/spaces/{space}/uploads/{upload}", any(upload))
        .fallback(serve::problem::not_found)
        .layer(from_fn_with_state(app.clone(), auth::know))
        .layer(from_fn_with_state(app.clone(), count))
        .layer(from_fn_with_state(app.clone(), cors));
    // No page has a business there: without CORS a browser lets none send more than a GET.
    let mounted = Router::new()
        .route("/", any(dav))
        .route("/dav", any(dav))
        .route("/dav/", any(dav))
        .route("/dav/{*path}", any(dav))
        .layer(from_fn_with_state(app.clone(), count));
    Router::new()
        .route("/v1/ping", get(ping))
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

async fn files(State(app): State<App>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    match head.method {
        Method::GET | Method::HEAD => Box::pin(download::get(&app, &head)).await,
        Method::PUT => Box::pin(put::put(&app, &head, body)).await,
        Method::DELETE => Box::pin(delete::delete(&app, &head)).await,
        Method::OPTIONS => Ok(allow("GET, HEAD, PUT, DELETE, OPTIONS")),
        _ => Err(Error::Method("GET, HEAD, PUT, DELETE, OPTIONS")),
    }
}

async fn listing(State(app): State<App>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    match head.method {
        Method::GET => list::list(&app, &head).await,
        Method::OPTIONS => Ok(allow("GET, OPTIONS")),
        _ => Err(Error::Method("GET, OPTIONS")),
    }
}

async fn operation(State(app): State<App>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    match head.method {
        Method::POST => Box::pin(operations::operations(&app, &head, body)).await,
        Method::OPTIONS => Ok(allow("POST, OPTIONS")),
        _ => Err(Error::Method("POST, OPTIONS")),
    }
}

async fn numbers(State(app): State<App>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    match head.method {
        Method::GET => usage::usage(&app, &head).await,
        Method::OPTIONS => Ok(allow("GET, OPTIONS")),
        _ => Err(Error::Method("GET, OPTIONS")),
    }
}

async fn searched(State(app): State<App>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    match head.method {
        Method::GET => search::search(&app, &head).await,
        Method::OPTIONS => Ok(allow("GET, OPTIONS")),
        _ => Err(Error::Method("GET, OPTIONS")),
    }
}

async fn trashed(State(app): State<App>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    match head.method {
        Method::GET => trash::list(&app, &head).await,
        Method::OPTIONS => Ok(allow("GET, OPTIONS")),
        _ => Err(Error::Method("GET, OPTIONS")),
    }
}

async fn zipped(State(app): State<App>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    match head.method {
        Method::GET | Method::HEAD => Box::pin(zip::get(&app, &head)).await,
        Method::OPTIONS => Ok(allow("GET, HEAD, OPTIONS")),
        _ => Err(Error::Method("GET, HEAD, OPTIONS")),
    }
}

async fn versions(State(app): State<App>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    match head.method {
        Method::GET => old::list(&app, &head).await,
        Method::OPTIONS => Ok(allow("GET, OPTIONS")),
        _ => Err(Error::Method("GET, OPTIONS")),
    }
}

async fn shares(State(app): State<App>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    match head.method {
        Method::GET => links::list(&app, &head).await,
        Method::POST => Box::pin(links::create(&app, &head, body)).await,
        Method::OPTIONS => Ok(allow("GET, POST, OPTIONS")),
        _ => Err(Error::Method("GET, POST, OPTIONS")),
    }
}

async fn share(State(app): State<App>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    match head.method {
        Method::DELETE => Box::pin(links::remove(&app, &head)).await,
        Method::OPTIONS => Ok(allow("DELETE, OPTIONS")),
        _ => Err(Error::Method("DELETE, OPTIONS")),
    }
}

async fn uploads(State(app): State<App>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    match head.method {
        Method::POST => Box::pin(tus::create::create(&app, &head, body)).await,
        Method::OPTIONS => Ok(tus::options(&app)),
        _ => Err(Error::Method("POST, OPTIONS")),
    }
}

async fn upload(State(app): State<App>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    match head.method {
        Method::HEAD => tus::resource::head(&app, &head).await,
        Method::PATCH => Box::pin(tus::resource::patch(&app, &head, body)).await,
        Method::DELETE => Box::pin(tus::resource::delete(&app, &head)).await,
        Method::OPTIONS => Ok(tus::options(&app)),
        _ => Err(Error::Method("HEAD, PATCH, DELETE, OPTIONS")),
    }
}

fn allow(methods: &'static str) -> Response {
    (StatusCode::NO_CONTENT, [(header::ALLOW, HeaderValue::from_static(methods))]).into_response()
}

/// Counts a request as in flight until the last byte of its answer is handed over.
async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let running = app.load.request();
    next.run(request).await.map(|body| CountedBody::wrap(body, running))
}

async fn no_sniffing(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
