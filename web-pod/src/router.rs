//! Which address is answered by what.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{delete, get, post, put};

use crate::app::App;
use crate::{
    app_passwords, body, csrf, headers, links, oidc, page, self_service, servers, session, sign_in, spaces,
};

/// Everything the public port answers.
pub fn router(app: App) -> Router {
    let for_members = Router::new()
        .route("/session", get(sign_in::who))
        .route("/spaces", get(spaces::list))
        .route("/servers", post(servers::find))
        .route("/app-passwords", get(app_passwords::list).post(app_passwords::make))
        .route("/app-passwords/{id}", delete(app_passwords::revoke))
        .route("/groups", post(self_service::create))
        .route("/groups/{group}/members/{member}", put(self_service::admit).delete(self_service::dismiss))
        .route("/allocations/{group}", put(self_service::allocate).delete(self_service::leave))
        .route_layer(from_fn_with_state(app.clone(), session::require));
    let api = Router::new()
        .route("/session", post(sign_in::begin).delete(sign_in::end))
        .route("/sign-in", get(sign_in::ways))
        .route("/oidc/{provider}", get(oidc::go))
        .route("/oidc/{provider}/return", get(oidc::come))
        .route("/links/{token}", get(links::look).post(links::open))
        .merge(for_members)
        .fallback(serve::problem::not_found)
        .method_not_allowed_fallback(serve::problem::method_not_allowed)
        .layer(from_fn_with_state(app.clone(), csrf::protect))
        .layer(DefaultBodyLimit::max(body::LARGEST))
        .layer(map_response(private));
    Router::new().nest("/api", api).fallback(page::serve).layer(from_fn(headers::harden)).with_state(app)
}

/// Answers of the API are about one member at one moment.
async fn private(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
