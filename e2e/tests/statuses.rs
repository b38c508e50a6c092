//! What a platform engineer sees: `kubectl get`, `describe` and `wait` must be enough to run a disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::time::Duration;

use internet_disk_e2e::command::{kubectl, kubectl_with};
use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::objects;
use internet_disk_e2e::people::fresh_name;
use internet_disk_e2e::wait;

#[tokio::test]
async fn get_reads_well() {
    let demo = Demo::find().await.unwrap();
    let table = kubectl(&demo.settings, &["-n", "disk", "get", "diskclusters,members,groups"])
        .await
        .unwrap()
        .expect_success()
        .unwrap();
    println!("{table}");
    let row = |kind: &str, name: &str| {
        let wanted = format!("{kind}.internetdisk.dev/{name} ");
        table
            .lines()
            .find(|line| line.starts_with(&wanted))
            .unwrap_or_else(|| panic!("no {kind}/{name}"))
            .to_owned()
    };
    let cluster = row("diskcluster", "demo");
    for word in ["True", "3/3", "2/2", "http://disk.localhost:8080"] {
        assert!(cluster.contains(word), "{word} is missing in {cluster}");
    }
    let alice = row("member", "alice");
    for word in ["True", "Active", "6Gi", "2Gi", "4Gi"] {
        assert!(alice.contains(word), "{word} is missing in {alice}");
    }
    let design = row("group", "design");
    for word in ["True", "OnRequest", "3Gi"] {
        assert!(design.contains(word), "{word} is missing in {design}");
    }
    assert!(!table.contains("<none>") && !table.contains("<unknown>"), "a column is empty");
}

#[tokio::test]
async fn wait_works_for_all_three() {
    let demo = Demo::find().await.unwrap();
    let arguments = [
        "-n",
        "disk",
        "wait",
        "--for=condition=Ready",
        "--timeout=30s",
        "diskcluster/demo",
        "member/alice",
        "group/design",
    ];
    let told = kubectl(&demo.settings, &arguments).await.unwrap().expect_success().unwrap();
    assert_eq!(told.lines().filter(|line| line.ends_with("condition met")).count(), 3, "{told}");
}

#[tokio::test]
async fn describe_says_what_happened_and_what_to_do() {
    let demo = Demo::find().await.unwrap();
    for (kind, name) in [("diskcluster", "demo"), ("member", "alice"), ("group", "design")] {
        let told = kubectl(&demo.settings, &["-n", "disk", "describe", kind, name])
            .await
            .unwrap()
            .expect_success()
            .unwrap();
        println!("{told}");
        assert!(told.contains("Conditions:"), "{kind}");
    }

    // Somebody whose Secret is missing is told so, in the condition and in an event, and is cured by it.
    let name = fresh_name("nosecret");
    let member = format!(
        "apiVersion: internetdisk.dev/v1alpha1\nkind: Member\nmetadata: {{name: {name}, namespace: disk}}\nspec:\n  clusterRef: {{name: demo}}\n  quota: 1Mi\n  passwordSecretRef: {{name: {name}}}\n"
    );
    kubectl_with(&demo.settings, &["apply", "--server-side", "-f", "-"], &member)
        .await
        .unwrap()
        .expect_success()
        .unwrap();
    let members = demo.cluster.members();
    let (ready, _) =
        objects::holds(&members, &name, "Ready", "False", Duration::from_secs(30)).await.unwrap();
    assert!(ready.message.contains(&name), "the message names the Secret: {}", ready.message);
    let told = wait::until("an event tells it", Duration::from_secs(30), async || {
        let told =
            kubectl(&demo.settings, &["-n", "disk", "describe", "member", &name]).await?.expect_success()?;
        let events = told.split("Events:").nth(1).unwrap_or_default().to_owned();
        Ok(events.contains(&name).then_some(told))
    })
    .await
    .unwrap()
    .0;
    println!("{told}");
    internet_disk_e2e::people::put_password(&demo.cluster, &name, "now there is one").await.unwrap();
    objects::ready(&members, &name, Duration::from_secs(30)).await.unwrap();
    internet_disk_e2e::people::Person { name, password: String::new() }.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn a_ready_condition_is_there_from_first_sight() {
    let demo = Demo::find().await.unwrap();
    let name = fresh_name("first");
    let members = demo.cluster.members();
    let spec = serde_json::json!({ "clusterRef": { "name": "demo" }, "quota": "1Mi" });
    let created = objects::create(&members, &name, spec).await.unwrap();
    let condition = &created.data["status"]["conditions"][0];
    assert_eq!(
        (&condition["type"], &condition["status"]),
        (&"Ready".into(), &"Unknown".into()),
        "{condition}"
    );
    objects::ready(&members, &name, Duration::from_secs(30)).await.unwrap();
    objects::delete(&members, &name).await.unwrap();
}
