use api::ids::MemberUid;
use uuid::Uuid;

use super::*;

fn credentials(generation: u64, verifier: &str) -> (u8, Vec<u8>) {
    let alice = Credential {
        uid: MemberUid(Uuid::from_u128(1)),
        name: "alice".parse().unwrap(),
        verifier: Verifier::new(verifier),
        source: "x/1".to_owned(),
    };
    let body =
        Credentials { generation: RosterGeneration(generation), members: vec![alice], apps: Vec::new() };
    (shard_of("alice"), serde_json::to_vec(&body).unwrap())
}

#[test]
fn the_newest_verifier_counts_and_shows_itself_to_nobody() {
    let store = CredentialStore::empty();
    let alice = ("alice".parse().unwrap(), MemberUid(Uuid::from_u128(1)));
    assert!(store.verifier(&alice.0, alice.1).is_none());
    let (shard, second) = credentials(2, "second");
    store.offer(shard, &second).unwrap();
    let (_, first) = credentials(1, "first");
    store.offer(shard, &first).unwrap();
    let verifier = store.verifier(&alice.0, alice.1).unwrap();
    assert_eq!(verifier.expose(), "second");
    assert!(!format!("{verifier:?} {store:?}").contains("second"));
    let another_of_the_name = MemberUid(Uuid::from_u128(2));
    assert!(store.verifier(&alice.0, another_of_the_name).is_none());
    assert_ne!(verifier.version(), Verifier::new("first").version());
}

#[test]
fn a_mistake_quotes_nothing() {
    let store = CredentialStore::empty();
    let message = store.offer(0, br#"{"generation": "k4.secret.hush"}"#).unwrap_err().to_string();
    assert!(!message.contains("hush"), "{message}");
}

#[tokio::test]
async fn a_mounted_copy_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let (shard, body) = credentials(3, "third");
    std::fs::write(directory.path().join(format!("credentials-{shard}.json")), body).unwrap();
    let store = CredentialStore::empty();
    let _follower = directory::follow(store.clone(), directory.path().to_owned());
    let read = async {
        while store.generation(shard) != RosterGeneration(3) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), read).await.unwrap();
}
