//! Locks: who holds one may change what it protects, and nobody else, on any pod and by any way in.

use super::{Mounted, lockinfo, property, text};
use crate::world::World;

fn holding(token: &str) -> String {
    format!("({token})")
}

#[tokio::test]
async fn who_holds_a_lock_may_write_on_every_pod() {
    let world = World::new();
    let (one, other) = (world.pod().await, world.pod().await);
    let (here, there) = (Mounted::home(&world, &one, "alice"), Mounted::home(&world, &other, "alice"));
    here.put("/dav/home/f", "1").await;
    let token = here.lock("/dav/home/f", "0", "exclusive").await;
    assert!(token.starts_with("<urn:uuid:") && token.ends_with('>'), "{token}");
    assert_eq!(there.status("PUT", "/dav/home/f", &[], "2").await, 423);
    assert_eq!(there.status("PUT", "/dav/home/f", &[("if", &holding(&token))], "3").await, 204);
    let seen = property(&there, "/dav/home/f", "<D:lockdiscovery/>").await.unwrap();
    for part in [
        "<D:lockscope><D:exclusive/></D:lockscope>",
        "<D:depth>0</D:depth>",
        "a test</owner>",
        "<D:lockroot><D:href>/dav/home/f</D:href></D:lockroot>",
        token.trim_matches(['<', '>']),
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    // The HTTP API keeps to it too.
    assert_eq!(world.client(&other, "alice").put("f", "4").await.outcome(), (423, "locked".to_owned()));
    assert_eq!(there.status("UNLOCK", "/dav/home/f", &[("lock-token", &token)], "").await, 204);
    assert_eq!(here.status("PUT", "/dav/home/f", &[], "5").await, 204);
    assert_eq!(here.status("UNLOCK", "/dav/home/f", &[("lock-token", &token)], "").await, 409);
}

#[tokio::test]
async fn the_token_of_another_opens_nothing() {
    let world = World::new();
    let pod = world.pod().await;
    let (alice, bob) = (Mounted::group(&world, &pod, "alice"), Mounted::group(&world, &pod, "bob"));
    let carol = Mounted::group(&world, &pod, "carol");
    let url = "/dav/groups/trips/f";
    alice.put(url, "alice").await;
    let token = alice.lock(url, "0", "exclusive").await;
    let holding = holding(&token);
    let held = [("if", holding.as_str())];
    assert_eq!(bob.status("PUT", url, &held, "bob").await, 423);
    assert_eq!(bob.status("DELETE", url, &held, "").await, 423);
    assert_eq!(bob.status("LOCK", url, &held, "").await, 412);
    assert_eq!(bob.status("UNLOCK", url, &[("lock-token", &token)], "").await, 403);
    assert_eq!(bob.content(url).await.as_deref(), Some("alice"));
    // Who may not write may not lock.
    assert_eq!(carol.status("LOCK", "/dav/groups/trips/", &[], lockinfo("exclusive")).await, 403);
    assert_eq!(carol.status("LOCK", "/dav/groups/trips/new", &[], lockinfo("exclusive")).await, 403);
    assert_eq!(alice.status("PUT", url, &held, "again").await, 204);
    assert_eq!(alice.status("UNLOCK", url, &[("lock-token", &token)], "").await, 204);
    assert_eq!(bob.status("PUT", url, &[], "bob").await, 204);
}

#[tokio::test]
async fn a_lock_of_a_directory_protects_all_in_it() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.mkcol("/dav/home/d").await;
    alice.put("/dav/home/d/f", "1").await;
    let token = alice.lock("/dav/home/d", "infinity", "exclusive").await;
    let tagged = format!("</dav/home/d/> ({token})");
    let (tagged, plain) = ([("if", tagged.as_str())], holding(&token));
    let plain = [("if", plain.as_str())];
    for (method, url, headers, status) in [
        ("PUT", "/dav/home/d/f", &[][..], 423),
        ("PUT", "/dav/home/d/n", &[], 423),
        ("DELETE", "/dav/home/d/f", &[], 423),
        ("MKCOL", "/dav/home/d/e", &[], 423),
        ("PUT", "/dav/home/d/f", &tagged, 204),
        ("PUT", "/dav/home/d/n", &tagged, 201),
        // Nothing has the name yet, but the lock will protect it.
        ("PUT", "/dav/home/d/m", &plain, 201),
        ("MKCOL", "/dav/home/d/e", &plain, 201),
        ("DELETE", "/dav/home/d/m", &plain, 204),
        ("UNLOCK", "/dav/home/d/f", &[("lock-token", token.as_str())], 204),
        ("PUT", "/dav/home/d/f", &[], 204),
    ] {
        let answer = alice.send(method, url, headers, "").await;
        assert_eq!(answer.status, status, "{method} {url} {headers:?}: {answer:?}");
    }
}

#[tokio::test]
async fn what_stands_in_the_way_is_named() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.mkcol("/dav/home/d").await;
    alice.put("/dav/home/d/a%20b", "1").await;
    let token = alice.lock("/dav/home/d/a%20b", "0", "shared").await;
    let told = text(&alice.send("PUT", "/dav/home/d/a%20b", &[], "2").await);
    let condition = "<D:lock-token-submitted><D:href>/dav/home/d/a%20b</D:href></D:lock-token-submitted>";
    assert!(told.contains(condition), "{told}");
    let told = text(&alice.send("LOCK", "/dav/home/d/a%20b", &[], lockinfo("exclusive")).await);
    assert!(told.contains("<D:no-conflicting-lock><D:href>/dav/home/d/a%20b</D:href>"), "{told}");
    for (method, headers) in [("DELETE", [("depth", "infinity")]), ("MOVE", [("destination", "/dav/home/e")])]
    {
        let answer = alice.send(method, "/dav/home/d", &headers, "").await;
        assert_eq!(answer.status, 207, "{answer:?}");
        let told = text(&answer);
        assert!(
            told.contains("<D:href>/dav/home/d/a%20b</D:href><D:status>HTTP/1.1 423 Locked</D:status>"),
            "{told}"
        );
    }
    let tagged = format!("</dav/home/d/a%20b> ({token})");
    assert_eq!(alice.status("DELETE", "/dav/home/d", &[("if", &tagged)], "").await, 204);
}

#[tokio::test]
async fn a_lock_is_refreshed_and_its_time_is_bounded() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    for (asked, granted) in [("Infinite", 3600), ("Second-4100000000", 3600), ("Second-60", 60)] {
        let url = format!("/dav/home/{asked}");
        let answer = alice.send("LOCK", &url, &[("timeout", asked)], lockinfo("exclusive")).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let told = text(&answer);
        let seconds: u64 = told.split_once("Second-").unwrap().1.split_once('<').unwrap().0.parse().unwrap();
        assert!((granted - 5..=granted).contains(&seconds), "{asked}: {told}");
    }
    let token = alice.lock("/dav/home/f", "0", "exclusive").await;
    let refreshed = [("if", holding(&token)), ("timeout", "Second-120".to_owned())];
    let refreshed: Vec<_> = refreshed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = alice.send("LOCK", "/dav/home/f", &refreshed, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(text(&answer).contains(token.trim_matches(['<', '>'])), "{answer:?}");
    assert!(answer.header("lock-token").is_empty(), "a refresh makes no new lock (RFC 4918, section 9.10.2)");
    let told = property(&alice, "/dav/home/f", "<D:lockdiscovery/>").await.unwrap();
    assert!(told.contains("Second-1"), "{told}");
}

#[tokio::test]
async fn a_lock_goes_with_its_file_and_not_with_a_copy() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.put("/dav/home/f", "1").await;
    let token = alice.lock("/dav/home/f", "0", "exclusive").await;
    let held = holding(&token);
    assert_eq!(alice.status("COPY", "/dav/home/f", &[("destination", "/dav/home/g")], "").await, 201);
    assert_eq!(alice.status("PUT", "/dav/home/g", &[], "2").await, 204);
    let moved = [("destination", "/dav/home/h"), ("if", held.as_str())];
    assert_eq!(alice.status("MOVE", "/dav/home/f", &moved, "").await, 201);
    assert_eq!(alice.status("PUT", "/dav/home/h", &[], "3").await, 204);
}

#[tokio::test]
async fn a_condition_on_a_tag_is_one_of_the_commit() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.put("/dav/home/f", "1").await;
    let tag = alice.send("HEAD", "/dav/home/f", &[], "").await.header("etag").to_owned();
    let token = alice.lock("/dav/home/f", "0", "exclusive").await;
    let both = format!("({token} [{tag}])");
    assert_eq!(alice.status("PUT", "/dav/home/f", &[("if", &both)], "2").await, 204);
    assert_eq!(alice.status("PUT", "/dav/home/f", &[("if", &both)], "3").await, 412);
    // It holds, but the token that was sent is not the one of the lock.
    let not_held = "(Not <DAV:no-lock>)";
    assert_eq!(alice.status("PUT", "/dav/home/f", &[("if", not_held)], "4").await, 423);
    assert_eq!(alice.content("/dav/home/f").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_lock_asked_for_again_is_the_same_lock() {
    let world = World::new();
    let (one, other) = (world.pod().await, world.pod().await);
    let headers = [("operation-id", "67e55044-10b1-426f-9247-bb680e5fe0c8"), ("x-generation", "1")];
    let ask = async |pod| {
        let alice = Mounted::home(&world, pod, "alice");
        let answer = alice.send("LOCK", "/dav/home/f", &headers, lockinfo("exclusive")).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer.header("lock-token").to_owned()
    };
    let token = ask(&one).await;
    assert_eq!(ask(&other).await, token);
    let alice = Mounted::home(&world, &other, "alice");
    assert_eq!(alice.status("PUT", "/dav/home/f", &[("if", &holding(&token))], "1").await, 204);
}

#[tokio::test]
async fn what_changes_nothing_needs_the_lock_too() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.put("/dav/home/f", "1").await;
    let same = "<propertyupdate xmlns=\"DAV:\"><set><prop><a xmlns=\"u\">1</a></prop></set></propertyupdate>";
    assert_eq!(alice.status("PROPPATCH", "/dav/home/f", &[], same).await, 207);
    let token = alice.lock("/dav/home/f", "0", "exclusive").await;
    assert_eq!(alice.status("PROPPATCH", "/dav/home/f", &[], same).await, 423);
    assert_eq!(alice.status("PROPPATCH", "/dav/home/f", &[("if", &holding(&token))], same).await, 207);
}

#[tokio::test]
async fn what_is_repeated_is_answered_as_before() {
    let world = World::new();
    let (one, other) = (world.pod().await, world.pod().await);
    let (here, there) = (Mounted::home(&world, &one, "alice"), Mounted::home(&world, &other, "alice"));
    here.put("/dav/home/old", "1").await;
    let tag = here.send("HEAD", "/dav/home/old", &[], "").await.header("etag").to_owned();
    here.mkcol("/dav/home/d").await;
    let token = here.lock("/dav/home/old", "0", "exclusive").await;
    let held = holding(&token);
    for (method, url, headers, status) in [
        ("PUT", "/dav/home/new", &[("if-none-match", "*")][..], 201),
        ("PUT", "/dav/home/old", &[("if", held.as_str()), ("if-match", tag.as_str())], 204),
        ("MKCOL", "/dav/home/e", &[], 201),
        ("COPY", "/dav/home/old", &[("destination", "/dav/home/copy"), ("overwrite", "F")], 201),
        ("COPY", "/dav/home/d", &[("destination", "/dav/home/s"), ("overwrite", "F"), ("depth", "0")], 201),
        ("MOVE", "/dav/home/old", &[("destination", "/dav/home/moved"), ("if", held.as_str())], 201),
        ("MOVE", "/dav/home/copy", &[("destination", "/dav/home/moved")], 204),
        ("DELETE", "/dav/home/moved", &[], 204),
    ] {
        let id = uuid::Uuid::new_v4().to_string();
        let headers = [headers, &[("operation-id", id.as_str())]].concat();
        for client in [&here, &there] {
            let answer = client.send(method, url, &headers, "").await;
            assert_eq!(answer.status, status, "{method} {url}: {answer:?}");
        }
    }
    assert_eq!(there.urls("/dav/home/", "1").await.len(), 5);
}
