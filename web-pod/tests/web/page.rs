//! Addresses that are no API, and the headers around everything.

use axum::body::Body;
use http::Request;

use crate::world::World;

#[tokio::test]
async fn every_answer_keeps_browsers_on_a_short_leash() {
    let world = World::new();
    let pod = world.pod().await;
    for path in ["/", "/groups", "/api/session", "/api/nothing", "/assets/missing.js", "/missing.png"] {
        let answer = pod.stranger().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(answer.header("access-control-allow-origin").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_a_page() {
    let world = World::new();
    let pod = world.pod().await;
    for path in ["/assets/missing.js", "/missing.png", "/api/nothing", "/api", "/..%2fetc%2fpasswd.txt"] {
        let answer = pod.stranger().get(path).await;
        assert_eq!(answer.outcome(), (404, "not-found".to_owned()), "{path}");
    }
    for (method, path) in [("POST", "/"), ("PATCH", "/api/session"), ("GET", "/api/servers")] {
        let answer = world.signed_in(&pod, "alice").send(method, path, None).await;
        assert_eq!(answer.outcome(), (405, "method-not-allowed".to_owned()), "{method} {path}");
    }
}

#[tokio::test]
async fn the_page_is_there_when_it_was_built_and_says_so_when_not() {
    let world = World::new();
    let pod = world.pod().await;
    let ask = |path: &str, tag: &str| {
        pod.send(Request::get(path).header("if-none-match", tag).body(Body::empty()).unwrap())
    };
    let page = ask("/", "").await;
    if page.status == 404 {
        assert!(page.json()["detail"].as_str().unwrap().contains("without its page"), "{page:?}");
        return;
    }
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), "no-cache");
    let policy = page.header("content-security-policy");
    for part in ["default-src 'self'", "script-src 'self'", "object-src 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(ask("/", page.header("etag")).await.status, 304);
    let inside = ask("/groups/design", "").await;
    assert_eq!(inside.body, page.body, "the page knows its own addresses");
    assert!(
        !String::from_utf8_lossy(&page.body).contains("<script>"),
        "the policy lets no inline script run"
    );
}
