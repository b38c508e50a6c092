//! A real OpenID provider (oidc-provider on Node), and a browser that signs in there.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use serve::client::Client;

use crate::world::PATIENCE;

/// Where the page of the tests is; nobody listens there.
pub(super) const PAGE: &str = "http://disk.example.org";

pub(super) struct Provider {
    child: Child,
    pub(super) issuer: String,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Provider {
    /// On a port of its own, or on that of one that is gone.
    pub(super) fn start(port: u16, algorithm: &str) -> Self {
        Self::started(port, algorithm, None)
    }

    /// One that speaks TLS, with a certificate that only itself vouches for, at `cert.pem` of the directory.
    pub(super) fn with_tls(directory: &Path) -> Self {
        let made = Command::new("openssl")
            .current_dir(directory)
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=test"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "openssl made no certificate");
        Self::started(0, "RS256", Some(directory))
    }

    fn started(port: u16, algorithm: &str, tls: Option<&Path>) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openid");
        assert!(
            directory.join("node_modules").exists(),
            "the provider is not installed: make tools, or npm ci in {}",
            directory.display()
        );
        let mut child = Command::new("node")
            .current_dir(directory)
            .args(["provider.mjs", &port.to_string(), &format!("{PAGE}/api/oidc/corp/return"), algorithm])
            .args(tls)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It warns of what only a real installation would need.
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let said = lines.map_while(Result::ok).find_map(|line| serde_json::from_str::<Value>(&line).ok());
        let said = said.expect("the provider did not start");
        Self { child, issuer: said["issuer"].as_str().unwrap().to_owned() }
    }

    /// The same provider, restarted with other keys.
    pub(super) fn with_other_keys(self) -> Self {
        let port = self.issuer.rsplit_once(':').unwrap().1.parse().unwrap();
        drop(self);
        Self::start(port, "RS256")
    }
}

/// Signs in at the provider as a person would, from the address that the disk gave, and tells where that leads back to.
pub(super) async fn sign_in_there(address: &str, name: &str) -> String {
    let client = Client::new(PATIENCE);
    let mut cookies = BTreeMap::<String, String>::new();
    let (origin, _) = address.split_at(address.match_indices('/').nth(2).unwrap().0);
    let mut next = (address.to_owned(), None::<String>);
    for _ in 0..12 {
        let (url, form) = next;
        let cookie: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder()
            .method(if form.is_some() { "POST" } else { "GET" })
            .uri(&url)
            .header("cookie", cookie.join("; "))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form.unwrap_or_default())))
            .unwrap();
        let answer = client.send(request, PATIENCE).await.unwrap();
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        if let Some(location) = answer.headers.get("location") {
            let location = location.to_str().unwrap();
            if let Some(back) = location.strip_prefix(PAGE) {
                return back.to_owned();
            }
            let whole =
                if location.starts_with('/') { format!("{origin}{location}") } else { location.to_owned() };
            next = (whole, None);
            continue;
        }
        // A form: first who one is, then whether the disk may know it.
        let page = String::from_utf8_lossy(&answer.body);
        assert!(answer.status.is_success(), "{url}: {} {page}", answer.status);
        let prompt = if page.contains("value=\"login\"") { "login" } else { "consent" };
        let form = format!("prompt={prompt}&login={name}&password=x");
        next = (url, Some(form));
    }
    panic!("the provider never sent {name} back");
}
