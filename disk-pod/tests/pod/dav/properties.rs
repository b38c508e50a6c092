//! Properties: those that the server knows, and those that clients keep.

use super::{Mounted, property, text};
use crate::world::{MIB, World};

fn update(inside: &str) -> String {
    format!("<D:propertyupdate xmlns:D=\"DAV:\">{inside}</D:propertyupdate>")
}

fn set(property: &str) -> String {
    update(&format!("<D:set><D:prop>{property}</D:prop></D:set>"))
}

#[tokio::test]
async fn what_the_server_knows() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.mkcol("/dav/home/d").await;
    let made = alice.send("PUT", "/dav/home/d/a.txt", &[("x-oc-mtime", "784111777")], "abc").await;
    for (url, name, value) in [
        ("d/a.txt", "getcontentlength", Some("<D:getcontentlength>3</D:getcontentlength>")),
        ("d/a.txt", "getcontenttype", Some("<D:getcontenttype>text/plain; charset=utf-8</D:getcontenttype>")),
        (
            "d/a.txt",
            "getlastmodified",
            Some("<D:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</D:getlastmodified>"),
        ),
        ("d/a.txt", "creationdate", Some("<D:creationdate>1994-11-06T08:49:37Z</D:creationdate>")),
        ("d/a.txt", "resourcetype", Some("<D:resourcetype/>")),
        ("d/a.txt", "lockdiscovery", Some("<D:lockdiscovery></D:lockdiscovery>")),
        ("d/a.txt", "quota-used-bytes", None),
        ("d/", "resourcetype", Some("<D:resourcetype><D:collection/></D:resourcetype>")),
        ("d/", "getcontentlength", None),
        ("d/", "getetag", None),
        ("d/", "quota-used-bytes", Some("<D:quota-used-bytes>3</D:quota-used-bytes>")),
        ("d/", "displayname", None),
    ] {
        let found = property(&alice, &format!("/dav/home/{url}"), &format!("<D:{name}/>")).await;
        assert_eq!(found.as_deref(), value, "{url} {name}");
    }
    let free = format!("<D:quota-available-bytes>{}</D:quota-available-bytes>", 8 * MIB - 3);
    assert_eq!(property(&alice, "/dav/home/", "<D:quota-available-bytes/>").await, Some(free));
    // The same tag, type and time as GET tells, and as the HTTP API does.
    let got = alice.send("GET", "/dav/home/d/a.txt", &[], "").await;
    let plain = world.client(&pod, "alice").get("d/a.txt").await;
    for header in ["etag", "last-modified", "content-type", "content-length", "accept-ranges"] {
        assert_eq!(got.header(header), plain.header(header), "{header}");
    }
    assert_eq!(made.header("etag"), got.header("etag"));
    assert_eq!(made.header("x-oc-mtime"), "accepted");
    let tag = property(&alice, "/dav/home/d/a.txt", "<D:getetag/>").await.unwrap();
    assert!(tag.contains(&got.header("etag").replace('"', "&quot;")), "{tag} {got:?}");
}

#[tokio::test]
async fn the_three_questions_and_what_is_missing() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.put("/dav/home/f", "f").await;
    alice.send("PROPPATCH", "/dav/home/f", &[], set("<a xmlns=\"urn:x\">1</a>")).await;
    let ask = async |headers: &[(&str, &str)], inside: &str| {
        let body = format!("<D:propfind xmlns:D=\"DAV:\">{inside}</D:propfind>");
        text(&alice.send("PROPFIND", "/dav/home/f", &[&[("depth", "0")], headers].concat(), body).await)
    };
    let all = ask(&[], "<D:allprop/>").await;
    for part in ["<D:getetag>", "<D:supportedlock>", "<a xmlns=\"urn:x\">1</a>"] {
        assert!(all.contains(part), "{all}");
    }
    assert!(!all.contains("quota") && !all.contains("HTTP/1.1 404"), "{all}");
    let names = ask(&[], "<D:propname/>").await;
    assert!(names.contains("<D:getetag/>") && names.contains("<a xmlns=\"urn:x\"/>"), "{names}");
    let two = "<D:prop><D:getcontentlength/><b xmlns=\"urn:x\"/></D:prop>";
    let listed = ask(&[], two).await;
    assert!(
        listed.contains("<D:prop><b xmlns=\"urn:x\"/></D:prop><D:status>HTTP/1.1 404 Not Found"),
        "{listed}"
    );
    for minimal in [("prefer", "return=minimal"), ("brief", "t")] {
        let listed = ask(&[minimal], two).await;
        assert!(listed.contains("getcontentlength") && !listed.contains("HTTP/1.1 404"), "{listed}");
    }
    let infinite = alice.send("PROPFIND", "/dav/home/", &[("depth", "infinity")], "").await;
    assert_eq!(infinite.status, 403);
    assert!(text(&infinite).contains("<D:error xmlns:D=\"DAV:\"><D:propfind-finite-depth/></D:error>"));
}

#[tokio::test]
async fn what_clients_keep_comes_back_as_it_was() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.mkcol("/dav/home/d").await;
    alice.put("/dav/home/d/f", "f").await;
    for (property_sent, asked, found) in [
        ("<a>plain</a>", "<a/>", "<a>plain</a>"),
        ("<x:a xmlns:x=\"urn:x\">1</x:a>", "<a xmlns=\"urn:x\"/>", "<x:a xmlns:x=\"urn:x\">1</x:a>"),
        (
            "<a xmlns=\"urn:y\"><b c=\"d\"/>e &amp; f</a>",
            "<a xmlns=\"urn:y\"/>",
            "<a xmlns=\"urn:y\"><b c=\"d\"></b>e &amp; f</a>",
        ),
        (
            "<D:displayname>이름</D:displayname>",
            "<D:displayname/>",
            "<D:displayname xmlns:D=\"DAV:\">이름</D:displayname>",
        ),
        (
            "<a xmlns=\"urn:z\" xml:lang=\"ko\">말</a>",
            "<a xmlns=\"urn:z\"/>",
            "<a xmlns=\"urn:z\" xml:lang=\"ko\">말</a>",
        ),
        ("<a xmlns=\"urn:u\">&#65536;</a>", "<a xmlns=\"urn:u\"/>", "<a xmlns=\"urn:u\">\u{10000}</a>"),
    ] {
        let answer = alice.send("PROPPATCH", "/dav/home/d/f", &[], set(property_sent)).await;
        assert!(text(&answer).contains("HTTP/1.1 200 OK"), "{answer:?}");
        assert_eq!(property(&alice, "/dav/home/d/f", asked).await.as_deref(), Some(found), "{property_sent}");
    }
    // They go where the file goes, and with it.
    alice.send("COPY", "/dav/home/d", &[("destination", "/dav/home/e")], "").await;
    alice.send("COPY", "/dav/home/d", &[("destination", "/dav/home/s"), ("depth", "0")], "").await;
    assert_eq!(property(&alice, "/dav/home/e/f", "<a/>").await.as_deref(), Some("<a>plain</a>"));
    assert_eq!(alice.urls("/dav/home/s", "1").await, ["/dav/home/s/"]);
    alice.send("MOVE", "/dav/home/e/f", &[("destination", "/dav/home/g")], "").await;
    assert_eq!(property(&alice, "/dav/home/g", "<a/>").await.as_deref(), Some("<a>plain</a>"));
    alice.put("/dav/home/g", "other").await;
    assert_eq!(property(&alice, "/dav/home/g", "<a/>").await.as_deref(), Some("<a>plain</a>"));
    let order = update("<D:set><D:prop><a>1</a></D:prop></D:set><D:remove><D:prop><a/></D:prop></D:remove>");
    alice.send("PROPPATCH", "/dav/home/g", &[], order).await;
    assert_eq!(property(&alice, "/dav/home/g", "<a/>").await, None);
}

#[tokio::test]
async fn all_of_a_proppatch_or_nothing() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.put("/dav/home/f", "f").await;
    let body = set("<a>1</a><D:getetag>x</D:getetag>");
    let answer = text(&alice.send("PROPPATCH", "/dav/home/f", &[], body).await);
    assert!(answer.contains("<D:prop><D:getetag/></D:prop><D:status>HTTP/1.1 403 Forbidden"), "{answer}");
    assert!(answer.contains("<D:error><D:cannot-modify-protected-property/></D:error>"), "{answer}");
    assert!(
        answer.contains("<D:prop><a xmlns=\"\"/></D:prop><D:status>HTTP/1.1 424 Failed Dependency"),
        "{answer}"
    );
    assert_eq!(property(&alice, "/dav/home/f", "<a/>").await, None);
    let large = set(&format!("<a>{}</a>", "x".repeat(100 * 1024)));
    let answer = text(&alice.send("PROPPATCH", "/dav/home/f", &[], large).await);
    assert!(answer.contains("HTTP/1.1 507 Insufficient Storage"), "{answer}");
    assert_eq!(property(&alice, "/dav/home/f", "<a/>").await, None);
}

#[tokio::test]
async fn a_large_directory_is_listed_whole() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.mkcol("/dav/home/d").await;
    let urls: Vec<_> = (0..450).map(|number| format!("/dav/home/d/{number:04}")).collect();
    futures::future::join_all(urls.iter().map(|url| alice.put(url, ""))).await;
    let urls = alice.urls("/dav/home/d", "1").await;
    assert_eq!(urls.len(), 451);
    assert_eq!(urls.first().map(String::as_str), Some("/dav/home/d/"));
    assert!(urls[1..].is_sorted() && urls[1..].iter().all(|url| url.starts_with("/dav/home/d/0")));
}
