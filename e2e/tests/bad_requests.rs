//! Requests that nobody should get through with: tickets that are not good, names that are none, bodies that end
//! early. Each gets a clear error, and nothing is stored.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::time::Duration;

use api::ids::{ClusterUid, MemberUid, SpaceId};
use api::keys::SigningKey;
use api::ticket::{Access, Ticket};
use bytes::Bytes;
use http::Method;
use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::disk::Disk;
use internet_disk_e2e::noise::noise;
use internet_disk_e2e::people::Person;
use internet_disk_e2e::{tus, wait};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

async fn begin(what: &str) -> (Demo, Person, Disk) {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, what, "20Mi").await.unwrap();
    let session = person.sign_in(&demo.settings).await.unwrap();
    let disk = session.disk(&session.own_space().await.unwrap()).await.unwrap();
    (demo, person, disk)
}

/// The key with which the web pods sign tickets: the test plays a web pod that errs.
async fn ticket_key(demo: &Demo) -> SigningKey {
    let secret = demo.cluster.core::<Secret>().get("demo-web-keys").await.unwrap();
    let keys: serde_json::Value = serde_json::from_slice(&secret.data.unwrap()["keys.json"].0).unwrap();
    SigningKey::from_paserk(keys["ticket"][0].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn only_a_good_ticket_opens_a_space() {
    let (demo, person, disk) = begin("tickets").await;
    disk.put("secret.txt", "secret".into()).await.unwrap().expect(201).unwrap();
    let uid = |object: kube::api::DynamicObject| object.metadata.uid.unwrap().parse::<Uuid>().unwrap();
    let cluster = ClusterUid(uid(demo.cluster.disk_clusters().get("demo").await.unwrap()));
    let member = MemberUid(uid(demo.cluster.members().get(&person.name).await.unwrap()));
    let key = ticket_key(&demo).await;
    let good = Ticket {
        cluster,
        member,
        name: person.name.parse().unwrap(),
        space: SpaceId(disk.space.parse().unwrap()),
        access: Access::ReadWrite,
        path: None,
        link: None,
        expires: Timestamp::now() + SignedDuration::from_mins(5),
        id: Uuid::new_v4(),
    };
    let issue = |ticket: &Ticket| ticket.issue(&key).unwrap();
    let issued = issue(&good);
    disk.with_ticket(&issued).get("secret.txt").await.unwrap().expect(200).unwrap();

    let mut changed = issued.clone().into_bytes();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    let cases = [
        ("none at all", String::new(), 401, "unauthenticated"),
        ("no ticket", "certainly.not.a.ticket".to_owned(), 401, "ticket-invalid"),
        ("changed", String::from_utf8(changed).unwrap(), 401, "ticket-invalid"),
        ("of a stranger's key", good.issue(&SigningKey::generate().unwrap()).unwrap(), 401, "ticket-invalid"),
        (
            "expired",
            issue(&Ticket { expires: Timestamp::now() - SignedDuration::from_mins(2), ..good.clone() }),
            401,
            "ticket-expired",
        ),
        (
            "of another DiskCluster",
            issue(&Ticket { cluster: ClusterUid(Uuid::new_v4()), ..good.clone() }),
            401,
            "ticket-invalid",
        ),
        (
            "of another space",
            issue(&Ticket { space: SpaceId(Uuid::new_v4()), ..good.clone() }),
            403,
            "forbidden",
        ),
        (
            "of a member who is none",
            issue(&Ticket { member: MemberUid(Uuid::new_v4()), ..good.clone() }),
            403,
            "forbidden",
        ),
    ];
    for (what, ticket, status, code) in cases {
        let other = disk.with_ticket(&ticket);
        let answer = if ticket.is_empty() {
            other.http.send(Method::GET, &other.file("secret.txt"), &[], Bytes::new()).await.unwrap()
        } else {
            other.get("secret.txt").await.unwrap()
        };
        println!("a ticket {what}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(
            (answer.status.as_u16(), answer.problem().unwrap().as_str()),
            (status, code),
            "a ticket {what}"
        );
        assert!(!answer.body.windows(6).any(|six| six == b"secret"), "{what}");
    }
    let reader = disk.with_ticket(&issue(&Ticket { access: Access::Read, ..good.clone() }));
    assert_eq!(reader.put("x", "x".into()).await.unwrap().status, 403, "a ticket for reading");
    assert_eq!(disk.names("").await.unwrap(), ["secret.txt"]);
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn somebody_elses_disk_is_closed() {
    let (demo, person, _) = begin("curious").await;
    let session = person.sign_in(&demo.settings).await.unwrap();
    let alice = demo.sign_in().await.unwrap().own_space().await.unwrap();
    let refused = session.servers(&alice).await.unwrap_err().to_string();
    assert!(refused.contains("403") || refused.contains("404"), "{refused}");
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn hostile_names_are_refused() {
    let (demo, person, disk) = begin("hostile").await;
    let long = "x".repeat(256);
    let deep = "d/".repeat(600) + "x";
    let names =
        ["..", ".", "a/../b", "a/./b", "a//b", "a/", "nul\0l", "new\nline", long.as_str(), deep.as_str(), ""];
    for name in names {
        let answer = disk.put(name, "x".into()).await.unwrap();
        assert!(answer.status.is_client_error(), "{name:?}: {}", answer.status);
    }
    for raw in ["%2e%2e/x", "a%2fb", "%ff%fe", "%00", "..%2f..%2fetc%2fpasswd"] {
        let url = disk.at(&format!("files/{raw}"));
        let answer = disk.send(Method::PUT, &url, &[], "x".into()).await.unwrap();
        let stored = disk.names("").await.unwrap();
        assert!(answer.status.is_client_error() && stored.is_empty(), "{raw}: {} {stored:?}", answer.status);
    }
    assert_eq!(disk.usage().await.unwrap().used, 0);
    person.remove(&demo.cluster).await.unwrap();
}

/// Speaks HTTP by hand: declares a length, sends less, and hangs up.
async fn cut_short(disk: &Disk, method: &str, url: &str, more: &str, declared: usize, sent: &Bytes) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let address = match host.rsplit_once(':') {
        Some((name, port)) if name.ends_with("localhost") => format!("127.0.0.1:{port}"),
        Some(_) => host.to_owned(),
        None => format!("{host}:80"),
    };
    let mut stream = TcpStream::connect(address).await.unwrap();
    let bearer = disk.bearer();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {bearer}\r\nContent-Length: {declared}\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream.shutdown().await.unwrap();
    // Whatever is answered, if anything: the server must not wait for what will not come.
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer))
        .await
        .expect("the server hung up")
        .ok();
    assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_body_that_ends_early_leaves_nothing() {
    let (demo, person, disk) = begin("short").await;
    disk.put("kept", "as it was".into()).await.unwrap().expect(201).unwrap();
    let part = noise(8, 2 << 20);
    for path in ["new", "kept"] {
        cut_short(&disk, "PUT", &disk.file(path), "", 4 << 20, &part).await;
    }
    cut_short(&disk, "PUT", &disk.file("small"), "", 100, &part.slice(..50)).await;
    assert_eq!(disk.names("").await.unwrap(), ["kept"]);
    assert_eq!(disk.get("kept").await.unwrap().body, "as it was");
    wait::until("nothing is used or reserved for it", Duration::from_secs(20), async || {
        let usage = disk.usage().await?;
        Ok((usage.used == 9 && usage.reserved == 0).then_some(()))
    })
    .await
    .unwrap();

    // A piece of a resumable upload that ends early may count as far as it came, and the upload goes on from there.
    let content = noise(9, 4 << 20);
    let upload = tus::create(&disk, "resumed", content.len() as u64).await.unwrap();
    let more =
        "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n";
    let url = disk.at(&format!("uploads/{}", upload.id));
    cut_short(&disk, "PATCH", &url, more, content.len(), &content.slice(..1 << 20)).await;
    let at = tus::offset(&disk, &upload).await.unwrap();
    assert!(at <= 1 << 20, "{at}");
    tus::send_rest(&disk, &upload, &content, at, 1 << 20).await.unwrap();
    assert_eq!(disk.hash("resumed", None).await.unwrap().1, blake3::hash(&content));
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn tus_is_kept_to() {
    let (demo, person, disk) = begin("tus").await;
    let send = async |method: Method, url: &str, headers: &[(&str, &str)]| {
        disk.send(method, url, headers, Bytes::new()).await.unwrap().status.as_u16()
    };
    let uploads = disk.at("uploads");
    assert_eq!(
        send(Method::POST, &uploads, &[("upload-length", "5"), ("upload-metadata", "path YQ==")]).await,
        412,
        "no version"
    );
    let version = ("tus-resumable", "1.0.0");
    assert_eq!(send(Method::POST, &uploads, &[version, ("upload-length", "5")]).await, 400, "no path");
    assert_eq!(
        send(Method::POST, &uploads, &[version, ("upload-length", "-5"), ("upload-metadata", "path YQ==")])
            .await,
        400,
        "negative"
    );
    assert_eq!(
        send(Method::POST, &uploads, &[version, ("upload-length", "5"), ("upload-metadata", "path Li4=")])
            .await,
        400,
        "path .."
    );
    let unknown = disk.at(&format!("uploads/{}", Uuid::new_v4()));
    assert!([404, 410].contains(&send(Method::HEAD, &unknown, &[version]).await), "an upload nobody began");
    let too_much = tus::try_create(&disk, "a", u64::MAX).await.unwrap();
    assert!(too_much.status.is_client_error() || too_much.status == 507, "{too_much:?}");
    assert_eq!(disk.usage().await.unwrap().reserved, 0);
    person.remove(&demo.cluster).await.unwrap();
}
