//! The page and its assets, embedded in the program.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use roster::Settings;
use rust_embed::{EmbeddedFile, RustEmbed};
use serve::problem::Refusal;

use crate::app::App;

/// Empty when the page was not built; then the API is served alone.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/ui/dist"]
#[allow_missing = true]
struct Page;

const INDEX: &str = "index.html";

/// Every file whose name holds a hash of its content lies here.
const HASHED: &str = "assets/";

/// Answers everything that is not the API: a file of the page, or the page itself, which knows its own addresses.
pub(crate) async fn serve(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return serve::problem::method_not_allowed().await.into_response();
    }
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Page::get(path)
        && path != INDEX
    {
        return asset(path, file, &headers);
    }
    // What looks like a file is one: a page instead of a missing script would only confuse the browser.
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.')) && path != INDEX;
    if path.starts_with(HASHED) || is_file {
        return serve::problem::not_found().await.into_response();
    }
    match Page::get(INDEX) {
        Some(file) => index(&app, file, &headers),
        None => Refusal::new(
            api::problem::ProblemCode::NotFound,
            "this web pod was built without its page: build web-pod/ui first",
        )
        .into_response(),
    }
}

fn index(app: &App, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let policy = content_security_policy(app.roster.current().settings());
    let mut response = answer(INDEX, file, headers, "no-cache");
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn asset(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let caching = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    answer(path, file, headers, caching)
}

fn answer(path: &str, file: EmbeddedFile, headers: &HeaderMap, caching: &'static str) -> Response {
    let hash = file.metadata.sha256_hash();
    let etag = format!("\"{}\"", hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>());
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().trim_start_matches("W/") == etag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)))], file.data).into_response()
    };
    let answered = response.headers_mut();
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answered.insert(header::ETAG, etag);
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The page loads nothing from elsewhere and talks to this server and the disk pods alone.
fn content_security_policy(settings: &Settings) -> String {
    let disks = disk_origins(settings).join(" ");
    let with_disks = |sources: &str| format!("{sources} {disks}").trim_end().to_owned();
    [
        "default-src 'self'".to_owned(),
        "script-src 'self'".to_owned(),
        "style-src 'self'".to_owned(),
        format!("connect-src {}", with_disks("'self'")),
        format!("img-src {}", with_disks("'self' data: blob:")),
        format!("media-src {}", with_disks("'self' blob:")),
        format!("frame-src {}", with_disks("'self'")),
        "worker-src 'self'".to_owned(),
        "object-src 'none'".to_owned(),
        "base-uri 'none'".to_owned(),
        "form-action 'self'".to_owned(),
        "frame-ancestors 'none'".to_owned(),
    ]
    .join("; ")
}

/// The disk pods' origins. Where their names differ in a number alone, all numbers are allowed, so that a page that
/// is open uses pods that come later, too.
fn disk_origins(settings: &Settings) -> Vec<String> {
    let mut origins: Vec<String> = settings
        .disk_pods
        .iter()
        .filter_map(|pod| {
            let uri: Uri = pod.url.parse().ok()?;
            let (scheme, host) = (uri.scheme_str()?, uri.host()?);
            let port = uri.port_u16().map_or_else(String::new, |port| format!(":{port}"));
            let by_number = host.split_once('.').filter(|(first, rest)| {
                // An address of numbers alone is not a name with a number before it.
                first.bytes().all(|byte| byte.is_ascii_digit())
                    && rest.bytes().any(|byte| byte.is_ascii_alphabetic())
            });
            Some(match by_number {
                Some((_, rest)) => format!("{scheme}://*.{rest}{port}"),
                None => format!("{scheme}://{host}{port}"),
            })
        })
        .collect();
    origins.sort();
    origins.dedup();
    origins
}

#[cfg(test)]
mod tests {
    use roster::DiskPodAddress;

    use super::*;

    fn settings(urls: &[&str]) -> Settings {
        let disk_pods = urls
            .iter()
            .map(|url| DiskPodAddress {
                name: "disk-0".parse().unwrap(),
                url: (*url).to_owned(),
                internal: String::new(),
            })
            .collect();
        Settings { disk_pods, ..Settings::default() }
    }

    #[test]
    fn the_page_may_talk_to_disk_pods_and_to_nobody_else() {
        let table: [(&[&str], &str); 5] = [
            (&[], "connect-src 'self';"),
            (
                &["http://0.files.localhost:8080", "http://1.files.localhost:8080"],
                "connect-src 'self' http://*.files.localhost:8080;",
            ),
            (
                &["https://a.example.org", "https://b.example.org/"],
                "connect-src 'self' https://a.example.org https://b.example.org;",
            ),
            (&["http://127.0.0.1:9000"], "connect-src 'self' http://127.0.0.1:9000;"),
            (&["no url at all; script-src *"], "connect-src 'self';"),
        ];
        for (urls, expected) in table {
            let policy = content_security_policy(&settings(urls));
            assert!(policy.contains(expected), "{policy}");
        }
    }
}
