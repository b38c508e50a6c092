//! A page of another site cannot make a signed-in browser change anything: such a request needs a header that no
//! form can send, and must not come from elsewhere. No token is kept, so any web pod can answer.

use api::problem::ProblemCode;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Method, header};
use serve::problem::Refusal;

use crate::app::App;

const REQUESTED_WITH: &str = "x-requested-with";
const US: &str = "internet-disk";

pub(crate) async fn protect(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        let roster = app.roster.current();
        check(request.headers(), roster.settings().web_url.as_deref())?;
    }
    Ok(next.run(request).await)
}

fn check(headers: &HeaderMap, web_url: Option<&str>) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text(REQUESTED_WITH) != Some(US) {
        return Err(Refusal::new(
            ProblemCode::Forbidden,
            "a request that changes something needs the header X-Requested-With: internet-disk",
        ));
    }
    let elsewhere = || {
        Refusal::new(
            ProblemCode::Forbidden,
            "this request comes from a page of another site: open the disk's own page",
        )
    };
    // Browsers say it themselves; `none` is a person's own doing, such as typing an address.
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(elsewhere());
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().map_err(|_| elsewhere())?;
    let host = text(header::HOST.as_str());
    let ours = web_url.is_some_and(|url| url.trim_end_matches('/').eq_ignore_ascii_case(origin))
        || origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host);
    if ours { Ok(()) } else { Err(elsewhere()) }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    type Case = (&'static str, &'static [(&'static str, &'static str)], bool);

    #[test]
    fn only_the_own_page_may_change_things() {
        let ours = Some("https://disk.example.org");
        let table: [Case; 9] = [
            ("no header", &[], false),
            ("another library's header", &[("x-requested-with", "XMLHttpRequest")], false),
            ("curl", &[("x-requested-with", "internet-disk")], true),
            (
                "the page",
                &[
                    ("x-requested-with", "internet-disk"),
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://disk.example.org"),
                ],
                true,
            ),
            (
                "the page by another name of it",
                &[
                    ("x-requested-with", "internet-disk"),
                    ("origin", "http://10.0.0.1:80"),
                    ("host", "10.0.0.1:80"),
                ],
                true,
            ),
            ("a sibling", &[("x-requested-with", "internet-disk"), ("sec-fetch-site", "same-site")], false),
            (
                "another site",
                &[("x-requested-with", "internet-disk"), ("origin", "https://evil.example")],
                false,
            ),
            ("a sandbox", &[("x-requested-with", "internet-disk"), ("origin", "null")], false),
            (
                "a longer name",
                &[("x-requested-with", "internet-disk"), ("origin", "https://disk.example.org.evil.example")],
                false,
            ),
        ];
        for (what, given, allowed) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(check(&headers, ours).is_ok(), allowed, "{what}");
        }
    }
}
