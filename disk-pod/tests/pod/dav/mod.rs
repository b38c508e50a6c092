//! WebDAV through the real router.

mod bad_input;
mod clients;
mod disks;
mod forwarder;
mod large;
mod libraries;
mod litmus;
mod locks;
mod mounts;
mod program;
mod programs;
mod properties;
mod tables;
mod trees;

use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderName, Method, Request};

use crate::world::{Answer, Pod, World};

/// A client that mounted something.
pub(crate) struct Mounted<'a> {
    pod: &'a Pod,
    authorization: String,
}

impl<'a> Mounted<'a> {
    /// The own disk of a member, at `/dav/home`.
    pub(crate) fn home(world: &World, pod: &'a Pod, member: &str) -> Self {
        Self { pod, authorization: format!("Bearer {}", world.ticket(member, world.own(member))) }
    }

    /// The disk of the group, at `/dav/groups/trips`.
    pub(crate) fn group(world: &World, pod: &'a Pod, member: &str) -> Self {
        Self { pod, authorization: format!("Bearer {}", world.ticket(member, world.group.space)) }
    }

    /// All disks of a member, by name and password; a web pod must know of it.
    pub(crate) fn signed_in(pod: &'a Pod, member: &str) -> Self {
        let shown = BASE64_STANDARD.encode(format!("{member}:secret"));
        Self { pod, authorization: format!("Basic {shown}") }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::new(body.into());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = url.parse().unwrap();
        request.headers_mut().insert("host", "disk.example.org".parse().unwrap());
        request.headers_mut().insert("x-forwarded-proto", "https".parse().unwrap());
        request.headers_mut().insert("authorization", self.authorization.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        self.pod.send(request).await
    }

    pub(crate) async fn status(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> u16 {
        self.send(method, url, headers, body).await.status.as_u16()
    }

    pub(crate) async fn put(&self, url: &str, content: &str) {
        let answer = self.send("PUT", url, &[], content.to_owned()).await;
        assert!(answer.status.is_success(), "PUT {url}: {answer:?}");
    }

    pub(crate) async fn mkcol(&self, url: &str) {
        let answer = self.send("MKCOL", url, &[], "").await;
        assert_eq!(answer.status, 201, "MKCOL {url}: {answer:?}");
    }

    pub(crate) async fn content(&self, url: &str) -> Option<String> {
        let answer = self.send("GET", url, &[], "").await;
        answer.status.is_success().then(|| text(&answer))
    }

    /// Locks something, and gives the token in its brackets.
    pub(crate) async fn lock(&self, url: &str, depth: &str, scope: &str) -> String {
        let answer = self.send("LOCK", url, &[("depth", depth)], lockinfo(scope)).await;
        assert!(answer.status.is_success(), "LOCK {url}: {answer:?}");
        answer.header("lock-token").to_owned()
    }

    /// The URLs that a PROPFIND tells of.
    pub(crate) async fn urls(&self, url: &str, depth: &str) -> Vec<String> {
        let answer = self.send("PROPFIND", url, &[("depth", depth)], "").await;
        assert_eq!(answer.status, 207, "{answer:?}");
        let text = text(&answer);
        let hrefs = text.split("<D:response><D:href>").skip(1);
        hrefs.map(|rest| rest.split_once("</D:href>").unwrap().0.to_owned()).collect()
    }
}

pub(crate) fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

pub(crate) fn lockinfo(scope: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><lockinfo xmlns=\"DAV:\"><lockscope><{scope}/></lockscope>\
         <locktype><write/></locktype><owner>a test</owner></lockinfo>"
    )
}

/// What a PROPFIND for one property finds: the element, when it is there.
pub(crate) async fn property(client: &Mounted<'_>, url: &str, element: &str) -> Option<String> {
    let body = format!("<D:propfind xmlns:D=\"DAV:\"><D:prop>{element}</D:prop></D:propfind>");
    let answer = client.send("PROPFIND", url, &[("depth", "0")], body).await;
    assert_eq!(answer.status, 207, "{answer:?}");
    let text = text(&answer);
    let (found, _) = text.split_once("</D:prop><D:status>HTTP/1.1 200 OK")?;
    Some(found.split_once("<D:prop>")?.1.to_owned())
}
