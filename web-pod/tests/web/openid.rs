//! Signing in by an OpenID provider: a real one, one that hangs, and everything that somebody could bring back.

mod provider;

use std::time::Duration;

use api::bytes::Bytes;
use roster::{ClaimRule, Identity, MemberState, Newcomers};
use serde_json::json;

use crate::kubernetes::Kubernetes;
use crate::world::{Answer, Client, PASSWORD, PATIENCE, Pod, World};
use provider::{PAGE, Provider, sign_in_there};

/// A world whose disk knows the provider; alice is known there, too.
fn world(issuer: &str, newcomers: Newcomers) -> World {
    let mut world = World::new();
    world.settings.web_url = Some(PAGE.to_owned());
    world.settings.sign_in.new_member_quota = Some(Bytes(5 << 30));
    world.settings.sign_in.providers.push(roster::Provider {
        name: "corp".to_owned(),
        display_name: Some("The company".to_owned()),
        issuer: issuer.to_owned(),
        client_id: "disk".to_owned(),
        scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
        subject_claim: "sub".to_owned(),
        display_name_claim: "name".to_owned(),
        email_claim: "email".to_owned(),
        rules: vec![ClaimRule { claim: "groups".to_owned(), required: "staff".to_owned() }],
        newcomers,
    });
    let identity = Identity { provider: "corp".into(), subject: "alice-there".into() };
    world.members.get_mut("alice").unwrap().identities.push(identity);
    let directory = world.providers.path().join("corp");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("clientSecret"), "a secret: of 100 %\n").unwrap();
    world.publish();
    world
}

fn cookies(answer: &Answer) -> String {
    let all = answer.headers.get_all("set-cookie").iter();
    let pairs: Vec<&str> = all.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
    pairs.join("; ")
}

/// A browser that has gone to the provider, and the address that it comes back to.
async fn gone<'p>(pod: &'p Pod, name: &str, next: &str) -> (Client<'p>, String) {
    let answer = pod.stranger().get(&format!("/api/oidc/corp{next}")).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let back = sign_in_there(answer.header("location"), name).await;
    (Client { pod, cookie: Some(cookies(&answer)) }, back)
}

fn with(back: &str, name: &str, value: &str) -> String {
    let (path, query) = back.split_once('?').unwrap();
    let others: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
    format!("{path}?{}&{name}={value}", others.join("&"))
}

#[tokio::test]
async fn one_signs_in_at_any_web_pod_and_goes_on_where_one_was() {
    for algorithm in ["RS256", "ES256"] {
        let provider = Provider::start(0, algorithm);
        let world = world(&provider.issuer, Newcomers::Refuse);
        let (here, there) = (world.pod().await, world.pod().await);
        let ways = here.stranger().get("/api/sign-in").await.json();
        let expected =
            json!({ "passwords": true, "providers": [{ "name": "corp", "displayName": "The company" }] });
        assert_eq!(ways, expected);
        let (browser, back) = gone(&here, "alice-there", "?next=/files/a%3Fb").await;
        let answer = browser.at(&there).get(&back).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/files/a?b"), "{answer:?}");
        let alice = Client { pod: &here, cookie: Some(cookies(&answer)) };
        let who = alice.get("/api/session").await;
        assert_eq!(who.json()["member"]["name"], "alice", "{algorithm}: {who:?}");
        for pair in answer.headers.get_all("set-cookie") {
            assert!(pair.to_str().unwrap().contains("; HttpOnly"), "{pair:?}");
        }
    }
}

#[tokio::test]
async fn a_session_ends_with_the_identity_and_with_the_provider() {
    let provider = Provider::start(0, "RS256");
    let mut world = world(&provider.issuer, Newcomers::Refuse);
    let pod = world.pod().await;
    let (browser, back) = gone(&pod, "alice-there", "").await;
    let alice = Client { pod: &pod, cookie: Some(cookies(&browser.get(&back).await)) };
    assert_eq!(alice.get("/api/session").await.status, 200);
    let providers = std::mem::take(&mut world.settings.sign_in.providers);
    world.publish();
    pod.knows(&world).await;
    assert_eq!(alice.get("/api/session").await.status, 401);
    world.settings.sign_in.providers = providers;
    world.members.get_mut("alice").unwrap().identities[0].subject = "alice-elsewhere".into();
    world.publish();
    pod.knows(&world).await;
    assert_eq!(alice.get("/api/session").await.status, 401);
    assert_eq!(pod.stranger().sign_in("alice", PASSWORD).await.status, 200, "the password is another way");
}

#[tokio::test]
async fn whoever_is_unknown_is_made_a_member_where_that_is_so() {
    let provider = Provider::start(0, "RS256");
    let mut world = world(&provider.issuer, Newcomers::Create);
    let kubernetes = Kubernetes::start(&world).await;
    let pod = world.pod_with(Some(kubernetes.self_service())).await;
    let (browser, back) = gone(&pod, "zoe", "").await;
    let coming = async {
        let answer = browser.get(&back).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        answer
    };
    let operator = async {
        // What the operator does: the Member comes into the roster.
        let made = || kubernetes.written().into_iter().find(|one| one.path == "members");
        while made().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let body = made().unwrap().body;
        assert!(body["metadata"]["name"].as_str().unwrap().starts_with("zoe-"), "{body}");
        let expected = json!({ "clusterRef": { "name": "demo" }, "quota": "5Gi", "state": "Active",
            "displayName": "zoe of elsewhere", "email": "zoe@example.org", "deletionPolicy": "Retain",
            "identities": [{ "provider": "corp", "subject": "zoe" }] });
        assert_eq!(body["spec"], expected);
        let mut zoe = world.members["dave"].clone();
        zoe.name = body["metadata"]["name"].as_str().unwrap().parse().unwrap();
        zoe.uid = api::ids::MemberUid(uuid::Uuid::new_v4());
        zoe.space = api::ids::SpaceId(uuid::Uuid::new_v4());
        zoe.identities.push(Identity { provider: "corp".into(), subject: "zoe".into() });
        world.members.insert("zoe", zoe);
        world.publish();
    };
    let (answer, ()) =
        tokio::time::timeout(PATIENCE, async { tokio::join!(coming, operator) }).await.unwrap();
    let zoe = Client { pod: &pod, cookie: Some(cookies(&answer)) };
    assert_eq!(zoe.get("/api/session").await.status, 200);
}

#[tokio::test]
async fn who_is_not_wanted_is_told_and_nothing_is_made() {
    let provider = Provider::start(0, "RS256");
    let mut world = world(&provider.issuer, Newcomers::Refuse);
    let kubernetes = Kubernetes::start(&world).await;
    let pod = world.pod_with(Some(kubernetes.self_service())).await;
    let (browser, back) = gone(&pod, "zoe", "").await;
    assert_eq!(browser.get(&back).await.outcome(), (403, "forbidden".to_owned()), "a stranger");
    world.settings.sign_in.providers[0].newcomers = Newcomers::Create;
    world.members.get_mut("alice").unwrap().state = MemberState::Suspended;
    world.publish();
    pod.knows(&world).await;
    let (browser, back) = gone(&pod, "guest", "").await;
    assert_eq!(browser.get(&back).await.outcome(), (403, "forbidden".to_owned()), "against a rule of claims");
    let (browser, back) = gone(&pod, "alice-there", "").await;
    assert_eq!(browser.get(&back).await.outcome(), (403, "member-suspended".to_owned()));
    // Two Members who say that they are the same: neither is guessed, and no third is made.
    world.members.get_mut("alice").unwrap().state = MemberState::Active;
    let identity = world.members["alice"].identities[0].clone();
    world.members.get_mut("bob").unwrap().identities.push(identity);
    world.publish();
    pod.knows(&world).await;
    let (browser, back) = gone(&pod, "alice-there", "").await;
    assert_eq!(browser.get(&back).await.outcome(), (403, "forbidden".to_owned()), "two of one identity");
    assert!(kubernetes.written().is_empty());
}

#[tokio::test]
async fn states_nonces_and_codes_that_are_forged_foreign_or_replayed() {
    let provider = Provider::start(0, "RS256");
    let world = world(&provider.issuer, Newcomers::Refuse);
    let pod = world.pod().await;
    let (browser, back) = gone(&pod, "alice-there", "").await;
    let (other, other_back) = gone(&pod, "alice-there", "").await;
    let cookie = browser.cookie.clone().unwrap();
    let damaged = format!("{}x", &cookie[..cookie.len() - 1]);
    // The session of a member stands for no journey, though the same key signs both.
    let session = world
        .signed_in(&pod, "alice")
        .cookie
        .unwrap()
        .replace("internet-disk-session", "internet-disk-openid");
    let state = |name: &str| format!("/api/oidc/{name}/return?code=x&state=x");
    for (what, cookie, address) in [
        ("no cookie", None, back.clone()),
        ("the cookie of another browser", other.cookie.clone(), back.clone()),
        ("a damaged cookie", Some(damaged), back.clone()),
        ("a session in its place", Some(session), back.clone()),
        ("another state", Some(cookie.clone()), with(&back, "state", "x")),
        ("no state", Some(cookie.clone()), back.replace("state=", "stat=")),
        ("another issuer", Some(cookie.clone()), with(&back, "iss", "https%3A%2F%2Fevil.example")),
        ("no issuer, where the provider names itself", Some(cookie.clone()), back.replace("iss=", "is=")),
        ("the provider's refusal", Some(cookie.clone()), with(&back, "error", "access_denied")),
        ("no code", Some(cookie.clone()), back.replace("code=", "cod=")),
    ] {
        let answer = Client { pod: &pod, cookie }.get(&address).await;
        assert_eq!(answer.outcome(), (403, "forbidden".to_owned()), "{what}");
        assert_eq!(answer.header("set-cookie"), "", "{what}");
    }
    let unknown = Client { pod: &pod, cookie: Some(cookie.clone()) }.get(&state("nobody")).await;
    assert_eq!(unknown.outcome(), (404, "not-found".to_owned()));
    // The code of another journey: PKCE and nonce belong to this one.
    let code = other_back.split_once("code=").unwrap().1.split('&').next().unwrap();
    let mixed = browser.get(&with(&back, "code", code)).await;
    assert_eq!(mixed.outcome(), (403, "forbidden".to_owned()), "{mixed:?}");
    let once = browser.get(&back).await;
    assert_eq!(once.status, 303, "{once:?}");
    let again = browser.get(&back).await;
    assert_eq!(again.outcome(), (403, "forbidden".to_owned()), "a code is good once: {again:?}");
    assert_eq!(again.header("set-cookie"), "");
    // Nothing that came from outside is told again.
    assert!(!String::from_utf8_lossy(&again.body).contains("grant"), "{again:?}");
}

#[tokio::test]
async fn open_redirects_and_header_injection() {
    let provider = Provider::start(0, "RS256");
    let world = world(&provider.issuer, Newcomers::Refuse);
    let pod = world.pod().await;
    for next in [
        "https://evil.example",
        "//evil.example",
        "/%5Cevil.example",
        "/%0D%0ASet-Cookie:%20a=b",
        "%2F%2Fevil.example",
    ] {
        let (browser, back) = gone(&pod, "alice-there", &format!("?next={next}")).await;
        let answer = browser.get(&back).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"), "{next}");
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2, "{next}: {answer:?}");
    }
}

#[tokio::test]
async fn a_provider_with_other_keys_is_believed_again() {
    let provider = Provider::start(0, "RS256");
    let world = world(&provider.issuer, Newcomers::Refuse);
    let pod = world.pod().await;
    let (browser, back) = gone(&pod, "alice-there", "").await;
    assert_eq!(browser.get(&back).await.status, 303);
    let _provider = provider.with_other_keys();
    // Unknown keys are not asked for each time; soon they are.
    let signed_in = async {
        loop {
            let (browser, back) = gone(&pod, "alice-there", "").await;
            if browser.get(&back).await.status == 303 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, signed_in).await.expect("the new keys are never asked for");
}

#[tokio::test]
async fn a_provider_that_hangs_holds_up_nobody_else() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut world = world(&format!("http://{}", silent.local_addr().unwrap()), Newcomers::Refuse);
    let pod = world.pod().await;
    let (waiting, password) = tokio::join!(async { pod.stranger().get("/api/oidc/corp").await }, async {
        pod.stranger().sign_in("alice", PASSWORD).await
    });
    assert_eq!(password.status, 200);
    assert_eq!(waiting.outcome(), (503, "control-plane-away".to_owned()));
    assert!(!waiting.header("retry-after").is_empty());
    // Secrets would go there in the clear.
    world.settings.sign_in.providers[0].issuer = "http://id.example.org".to_owned();
    world.publish();
    pod.knows(&world).await;
    assert_eq!(pod.stranger().get("/api/oidc/corp").await.outcome(), (503, "control-plane-away".to_owned()));
}

#[tokio::test]
async fn a_provider_is_who_its_certificate_authority_says() {
    let (ours, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let provider = Provider::with_tls(ours.path());
    let _other = Provider::with_tls(others.path());
    let world = world(&provider.issuer, Newcomers::Refuse);
    let pod = world.pod().await;
    let authorities = world.providers.path().join("corp/ca.crt");
    let ask = async || pod.stranger().get("/api/oidc/corp").await.status.as_u16();
    std::fs::copy(others.path().join("cert.pem"), &authorities).unwrap();
    assert_eq!(ask().await, 503, "somebody else's authority");
    std::fs::write(&authorities, "nonsense").unwrap();
    assert_eq!(ask().await, 503, "none at all");
    std::fs::copy(ours.path().join("cert.pem"), &authorities).unwrap();
    assert_eq!(ask().await, 303, "a new content counts without a restart");
}

#[tokio::test]
async fn without_passwords_nobody_signs_in_by_one() {
    let mut world = World::new();
    world.settings.sign_in.without_passwords = true;
    world.publish();
    let pod = world.pod().await;
    assert_eq!(
        pod.stranger().get("/api/sign-in").await.json(),
        json!({ "passwords": false, "providers": [] })
    );
    assert_eq!(pod.stranger().sign_in("alice", PASSWORD).await.outcome(), (403, "forbidden".to_owned()));
}
