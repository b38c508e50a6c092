//! Whose a volume is.

use api::ids::ClusterUid;
use uuid::Uuid;

use super::failing::files;
use super::world::{MIB, Short, World, volume_name};
use crate::{Engine, LocalConfig, OpenError, Settings};

#[tokio::test]
async fn a_volume_is_of_one_cluster() {
    let world = World::new();
    world.roomy(MIB).await.put("a", b"content").await.unwrap();
    let stranger = ClusterUid(Uuid::new_v4());
    let before = files(world.volume.path());
    let refused = world.open(stranger, None).await.err().unwrap();
    assert!(matches!(&refused, OpenError::Foreign { owner, .. } if *owner == world.cluster), "{refused}");
    let wrong = world.open(stranger, Some(ClusterUid(Uuid::new_v4()))).await.err().unwrap();
    assert!(matches!(wrong, OpenError::Foreign { .. }), "{wrong}");
    assert_eq!(files(world.volume.path()), before, "what belongs to somebody else is not touched");
    let told = refused.to_string();
    assert!(told.contains("the volume a ") && told.contains("set adoptClusterUID"), "{told}");
    let adopted = world.open(stranger, Some(world.cluster)).await.unwrap();
    assert_eq!(adopted.space(world.space, volume_name()).get("a").await.unwrap(), b"content");
}

#[tokio::test]
async fn a_volume_that_is_not_there_is_not_an_empty_one() {
    let world = World::new();
    let engine = world.engine().await;
    let file = world.volume.path().join("internet-disk.json");
    let content = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let space = engine.space(world.space, volume_name());
    let refused = space.snapshot(crate::Freshness::Now).await.unwrap_err();
    assert!(refused.to_string().contains("is the volume mounted?"), "{refused}");
    std::fs::write(&file, content).unwrap();
    assert!(space.names("").await.is_empty());
}

#[tokio::test]
async fn what_is_no_identity() {
    for (content, newer) in [("{\"format\": 2}", true), ("nonsense", false), ("", false)] {
        let world = World::new();
        std::fs::write(world.volume.path().join("internet-disk.json"), content).unwrap();
        let before = files(world.volume.path());
        let refused = world.open(world.cluster, None).await.err().unwrap();
        assert_eq!(files(world.volume.path()), before);
        assert!(refused.to_string().contains("the volume a "), "{refused}");
        assert_eq!(matches!(refused, OpenError::Newer { found: 2, .. }), newer, "{content:?}: {refused}");
        assert_eq!(matches!(refused, OpenError::Unreadable { .. }), !newer, "{content:?}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_that_start_together_agree() {
    let world = World::new();
    let opened = futures::future::join_all((0..8).map(|_| world.open(world.cluster, None))).await;
    assert!(opened.iter().all(Result::is_ok));
    let left = std::fs::read_dir(world.volume.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> =
        left.filter(|name| name.to_string_lossy().starts_with("internet-disk.json.")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn one_directory_is_one_volume() {
    let world = World::new();
    let at = world.volume.path().to_owned();
    world.engine().await;
    let volumes = vec![(volume_name(), at.clone()), ("b".parse().unwrap(), at)];
    let settings = Settings::default();
    let config = LocalConfig { volumes, cluster: world.cluster, adopt: None, faults: None, settings };
    let refused = Engine::open_local(config).await.err().unwrap();
    assert!(matches!(refused, OpenError::Unusable { .. }), "{refused}");
    let volumes = vec![(volume_name(), "/nowhere/at/all".into())];
    let settings = Settings::default();
    let config = LocalConfig { volumes, cluster: world.cluster, adopt: None, faults: None, settings };
    assert!(matches!(Engine::open_local(config).await, Err(OpenError::Unusable { .. })));
}
