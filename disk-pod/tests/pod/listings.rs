//! Listings in another order, page by page, and what is found by its name.

use serde_json::{Value, json};

use crate::world::{Client, World};

impl Client<'_> {
    /// All pages of a listing, so many at once.
    async fn pages(&self, query: &str, limit: usize) -> Vec<String> {
        let (mut names, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("{query}&limit={limit}{after}");
            let page = self.send("GET", &path, &[], "").await;
            assert_eq!(page.status, 200, "{path}: {page:?}");
            let page = page.json();
            names.extend(texts(&page, if query.starts_with("search") { "path" } else { "name" }));
            let Some(next) = page["next"].as_str() else { return names };
            let next = percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC);
            after = format!("&after={next}");
        }
    }
}

fn texts(page: &Value, field: &str) -> Vec<String> {
    page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry[field].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn any_order_comes_in_pages_of_any_size() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    for (name, size) in [("b", 3), ("d", 1), ("a", 3), ("c", 20)] {
        alice.put(name, &"x".repeat(size)).await;
    }
    alice.operate(json!({"op": "mkdir", "path": "e"})).await;
    for (query, names) in [
        ("sort=name", "abcde"),
        ("order=desc", "edcba"),
        ("sort=size", "edabc"),
        ("sort=size&order=desc", "cbade"),
        ("sort=name&order=asc", "abcde"),
    ] {
        let expected: Vec<String> = names.chars().map(String::from).collect();
        for limit in [1, 2, 3, 4, 5, 100] {
            assert_eq!(alice.pages(&format!("list?{query}"), limit).await, expected, "{query} {limit}");
        }
    }
    // Some may be of one millisecond, then the names decide.
    let mut listed = alice.send("GET", "list?sort=modified", &[], "").await.json();
    let times: Vec<_> = listed["entries"]
        .as_array_mut()
        .unwrap()
        .iter()
        .map(|one| {
            (one["modified"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap(), one["name"].to_string())
        })
        .collect();
    assert!(times.is_sorted() && times.len() == 5, "{times:?}");
    let mut backwards = alice.pages("list?sort=modified&order=desc", 2).await;
    backwards.reverse();
    assert_eq!(backwards, alice.pages("list?sort=modified", 3).await);
    for query in
        ["sort=colour", "order=up", "sort=size&after=b", "sort=size&after=x/b", "after=a/b", "after="]
    {
        let refused = alice.send("GET", &format!("list?{query}"), &[], "").await;
        assert_eq!(refused.outcome(), (400, "bad-request".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn names_are_found_wherever_they_are() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    for path in
        ["Report.txt", "old/report.pdf", "old/deep/REPORT", "old/other", "%C3%9Cbung/reports/a", "u%CC%88ber"]
    {
        let answer = alice.send("PUT", &format!("files/{path}?parents=true"), &[], "content").await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    let all = ["Report.txt", "old/deep/REPORT", "old/report.pdf", "Übung/reports"];
    for limit in [1, 2, 3, 4, 5] {
        assert_eq!(alice.pages("search?q=rePort", limit).await, all, "{limit}");
    }
    assert_eq!(alice.pages("search?q=report&under=old", 1).await, all[1..3]);
    assert_eq!(alice.pages("search?q=%C3%BC", 1).await, ["Übung", "über"]);
    assert_eq!(alice.pages("search?q=u%CC%88b", 9).await, ["Übung", "über"]);
    assert!(alice.pages("search?q=nothing", 9).await.is_empty());
    let found = alice.send("GET", "search?q=pdf", &[], "").await;
    let hit = &found.json()["entries"][0];
    assert_eq!((&hit["name"], &hit["kind"], &hit["size"]), (&json!("report.pdf"), &json!("file"), &json!(7)));
    assert_eq!(found.json()["generation"].to_string(), found.header("x-generation"));
    for (query, status, code) in [
        ("", 400, "bad-request"),
        ("?q=", 400, "bad-request"),
        (&format!("?q={}", "a".repeat(256)), 400, "bad-request"),
        ("?q=a&under=missing", 404, "not-found"),
        ("?q=a&under=Report.txt", 409, "not-a-directory"),
        ("?q=a&under=../x", 400, "name-invalid"),
        ("?q=a&under=old&after=Report.txt", 400, "bad-request"),
        ("?q=a&limit=-1", 400, "bad-request"),
    ] {
        let refused = alice.send("GET", &format!("search{query}"), &[], "").await;
        assert_eq!(refused.outcome(), (status, code.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_search_sees_what_its_ticket_is_for() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    for path in ["secret", "shared/secret", "sharedother/secret"] {
        alice.send("PUT", &format!("files/{path}?parents=true"), &[], "content").await;
    }
    let claims =
        api::ticket::Ticket { path: Some("shared".to_owned()), ..world.claims("alice", alice.space) };
    let part = Client { pod: &pod, space: alice.space, ticket: claims.issue(&world.tickets).unwrap() };
    assert_eq!(part.pages("search?q=secret&under=shared", 1).await, ["shared/secret"]);
    for query in ["q=secret", "q=secret&under=sharedother"] {
        let refused = part.send("GET", &format!("search?{query}"), &[], "").await;
        assert_eq!(refused.outcome(), (403, "forbidden".to_owned()), "{query}");
    }
}
