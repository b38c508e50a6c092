//! The document that describes this API (OpenAPI 3.1), made of the table that the router is made of, and a page that
//! shows it.

use std::fmt::Write;
use std::sync::LazyLock;

use api::problem::ProblemCode;
use axum::Json;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::routes::{Content, Kind, Operation, Parameter, Place, RESOURCES, Resource};

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
static PAGE: LazyLock<String> = LazyLock::new(page);

/// No origin but this one, and nothing that runs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// Answers with the document: nothing in it is a secret.
pub(crate) async fn openapi() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, Json(&*DOCUMENT)).into_response()
}

/// Answers with a page for people.
pub(crate) async fn docs() -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    (headers, Html(PAGE.as_str())).into_response()
}

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for resource in RESOURCES {
        let mut methods = Map::new();
        for operation in resource.operations {
            let method = operation.method.as_str().to_ascii_lowercase();
            methods.insert(method, described(resource, operation, &mut generator));
        }
        paths.insert(path(resource), Value::Object(methods));
    }
    paths.insert("/v1/ping".to_owned(), ping());
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Internet Disk: disk pod",
            "version": "1",
            "summary": "Files of members and groups.",
            "description": "A ticket from a web pod is good at every disk pod. What each answer means in detail: \
                            docs/reference/http.md.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "bearer": [] }, { "query": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "A ticket." },
                "query": {
                    "type": "apiKey", "in": "query", "name": "ticket",
                    "description": "A ticket, for GET and HEAD alone: downloads by navigation.",
                },
            },
        },
    })
}

/// The path as the document writes it.
fn path(resource: &Resource) -> String {
    let first = resource.paths.first().copied().unwrap_or_default();
    format!("/v1/spaces/{{space}}/{}", first.replace("{*path}", "{path}"))
}

fn described(resource: &Resource, operation: &Operation, generator: &mut schemars::SchemaGenerator) -> Value {
    let text = json!({ "type": "string" });
    let mut parameters = vec![
        json!({ "name": "space", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } }),
    ];
    let path = path(resource);
    for (name, about) in [
        ("path", "Names with slashes between them, each percent-encoded; the root is the empty path."),
        ("upload", "The id of an upload."),
        ("share", "The id of a link."),
    ] {
        if path.contains(&format!("{{{name}}}")) {
            parameters.push(
                json!({ "name": name, "in": "path", "required": true, "description": about, "schema": text }),
            );
        }
    }
    parameters.push(json!({
        "name": "X-Generation", "in": "header",
        "description": "The highest generation of this space that was seen: nothing older is answered.",
        "schema": { "type": "integer", "minimum": 0 },
    }));
    parameters.extend(operation.parameters.iter().map(parameter));
    let mut answers = Map::new();
    for (status, about, content) in operation.gives {
        let mut answer = json!({ "description": about });
        if let Some(content) = body(content, generator) {
            answer["content"] = content;
        }
        answers.insert(status.to_string(), answer);
    }
    answers.insert(
        "default".to_owned(),
        json!({
            "description": "A problem.",
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        }),
    );
    let mut described = json!({
        "operationId": operation.id, "summary": operation.summary, "parameters": parameters, "responses": answers,
    });
    if let Some(content) = body(&operation.takes, generator) {
        described["requestBody"] = json!({ "content": content });
    }
    described
}

fn parameter(parameter: &Parameter) -> Value {
    let Parameter { place, name, kind, about } = parameter;
    let place = match place {
        Place::Query => "query",
        Place::Header => "header",
    };
    let schema = match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Number => json!({ "type": "integer", "minimum": 0 }),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::OneOf(words) => json!({ "enum": words }),
        Kind::Repeated => json!({ "type": "array", "items": { "type": "string" } }),
    };
    json!({ "name": name, "in": place, "description": about, "schema": schema })
}

fn body(content: &Content, generator: &mut schemars::SchemaGenerator) -> Option<Value> {
    match content {
        Content::Nothing => None,
        Content::Json(schema) => Some(json!({ "application/json": { "schema": schema(generator) } })),
        Content::Bytes(kind) => Some(json!({ *kind: {} })),
    }
}

fn ping() -> Value {
    json!({ "get": {
        "operationId": "ping", "summary": "Whether this server and the way to it are alive.", "security": [],
        "responses": { "204": { "description": "They are." } },
    } })
}

fn problem() -> Value {
    let codes: Vec<&str> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "type": "object", "required": ["type", "status", "code", "title"],
        "properties": {
            "type": { "type": "string" }, "status": { "type": "integer" }, "code": { "enum": codes },
            "title": { "type": "string" }, "detail": { "type": "string" }, "requestId": { "type": "string" },
        },
    })
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}\
code{font:14px ui-monospace,monospace}section{border-top:1px solid #8886;padding:.5rem 0}h2{font-size:1rem;margin:.5rem 0}\
td{padding:.1rem 1rem .1rem 0;vertical-align:top}:root{color-scheme:light dark}";

/// The page: all of it plain text in a few elements.
fn page() -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Disk pod API</title><style>{STYLE}</style>\
         <h1>Disk pod API</h1><p>The same for programs: <a href=\"openapi.json\">openapi.json</a>.</p>"
    );
    for resource in RESOURCES {
        for operation in resource.operations {
            let (method, path) = (&operation.method, path(resource));
            let _ = write!(
                page,
                "<section><h2 id=\"{}\"><code>{method} {}</code></h2><p>{}</p><table>",
                escaped(operation.id),
                escaped(&path),
                escaped(operation.summary)
            );
            for Parameter { place, name, kind: _, about } in operation.parameters {
                let name = if *place == Place::Query { format!("?{name}=") } else { (*name).to_owned() };
                let _ = write!(page, "<tr><td><code>{}</code><td>{}", escaped(&name), escaped(about));
            }
            for (status, about, _) in operation.gives {
                let _ = write!(page, "<tr><td><code>{status}</code><td>{}", escaped(about));
            }
            page.push_str("</table></section>");
        }
    }
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
