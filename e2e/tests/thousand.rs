//! A thousand Members and a hundred Groups: how long until all are Ready, and what it costs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use internet_disk_e2e::chaos;
use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::memory;
use internet_disk_e2e::objects::{self, Objects};
use internet_disk_e2e::people::Person;
use internet_disk_e2e::settings::OPERATOR_NAMESPACE;
use internet_disk_e2e::wait;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const MEMBERS: usize = 1000;
const GROUPS: usize = 100;
const CLIENTS: usize = 32;
const LABEL: &str = "internet-disk-e2e=thousand";

async fn scale_operator(demo: &Demo, replicas: i32) {
    let deployments: Api<Deployment> = Api::namespaced(demo.cluster.client.clone(), OPERATOR_NAMESPACE);
    let patch = json!({ "spec": { "replicas": replicas } });
    deployments.patch("internet-disk-operator", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(demo.cluster.client.clone(), OPERATOR_NAMESPACE);
    wait::until("the operator's pods are as many as wanted", Duration::from_secs(60), async || {
        Ok((pods.list(&ListParams::default()).await?.items.len() == usize::try_from(replicas)?).then_some(()))
    })
    .await
    .unwrap();
}

fn metadata(name: &str) -> Value {
    let (key, value) = LABEL.split_once('=').unwrap();
    json!({ "name": name, "labels": { key: value }, "annotations": { "internetdisk.dev/confirm-deletion": name } })
}

/// Creates all of them with some clients side by side.
async fn create_all(objects: Vec<(Objects, String, Value)>) -> Result<()> {
    let clients = Arc::new(Semaphore::new(CLIENTS));
    let mut tasks = JoinSet::new();
    for (api, name, spec) in objects {
        let turn = Arc::clone(&clients).acquire_owned().await?;
        tasks.spawn(async move {
            let created = objects::create_with(&api, metadata(&name), spec).await;
            drop(turn);
            created.map(|_| ())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

async fn ready(api: &Objects) -> Result<usize> {
    let found = api.list(&ListParams::default().labels(LABEL)).await?.items;
    let ready = found
        .iter()
        .filter(|object| objects::condition(object, "Ready").is_some_and(|one| one.status == "True"));
    Ok(ready.count())
}

async fn remove_all(demo: &Demo) {
    for api in [demo.cluster.groups(), demo.cluster.members()] {
        let params = ListParams::default().labels(LABEL);
        api.delete_collection(&DeleteParams::default(), &params).await.unwrap();
        wait::until("all of them are gone", Duration::from_secs(300), async || {
            Ok(api.list(&params).await?.items.is_empty().then_some(()))
        })
        .await
        .unwrap();
    }
}

async fn largest_operator(demo: &Demo) -> u64 {
    let pods: Api<Pod> = Api::namespaced(demo.cluster.client.clone(), OPERATOR_NAMESPACE);
    let mut largest = 0;
    for pod in pods.list(&ListParams::default()).await.unwrap().items {
        for pid in chaos::pids(&demo.cluster, OPERATOR_NAMESPACE, &pod.metadata.name.unwrap()).await.unwrap()
        {
            largest = largest.max(memory::process(pid).map_or(0, |process| process.rss));
        }
    }
    largest
}

#[tokio::test]
async fn a_thousand_members_and_a_hundred_groups() {
    let demo = Demo::find().await.unwrap();
    remove_all(&demo).await;
    let witness = Person::create(&demo.cluster, "witness", "10Mi").await.unwrap();
    let session = witness.sign_in(&demo.settings).await.unwrap();
    let disk = session.disk(&session.own_space().await.unwrap()).await.unwrap();

    let mut wanted = Vec::new();
    for number in 0..MEMBERS {
        let spec = json!({
            "clusterRef": { "name": "demo" }, "quota": "2Mi",
            "allocations": [{ "group": format!("thousand-{}", number % GROUPS), "size": "1Mi" }],
        });
        wanted.push((demo.cluster.members(), format!("thousand-{number}"), spec));
    }
    for number in 0..GROUPS {
        let spec = json!({
            "clusterRef": { "name": "demo" }, "joining": { "policy": "Open" },
            "members": [{ "name": format!("thousand-{number}"), "role": "Owner" }],
        });
        wanted.push((demo.cluster.groups(), format!("thousand-{number}"), spec));
    }
    scale_operator(&demo, 0).await;
    let began = Instant::now();
    create_all(wanted).await.unwrap();
    let created = began.elapsed();
    println!("{MEMBERS} Members and {GROUPS} Groups were created in {created:?}");

    let began = Instant::now();
    scale_operator(&demo, 2).await;
    wait::until("all are Ready", Duration::from_secs(600), async || {
        let (members, groups) = (ready(&demo.cluster.members()).await?, ready(&demo.cluster.groups()).await?);
        Ok((members == MEMBERS && groups == GROUPS).then_some(()))
    })
    .await
    .unwrap();
    let all_ready = began.elapsed();
    println!(
        "all were Ready {all_ready:?} after the operator was started: {:.1} times as long",
        all_ready.as_secs_f64() / created.as_secs_f64()
    );

    let (_, took) = {
        let patch = json!({ "spec": { "quota": "20Mi" } });
        objects::merge(&demo.cluster.members(), &witness.name, patch).await.unwrap();
        wait::until("the quota is in force", Duration::from_secs(20), async || {
            Ok((disk.usage().await?.limit == 20 << 20).then_some(()))
        })
        .await
        .unwrap()
    };
    println!("a changed quota among them was in force after {took:?}");
    let memory = largest_operator(&demo).await;
    println!("the operator uses {:.1} MB", memory as f64 / 1e6);

    let capacity = demo.cluster.groups().get("thousand-7").await.unwrap().data["status"]["capacity"].clone();
    assert_eq!(capacity, "10Mi", "ten members give a mebibyte each");
    let began = Instant::now();
    remove_all(&demo).await;
    println!("all were gone after {:?}", began.elapsed());
    witness.remove(&demo.cluster).await.unwrap();
    assert!(memory < 60_000_000, "{memory} bytes");
    assert!(took < Duration::from_secs(2), "{took:?}");
}
