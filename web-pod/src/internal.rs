//! The private port: what disk pods ask. It is reached from inside the cluster alone.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;

use crate::app::App;
use crate::sign_in;

/// A name and a password, and what is around them.
const LARGEST: usize = 16 * 1024;

/// Everything that is answered to the other programs.
pub fn internal(app: App) -> Router {
    Router::new()
        .route("/v1/credentials", post(sign_in::check))
        .layer(DefaultBodyLimit::max(LARGEST))
        .fallback(serve::problem::not_found)
        .method_not_allowed_fallback(serve::problem::method_not_allowed)
        .with_state(app)
}
