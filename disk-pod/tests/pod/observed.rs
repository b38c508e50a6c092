//! What is seen from outside is what happened, and what the documents say.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use internet_disk_disk_pod::Observed;
use serde_json::{Value, json};
use serve::Metrics;
use serve::lines::Lines;

use crate::standalone::{ALICE, Place};
use crate::world::{PATIENCE, World};

fn document(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../docs/reference", name].iter().collect();
    std::fs::read_to_string(path).unwrap()
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Everything that a line says must be explained.
fn explained(lines: &[Value], section: &str) {
    let document = document("logs.md");
    let section = document.split("\n## ").find(|text| text.starts_with(section)).unwrap();
    for line in lines {
        for key in line.as_object().unwrap().keys() {
            assert!(
                section.contains(&format!("| `{key}` |")),
                "docs/reference/logs.md does not explain {key}"
            );
        }
    }
}

#[tokio::test]
async fn who_did_what_to_which_file_is_told_and_names_are_told_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    let (access, audit) = (directory.path().join("access"), directory.path().join("audit"));
    let stream = |file: &Path| Lines::to(&file.display().to_string().parse().unwrap()).unwrap();
    let (access_lines, audit_lines) = (stream(&access), stream(&audit));
    let mut world = World::new();
    world.observed = Observed::new(&Metrics::new(), access_lines.clone(), audit_lines.clone()).unwrap();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let operation = "0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c11";
    let secret = "secret-name";
    let put = alice
        .send(
            "PUT",
            &format!("files/{secret}"),
            &[("operation-id", operation), ("content-length", "7")],
            "content",
        )
        .await;
    assert_eq!(put.status, 201);
    alice.get(secret).await;
    alice.operate(json!({"op": "move", "from": secret, "to": "moved"})).await;
    alice.operate(json!({"op": "move", "from": "nothing", "to": "moved"})).await;
    let upload = alice.begin("uploaded", 3).await;
    assert_eq!(alice.patch(&upload, 0, "abc").await.status, 204);
    alice.send("POST", "shares", &[], json!({"path": "moved", "password": "hush"}).to_string()).await;
    alice.send("DELETE", "files/moved", &[], "").await;
    alice.send("GET", "list", &[], "").await;
    audit_lines.flush();
    access_lines.flush();

    let told = lines(&audit);
    let summary: Vec<_> = told
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or_default();
            (text("action"), text("path"), text("to"), text("outcome"))
        })
        .collect();
    assert_eq!(
        summary,
        [
            ("write", secret, "", "done"),
            ("read", secret, "", "done"),
            ("move", secret, "moved", "done"),
            ("move", "nothing", "moved", "refused"),
            ("upload", "uploaded", "", "done"),
            ("share", "moved", "", "done"),
            ("delete", "moved", "", "done"),
        ]
    );
    let (member, space) = (world.members["alice"].uid.to_string(), alice.space.to_string());
    for line in &told {
        assert_eq!(
            (&line["member"], &line["via"], &line["space"]),
            (&json!(member), &json!("ticket"), &json!(space))
        );
        assert_eq!(line["generation"].is_u64(), line["outcome"] == "done", "{line}");
    }
    assert_eq!(told[0]["operation"], operation);
    let node = &told[0]["node"];
    assert!(node.is_u64() && [1, 2, 6].iter().all(|at| told[*at]["node"] == *node), "{told:?}");
    explained(&told, "The audit log");

    let seen = lines(&access);
    explained(&seen, "The access log");
    let text = std::fs::read_to_string(&access).unwrap();
    for hidden in [secret, "moved", "uploaded", "hush", alice.ticket.as_str()] {
        assert!(!text.contains(hidden), "{hidden} is in the access log");
    }
    assert!(!std::fs::read_to_string(&audit).unwrap().contains("hush"));
    let written = &seen[0];
    assert_eq!(
        (&written["method"], &written["status"], &written["work"], &written["bytesIn"], &written["complete"]),
        (&json!("PUT"), &json!(201), &json!("small"), &json!(7), &json!(true))
    );
    assert_eq!(written["route"], "/v1/spaces/{space}/files/{*path}");
    assert_eq!((&seen[1]["bytesOut"], &seen[1]["member"]), (&json!(7), &json!(member)));
    assert!(seen.iter().any(|line| line["protocol"] == "tus" && line["bytesIn"] == 3));
}

/// The program itself: its numbers are those of the document, and its logs go where the command line says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_numbers_are_those_of_the_document() {
    let place = Place::new();
    let (access, audit) = (place.at("access"), place.at("audit"));
    let (access_log, audit_log) = (access.display().to_string(), audit.display().to_string());
    let program = place.start_with(&["--access-log", &access_log, "--audit-log", &audit_log]);
    place.upload(&program, "alice:secret", "/dav/home/file", b"content");
    assert_eq!(program.curl(&["-u", "alice:wrong"], &format!("/v1/spaces/{ALICE}/list")).0, 401);
    let path = BASE64_STANDARD.encode("upload");
    let metadata = format!("Upload-Metadata: path {path}");
    let create = ["-u", "alice:secret", "-X", "POST", "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 0"];
    let create = [&create[..], &["-H", &metadata]].concat();
    assert_eq!(program.curl(&create, &format!("/v1/spaces/{ALICE}/uploads")).0, 201);
    let wanted = [
        "internet_disk_requests_total{outcome=\"ok\",protocol=\"webdav\",work=\"small\"} 1",
        "internet_disk_requests_total{outcome=\"refused\",protocol=\"http\",work=\"metadata\"}",
        "internet_disk_requests_total{outcome=\"ok\",protocol=\"tus\",work=\"metadata\"} 1",
        "internet_disk_transfer_bytes_total{direction=\"in\",protocol=\"webdav\"} 7",
        "internet_disk_admission_limit{volume=\"",
        "internet_disk_commit_duration_seconds_count{volume=\"",
    ];
    let admin = program.admin;
    let metrics = async {
        loop {
            let text = numbers(admin).await;
            if wanted.iter().all(|line| text.contains(line)) {
                return text;
            }
            tokio::task::yield_now().await;
        }
    };
    let text = match tokio::time::timeout(PATIENCE, metrics).await {
        Ok(text) => text,
        Err(_) => panic!("{}", numbers(admin).await),
    };
    let document = document("metrics.md");
    let row = |name: &str| document.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
    for help in text.lines().filter_map(|line| line.strip_prefix("# HELP ")) {
        let (name, help) = help.split_once(' ').unwrap();
        let row = row(name)
            .unwrap_or_else(|| panic!("docs/reference/metrics.md has no row: | `{name}` | … | {help} |"));
        assert!(row.ends_with(&format!("| {help} |")), "{name}: the document says otherwise than: {help}");
    }
    // Labels: those of a sample are those of its row.
    for sample in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, labels)) = sample.split_once('{') else { continue };
        let name =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        for label in labels.split(',').filter_map(|label| label.split_once("=\"")).map(|(label, _)| label) {
            let known = row(name).is_some_and(|row| row.contains(&format!("`{label}`")));
            assert!(
                known || label == "le" || !label.chars().all(|letter| letter.is_ascii_lowercase()),
                "{name}: {label}"
            );
        }
    }
    for name in document.lines().filter_map(|line| line.strip_prefix("| `internet_disk_")?.split('`').next())
    {
        let sometimes = ["commit_failures_total"].contains(&name);
        assert!(
            sometimes || text.contains(&format!("# HELP internet_disk_{name} ")),
            "there is no internet_disk_{name}"
        );
    }
    assert!(lines(&access).iter().any(|line| line["via"] == "password" && line["protocol"] == "webdav"));
    assert!(lines(&audit).iter().any(|line| line["action"] == "write" && line["path"] == "file"));
}

async fn numbers(admin: std::net::SocketAddr) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(admin).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
