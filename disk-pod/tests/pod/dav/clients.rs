//! Manners of clients: each test sends what the client sends, and says where that is known from.

use axum::body::Body;
use bytes::Bytes;
use futures::stream;

use super::{Mounted, property, text};
use crate::world::World;

fn chunks(pieces: &[&'static str]) -> Body {
    let pieces: Vec<_> =
        pieces.iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes()))).collect();
    Body::from_stream(stream::iter(pieces))
}

/// Source: sabre.io/dav/clients/finder. Invented are the sizes.
#[tokio::test]
async fn finder_puts_nothing_first_and_then_chunks_with_an_expected_length() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    let url = "/dav/home/report.pages";
    assert_eq!(alice.status("PUT", url, &[("content-length", "0")], "").await, 201);
    let lock = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:lockinfo xmlns:D=\"DAV:\">\n\
                <D:lockscope><D:exclusive/></D:lockscope>\n<D:locktype><D:write/></D:locktype>\n\
                <D:owner>\n<D:href>http://www.apple.com/webdav_fs/</D:href>\n</D:owner>\n</D:lockinfo>\n";
    let locked = alice.send("LOCK", url, &[("depth", "0"), ("timeout", "Second-600")], lock).await;
    assert_eq!(locked.status, 200, "{locked:?}");
    let held = format!("({})", locked.header("lock-token"));
    let headers = [("if", held.as_str()), ("x-expected-entity-length", "6")];
    assert_eq!(alice.status("PUT", url, &headers, chunks(&["abc", "def"])).await, 204);
    assert_eq!(alice.content(url).await.as_deref(), Some("abcdef"));
    // A proxy on the way that drops chunks must not make an empty file of it.
    assert_eq!(alice.status("PUT", url, &headers, chunks(&[])).await, 400);
    assert_eq!(alice.status("PUT", url, &headers, chunks(&["abcdefg"])).await, 413);
    assert_eq!(alice.content(url).await.as_deref(), Some("abcdef"));
    let token = locked.header("lock-token");
    assert_eq!(alice.status("UNLOCK", url, &[("lock-token", token)], "").await, 204);
}

/// Source: sabre.io/dav/clients/finder: what Finder keeps beside each file.
#[tokio::test]
async fn finder_keeps_files_of_its_own() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    for name in ["._report.pages", ".DS_Store", "._.", ".metadata_never_index"] {
        let url = format!("/dav/home/{name}");
        assert_eq!(alice.status("PROPFIND", &url, &[("depth", "0")], "").await, 404, "{name}");
        assert_eq!(alice.status("PUT", &url, &[], "x").await, 201, "{name}");
        assert_eq!(alice.status("PROPFIND", &url, &[("depth", "0")], "").await, 207, "{name}");
    }
    let quota = "<D:quota-available-bytes/><D:quota-used-bytes/>";
    let told = property(&alice, "/dav/home/", quota).await.unwrap();
    assert!(told.contains("quota-available-bytes>") && told.contains("quota-used-bytes>"), "{told}");
}

/// Source: a Mac decomposes Hangul in names (tailscale/tailscale#20512, 9001/copyparty#1555).
#[tokio::test]
async fn a_mac_and_another_see_one_tree_of_hangul_names() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    let (composed, decomposed) =
        ("%ED%95%9C%EA%B8%80", "%E1%84%92%E1%85%A1%E1%86%AB%E1%84%80%E1%85%B3%E1%86%AF");
    alice.mkcol(&format!("/dav/home/{decomposed}")).await;
    alice.put(&format!("/dav/home/{composed}/{decomposed}.txt"), "1").await;
    assert_eq!(alice.content(&format!("/dav/home/{decomposed}/{composed}.txt")).await.as_deref(), Some("1"));
    assert_eq!(alice.status("MKCOL", &format!("/dav/home/{composed}"), &[], "").await, 405);
    // Who asks in one form finds what it asked for in the answer, and not another name beside it.
    for form in [composed, decomposed] {
        let urls = alice.urls(&format!("/dav/home/{form}/"), "1").await;
        assert_eq!(urls, [format!("/dav/home/{form}/"), format!("/dav/home/{form}/{composed}.txt")]);
    }
    let to = format!("/dav/home/{composed}/b");
    let from = format!("/dav/home/{decomposed}/{decomposed}.txt");
    assert_eq!(alice.status("MOVE", &from, &[("destination", &to)], "").await, 201);
    assert_eq!(alice.content(&to).await.as_deref(), Some("1"));
}

/// Source: cs3org/reva#4928 for the body; the walk from `/` from techcommunity 1185909.
#[tokio::test]
async fn windows_walks_from_the_root_and_sets_times_under_its_lock() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    for (method, url, status) in [
        ("OPTIONS", "/", 200),
        ("PROPFIND", "/", 207),
        ("PROPFIND", "/dav", 207),
        ("PROPFIND", "/dav/home", 207),
    ] {
        assert_eq!(
            alice.status(method, url, &[("depth", "0"), ("translate", "f")], "").await,
            status,
            "{url}"
        );
    }
    let url = "/dav/home/Neues%20Dokument.txt";
    let lock = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><D:lockinfo xmlns:D=\"DAV:\"><D:lockscope><D:exclusive/>\
                </D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>PC\\me</D:href></D:owner></D:lockinfo>";
    assert_eq!(alice.status("PUT", url, &[("content-length", "0")], "").await, 201);
    let locked = alice.send("LOCK", url, &[("timeout", "Second-3600")], lock).await;
    let held = format!("({})", locked.header("lock-token"));
    let held = [("if", held.as_str())];
    assert_eq!(alice.status("PUT", url, &held, "text").await, 204);
    let patch = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><D:propertyupdate xmlns:D=\"DAV:\" \
                 xmlns:Z=\"urn:schemas-microsoft-com:\"><D:set><D:prop>\
                 <Z:Win32CreationTime>Sun, 06 Nov 1994 08:00:00 GMT</Z:Win32CreationTime>\
                 <Z:Win32LastAccessTime>Sun, 06 Nov 1994 09:00:00 GMT</Z:Win32LastAccessTime>\
                 <Z:Win32LastModifiedTime>Sun, 06 Nov 1994 08:49:37 GMT</Z:Win32LastModifiedTime>\
                 <Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>";
    let answer = alice.send("PROPPATCH", url, &held, patch).await;
    assert!(text(&answer).contains("HTTP/1.1 200 OK"), "{answer:?}");
    let modified = "<D:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</D:getlastmodified>";
    assert_eq!(property(&alice, url, "<D:getlastmodified/>").await.as_deref(), Some(modified));
    let ask = "<Win32FileAttributes xmlns=\"urn:schemas-microsoft-com:\"/>";
    assert!(property(&alice, url, ask).await.unwrap().contains(">00000020<"));
    // Later content is of another time, and its property does not tell the old one.
    assert_eq!(alice.status("PUT", url, &held, "more").await, 204);
    let ask = "<Win32LastModifiedTime xmlns=\"urn:schemas-microsoft-com:\"/>";
    assert!(!property(&alice, url, ask).await.unwrap().contains("1994"));
    // Without the brackets that belong there.
    let token = locked.header("lock-token").trim_matches(['<', '>']).to_owned();
    assert_eq!(alice.status("UNLOCK", url, &[("lock-token", &token)], "").await, 204);
}

/// Source: sabre.io/dav/clients/msoffice for the steps; the names are invented.
#[tokio::test]
async fn office_locks_refreshes_and_saves_beside() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    let url = "/dav/home/a.docx";
    alice.put(url, "old").await;
    assert_eq!(alice.status("HEAD", "/dav/home/", &[], "").await, 200);
    let token = alice.lock(url, "0", "exclusive").await;
    let held = format!("({token})");
    alice.put("/dav/home/~$a.docx", "owner").await;
    let refreshed = alice.send("LOCK", url, &[("if", &held), ("timeout", "Second-3600")], "").await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    assert_eq!(alice.status("PUT", url, &[("if", &held)], "new").await, 204);
    assert_eq!(alice.status("DELETE", "/dav/home/~$a.docx", &[], "").await, 204);
    assert_eq!(alice.status("UNLOCK", url, &[("lock-token", &token)], "").await, 204);
    assert_eq!(alice.content(url).await.as_deref(), Some("new"));
}

/// Source: rclone, backend/webdav/webdav.go (v1.60): the header with a vendor of ownCloud's kind, on PUT, COPY and MOVE.
#[tokio::test]
async fn rclone_sends_the_time_of_a_file() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    let modified = "<D:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</D:getlastmodified>";
    let answer = alice.send("PUT", "/dav/home/f", &[("x-oc-mtime", "784111777")], "1").await;
    assert_eq!((answer.status.as_u16(), answer.header("x-oc-mtime")), (201, "accepted"));
    assert_eq!(property(&alice, "/dav/home/f", "<D:getlastmodified/>").await.as_deref(), Some(modified));
    let headers = [
        ("destination", "http://disk.example.org/dav/home/g"),
        ("overwrite", "T"),
        ("x-oc-mtime", "784111777"),
    ];
    assert_eq!(alice.status("COPY", "/dav/home/f", &headers, "").await, 201);
    assert_eq!(property(&alice, "/dav/home/g", "<D:getlastmodified/>").await.as_deref(), Some(modified));
    assert_eq!(alice.status("PUT", "/dav/home/g", &[("x-oc-mtime", "soon")], "2").await, 204);
}

/// Source: davfs2 1.6.1, src/webdav.c: it asks for these properties, and locks before it writes.
#[tokio::test]
async fn davfs2_asks_locks_and_marks_programs() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.put("/dav/home/run.sh", "#!/bin/sh\n").await;
    let patch = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><propertyupdate xmlns=\"DAV:\"><set><prop>\
                 <executable xmlns=\"http://apache.org/dav/props/\">T</executable></prop></set></propertyupdate>";
    assert_eq!(alice.status("PROPPATCH", "/dav/home/run.sh", &[], patch).await, 207);
    let ask = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<propfind xmlns=\"DAV:\"><prop>\n\
               <resourcetype xmlns=\"DAV:\"/>\r\n<getcontentlength xmlns=\"DAV:\"/>\r\n<getetag xmlns=\"DAV:\"/>\r\n\
               <getlastmodified xmlns=\"DAV:\"/>\r\n<executable xmlns=\"http://apache.org/dav/props/\"/>\r\n\
               </prop></propfind>\n";
    let answer = alice.send("PROPFIND", "/dav/home/", &[("depth", "1")], ask).await;
    let told = text(&answer);
    assert!(told.contains("<executable xmlns=\"http://apache.org/dav/props/\">T</executable>"), "{told}");
    assert!(told.contains("<D:getcontentlength>10</D:getcontentlength>"), "{told}");
}

/// Source: GNOME/gvfs, daemon/gvfsbackenddav.c (`stat_location_start`, `fs_info_propnames`, `try_create`, `try_replace`); that
/// an empty file comes without a length, and escapes in capital letters, sabre.io/dav/clients. Invented are the names.
#[tokio::test]
async fn gvfs_looks_before_it_writes_and_shows_the_tag_it_knows() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    let ask = |properties: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n <D:propfind xmlns:D=\"DAV:\">\n  <D:prop>\n{properties}  </D:prop>\n </D:propfind>"
        )
    };
    let stat = ask("<D:resourcetype/>\n<D:getcontentlength/>\n");
    let known = alice.send("PROPFIND", "/dav/home/", &[("depth", "0")], stat.clone()).await;
    assert!(text(&known).contains("<D:resourcetype><D:collection/></D:resourcetype>"), "{known:?}");
    let room = ask("<D:quota-available-bytes/>\n<D:quota-used-bytes/>\n");
    let told = text(&alice.send("PROPFIND", "/dav/home/", &[("depth", "0")], room).await);
    assert!(told.contains("<D:quota-available-bytes>") && told.contains("<D:quota-used-bytes>"), "{told}");

    let url = "/dav/home/%ED%95%9C%20%C3%A9.txt";
    assert_eq!(alice.status("HEAD", url, &[], "").await, 404);
    assert_eq!(alice.status("PUT", url, &[], Body::empty()).await, 201);
    assert_eq!(alice.content(url).await.as_deref(), Some(""));
    let tag = alice.send("HEAD", url, &[], "").await.header("etag").to_owned();
    let known = [("if-match", tag.as_str())];
    assert_eq!(alice.status("HEAD", url, &known, "").await, 200);
    assert_eq!(alice.status("PUT", url, &known, "content").await, 204);
    assert_eq!(alice.status("HEAD", url, &known, "").await, 412);
    assert_eq!(alice.status("PUT", url, &known, "other").await, 412);
    let told = text(&alice.send("PROPFIND", url, &[("depth", "0")], stat).await);
    assert!(told.contains(&format!("<D:href>{url}</D:href>")), "{told}");
    assert!(told.contains("<D:getcontentlength>7</D:getcontentlength>"), "{told}");
}

/// Source: docs.cyberduck.io, protocol WebDAV: its dead properties are of the namespace `SAR:`.
#[tokio::test]
async fn cyberduck_keeps_times_in_a_namespace_of_its_own() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.put("/dav/home/f", "1").await;
    let patch = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><D:propertyupdate xmlns:D=\"DAV:\">\
                 <D:set><D:prop><S:lastmodified xmlns:S=\"SAR:\">Sun, 06 Nov 1994 08:49:37 GMT</S:lastmodified>\
                 </D:prop></D:set></D:propertyupdate>";
    assert_eq!(alice.status("PROPPATCH", "/dav/home/f", &[], patch).await, 207);
    let answer = alice
        .send("PROPFIND", "/dav/home/f", &[("depth", "0")], "<propfind xmlns=\"DAV:\"><allprop/></propfind>")
        .await;
    assert!(text(&answer).contains("<S:lastmodified xmlns:S=\"SAR:\">Sun, 06 Nov 1994"), "{answer:?}");
}
