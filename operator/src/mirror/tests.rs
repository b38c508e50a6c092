use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Client, Config};
use serde_json::json;

use super::*;

/// A mirror that nobody feeds, and what its listener was told.
fn mirror() -> (Mirror<ConfigMap>, Arc<Mutex<Vec<String>>>) {
    // Nobody listens there, and nobody asks.
    let client = Client::try_from(Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap();
    let mirror = Mirror::<ConfigMap>::new(api(&client, None), watcher::Config::default())
        .keeping(|map| map.data = None);
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let listener = Arc::clone(&told);
    mirror.on_change(move |map: &ConfigMap| listener.lock().unwrap().push(Key::of(map).to_string()));
    (mirror, told)
}

fn map(namespace: &str, name: &str, version: &str) -> ConfigMap {
    serde_json::from_value(json!({
        "metadata": {
            "name": name, "namespace": namespace, "resourceVersion": version,
            "managedFields": [{ "manager": "somebody" }],
            "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes" },
        },
        "data": { "large": "content" },
    }))
    .unwrap()
}

#[tokio::test]
async fn what_nobody_looks_at_is_not_kept() {
    let (mirror, _) = mirror();
    mirror.put(map("disk", "a", "1"));
    let kept = mirror.get(&Key::new("disk", "a")).unwrap();
    assert_eq!((&kept.data, &kept.metadata.managed_fields), (&None, &None));
    assert_eq!(kept.annotations().keys().collect::<Vec<_>>(), ["kept"]);
}

#[tokio::test]
async fn listeners_are_told_of_what_differs_and_of_nothing_else() {
    let (mirror, told) = mirror();
    let take = || std::mem::take(&mut *told.lock().unwrap());
    assert!(!mirror.is_complete());
    let listed = |objects: Vec<ConfigMap>| {
        objects.into_iter().map(|object| (Key::of(&object), Arc::new(object))).collect::<BTreeMap<_, _>>()
    };
    mirror.replace(listed(vec![map("disk", "a", "1"), map("disk", "b", "1"), map("other", "a", "1")]));
    mirror.completed().await;
    assert_eq!(take(), ["disk/a", "disk/b", "other/a"]);

    // The watch broke off: one changed meanwhile, one went, one came.
    mirror.replace(listed(vec![map("disk", "a", "1"), map("disk", "b", "2"), map("disk", "c", "1")]));
    let mut differing = take();
    differing.sort();
    assert_eq!(differing, ["disk/b", "disk/c", "other/a"]);

    mirror.put(map("disk", "d", "1"));
    mirror.take(&map("disk", "a", "3"));
    assert_eq!(take(), ["disk/d", "disk/a"]);
    let names: Vec<String> = mirror.in_namespace("disk").iter().map(|map| map.name_any()).collect();
    assert_eq!((names.as_slice(), mirror.len()), (["b", "c", "d"].map(str::to_owned).as_slice(), 3));
    assert!(mirror.in_namespace("other").is_empty() && mirror.in_namespace("dis").is_empty());
}

#[tokio::test]
async fn several_may_listen() {
    let (mirror, told) = mirror();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    mirror.on_change(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    mirror.put(map("disk", "a", "1"));
    assert_eq!((told.lock().unwrap().len(), count.load(Ordering::Relaxed)), (1, 1));
}
