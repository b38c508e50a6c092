//! The document of the API: it is what is committed, what is served, and what really is answered.

use std::path::Path;

use axum::body::Body;
use http::Request;
use internet_disk_disk_pod::http::openapi::document;
use serde_json::{Value, json};

use crate::world::{Client, World};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/openapi-disk-pod.json");

#[test]
fn the_committed_document_is_what_the_code_says() {
    let generated = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("INTERNET_DISK_REGENERATE").is_some() {
        std::fs::write(COMMITTED, generated).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(Path::new(COMMITTED)).unwrap_or_default();
    assert!(committed == generated, "docs/reference/openapi-disk-pod.json is old: run `make generate`");
}

#[tokio::test]
async fn what_is_in_the_document_is_there_and_nothing_else() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let document = document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(route) = path.strip_prefix("/v1/spaces/{space}/") else { continue };
        let route = route
            .replace("{path}", "a")
            .replace("{share}", "0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c11")
            .replace("{upload}", "0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c11");
        for method in ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "PROPFIND"] {
            let answer = alice.send(method, &route, &[("tus-resumable", "1.0.0")], "").await;
            let known = methods.get(method.to_ascii_lowercase()).is_some();
            assert_eq!(answer.status != 405, known, "{method} {path}: {answer:?}");
            if !known {
                let allowed = answer.header("allow").replace(", ", " ").to_ascii_lowercase();
                let mut allowed: Vec<&str> =
                    allowed.split(' ').filter(|method| *method != "options").collect();
                let mut documented: Vec<&String> = methods.as_object().unwrap().keys().collect();
                documented.retain(|method| *method != "options");
                allowed.sort_unstable();
                documented.sort_unstable();
                assert_eq!(allowed, documented, "{path}");
            }
        }
    }
}

/// Whether a value is what a schema says, as far as ours say anything.
fn fits(value: &Value, schema: &Value, document: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(value, document.pointer(reference.trim_start_matches('#')).unwrap(), document, place);
    }
    if let Some(any) = schema["anyOf"].as_array().or(schema["allOf"].as_array()) {
        return any.iter().for_each(|one| fits(value, one, document, place));
    }
    match &schema["type"] {
        Value::String(kind) => {
            let is = match kind.as_str() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64(),
                "boolean" => value.is_boolean(),
                other => panic!("{place}: {other}"),
            };
            assert!(is, "{place}: {value} is no {kind}");
        }
        Value::Array(kinds) => assert!(!kinds.is_empty(), "{place}"),
        Value::Null => {}
        other => panic!("{place}: {other}"),
    }
    if let Some(fields) = value.as_object() {
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(fields.contains_key(required.as_str().unwrap()), "{place}: no {required} in {value}");
        }
        for (name, value) in fields {
            let known = &schema["properties"][name];
            assert!(known.is_object(), "{place}: {name} is not in the document");
            fits(value, known, document, &format!("{place}.{name}"));
        }
    }
    for value in value.as_array().into_iter().flatten() {
        fits(value, &schema["items"], document, &format!("{place}[]"));
    }
}

#[tokio::test]
async fn answers_are_as_the_document_says() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.send("PUT", "files/d/a?parents=true", &[], "one").await;
    alice.put("d/a", "two").await;
    alice.put("gone", "three").await;
    alice.operate(json!({"op": "delete", "path": "gone"})).await;
    assert_eq!(alice.send("POST", "shares", &[], json!({"path": "d"}).to_string()).await.status, 201);
    let document = document();
    let schema = |path: &str, method: &str| {
        let content =
            &document["paths"][format!("/v1/spaces/{{space}}/{path}")][method]["responses"]["200"]["content"];
        content["application/json"]["schema"].clone()
    };
    let told = async |client: &Client<'_>, route: &str| client.send("GET", route, &[], "").await.json();
    for (documented, route) in [
        ("list/{path}", "list/d?limit=1"),
        ("list/{path}", "list"),
        ("search", "search?q=a&limit=1"),
        ("trash", "trash?limit=1"),
        ("versions/{path}", "versions/d/a"),
        ("usage", "usage"),
        ("shares", "shares"),
    ] {
        let schema = schema(documented, "get");
        assert!(schema.is_object(), "{documented}");
        fits(&told(&alice, route).await, &schema, &document, route);
    }
    let done = alice.operate(json!({"op": "mkdir", "path": "new"})).await.json();
    fits(&done, &schema("operations", "post"), &document, "operations");
    let problem = &document["components"]["schemas"]["Problem"];
    fits(&alice.get("nothing").await.json(), problem, &document, "problem");
}

#[tokio::test]
async fn it_is_served_to_anybody_and_shown_without_help_from_elsewhere() {
    let world = World::new();
    let pod = world.pod().await;
    let get = |path: &str| pod.send(Request::get(path).body(Body::empty()).unwrap());
    let served = get("/v1/openapi.json").await;
    assert_eq!((served.status.as_u16(), served.json()), (200, document()));
    assert_eq!(served.header("access-control-allow-origin"), "*");
    let page = get("/v1/docs").await;
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(!text.contains("://") && !text.contains("<script") && !text.contains("src="));
    for (path, _) in document()["paths"].as_object().unwrap() {
        assert!(path == "/v1/ping" || text.contains(path), "{path}");
    }
}
