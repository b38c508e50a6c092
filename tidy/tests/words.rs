//! The repository speaks of the product: no path of a machine, no host of a package registry.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test: all of it

/// Pieces are put together here so that this file does not find itself.
fn forbidden() -> Vec<String> {
    let join = |parts: &[&str]| parts.concat();
    vec![
        join(&["/wo", "rk/"]),
        join(&["/ro", "ot/"]),
        join(&["/ho", "me/"]),
        join(&["/tmp/", "bash_jobs"]),
        join(&["registry.", "npmjs"]),
        join(&["proxy.", "golang"]),
        join(&["deb.", "debian"]),
        join(&["crates", ".io"]),
        join(&["static.", "rust-lang"]),
        join(&["pypi", ".org"]),
    ]
}

/// Where WebDAV has the own disk of a member: no path of a machine.
fn own_disk() -> String {
    ["/dav/ho", "me/"].concat()
}

/// Cargo writes the name of its registry into the lock file by itself.
const WRITTEN_BY_TOOLS: [&str; 1] = ["Cargo.lock"];

#[test]
fn no_path_of_a_machine_and_no_registry_host() {
    let mut found = Vec::new();
    for file in tidy::files().unwrap() {
        if WRITTEN_BY_TOOLS.contains(&file.as_str()) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(tidy::root().join(&file)) else { continue };
        let text = text.replace(&own_disk(), "");
        for word in forbidden() {
            if let Some(line) = text.lines().position(|line| line.contains(&word)) {
                found.push(format!("{file}:{} says {word}", line + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
