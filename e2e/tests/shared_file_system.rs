//! On a real shared file system, with a client of its own on each node: disk pods, a node's client, and the server with
//! the contents are killed while files go up. `DEMO_FILE_SYSTEM=moosefs e2e/run.sh` has one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use internet_disk_e2e::chaos::{self, Harm};
use internet_disk_e2e::command::kubectl;
use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::disk::Disk;
use internet_disk_e2e::file_system::{FileSystem, Mount, mounts};
use internet_disk_e2e::people::Person;
use internet_disk_e2e::settings::NAMESPACE;
use internet_disk_e2e::wait;
use internet_disk_e2e::web::Session;
use internet_disk_e2e::writers::{Done, Writers};
use k8s_openapi::api::core::v1::Pod;
use kube::api::DeleteParams;

const WRITERS: u64 = 6;
const KILLS: usize = 6;
/// However slow the machine, a pod that is not back after so long hangs.
const BACK: Duration = Duration::from_secs(90);
/// How long a server of the file system is away.
const AWAY: Duration = Duration::from_secs(3);

/// What a test begins with: everything runs, and each pod has a node, and each node a client of its own.
async fn begin() -> (Demo, FileSystem, Vec<Mount>) {
    let demo = Demo::find().await.unwrap();
    let file_system = FileSystem::of(&demo.settings).unwrap();
    // An earlier test may have left something dead.
    file_system.bring_back().await.unwrap();
    let (found, _) = wait::until("three disk pods see the volume", BACK, async || {
        let found = mounts(&demo.cluster).await?;
        for mount in &found {
            chaos::pod_ready(&demo.cluster, &mount.pod, BACK).await?;
        }
        Ok((found.len() == 3).then_some(found))
    })
    .await
    .unwrap();
    let distinct = |of: fn(&Mount) -> &String| found.iter().map(of).collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(|mount| &mount.node), 3, "each pod is on another node: {found:?}");
    assert_eq!(distinct(|mount| &mount.device), 3, "each node has a client of its own: {found:?}");
    assert!(found.iter().all(|mount| mount.kind.starts_with("fuse")), "{found:?}");
    (demo, file_system, found)
}

/// Files go up while `harm` is done, and each one that was acknowledged is there in the end, through a pod of another node.
async fn nothing_is_lost(demo: &Demo, what: &str, harm: impl AsyncFnOnce(&Writers) -> Result<()>) -> Done {
    let person = Person::create(&demo.cluster, "kills", "4Gi").await.unwrap();
    let session = person.sign_in(&demo.settings).await.unwrap();
    let space = session.own_space().await.unwrap();
    let began = Instant::now();
    let writers = Writers::start(&session, &space, WRITERS);
    more_is_acknowledged(&writers).await.unwrap();
    let harmed = harm(&writers).await;
    let done = writers.end().await.unwrap();
    harmed.unwrap();
    let took = began.elapsed();
    let disks = all_disks(&session, &space).await;
    for (number, file) in done.files.iter().enumerate() {
        let others: Vec<_> = disks.iter().filter(|disk| disk.pod != file.pod).collect();
        let disk = others[number % others.len()];
        wait::until(
            &format!("{} is served by {}", file.path, disk.pod),
            Duration::from_secs(30),
            async || Ok(file.is_served_by(disk).await.unwrap().then_some(())),
        )
        .await
        .unwrap();
    }
    println!(
        "{what}: {} files acknowledged in {took:.1?} and none lost; {} tries failed; the longest took {:.1?}",
        done.files.len(),
        done.tries,
        done.longest
    );
    // The log and the data file of every file, by the offline tool.
    let arguments = ["-n", NAMESPACE, "exec", &disks[0].pod, "--", "/disk-pod", "volume", "verify"];
    let scope = ["/volumes/main", "--space", &space, "--read"];
    let told = kubectl(&demo.settings, &[&arguments[..], &scope[..]].concat()).await.unwrap();
    println!("{}", told.expect_success().unwrap().trim_end());
    person.remove(&demo.cluster).await.unwrap();
    done
}

async fn all_disks(session: &Session, space: &str) -> Vec<Disk> {
    wait::until("three disk pods are named", BACK, async || {
        Ok(Some(session.disks(space).await?).filter(|disks| disks.len() == 3))
    })
    .await
    .unwrap()
    .0
}

/// Waits until a file is acknowledged that was not yet, and says how long that took.
async fn more_is_acknowledged(writers: &Writers) -> Result<Duration> {
    // Each of them may have one under way that is almost there.
    let enough = writers.acknowledged() + usize::try_from(WRITERS)? + 1;
    let (_, took) = wait::until("more is acknowledged", BACK, async || {
        Ok((writers.acknowledged() >= enough).then_some(()))
    })
    .await?;
    Ok(took)
}

/// Makes the pod anew, at once: what is killed again and again in one place is started later and later.
async fn make_anew(demo: &Demo, pod: &str) -> Result<()> {
    let pods = demo.cluster.core::<Pod>();
    let before = pods.get(pod).await?.metadata.uid;
    pods.delete(pod, &DeleteParams::default().grace_period(0)).await?;
    wait::until(&format!("{pod} is another"), BACK, async || {
        Ok(pods.get_opt(pod).await?.filter(|found| found.metadata.uid != before))
    })
    .await?;
    chaos::pod_ready(&demo.cluster, pod, BACK).await
}

async fn restarts(demo: &Demo, pod: &str) -> Result<i32> {
    let status = demo.cluster.core::<Pod>().get(pod).await?.status.unwrap_or_default();
    Ok(status.container_statuses.unwrap_or_default().iter().map(|container| container.restart_count).sum())
}

async fn is_ready(demo: &Demo, pod: &str) -> Result<bool> {
    let status = demo.cluster.core::<Pod>().get(pod).await?.status.unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    Ok(conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
}

#[tokio::test]
async fn disk_pods_are_killed() {
    let (demo, file_system, found) = begin().await;
    for Mount { pod, node, kind, device } in &found {
        println!("{pod} on {node}: {kind}, device {device}");
    }
    let what = format!("{}, {KILLS} disk pods killed and one stopped", file_system.name);
    nothing_is_lost(&demo, &what, async |writers| {
        let stopped = chaos::take_away(&demo.settings, &demo.cluster, &found[0].pod, Harm::Stop).await?;
        for _ in 0..2 {
            more_is_acknowledged(writers).await?;
        }
        stopped.undo(&demo.settings, &demo.cluster).await?;
        for Mount { pod, .. } in found.iter().cycle().take(KILLS) {
            let _killed = chaos::take_away(&demo.settings, &demo.cluster, pod, Harm::Kill).await?;
            make_anew(&demo, pod).await?;
            more_is_acknowledged(writers).await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_client_of_a_node_is_killed() {
    let (demo, file_system, found) = begin().await;
    let Mount { pod, node, .. } = &found[1];
    let what = format!("{}, the client of {node} killed", file_system.name);
    nothing_is_lost(&demo, &what, async |writers| {
        let before = restarts(&demo, pod).await?;
        file_system.kill_client(node).await?;
        let (_, noticed) = wait::until("the pod says that its volume is gone", BACK, async || {
            Ok((!is_ready(&demo, pod).await?).then_some(()))
        })
        .await?;
        let others = more_is_acknowledged(writers).await?;
        // Restarting a program heals no storage.
        assert_eq!(restarts(&demo, pod).await?, before, "{pod} is not restarted for it");
        file_system.bring_back().await?;
        // What it has mounted is dead for ever, as with any client in user space: it takes a new pod.
        let began = Instant::now();
        make_anew(&demo, pod).await?;
        println!(
            "{pod} was not Ready after {noticed:.1?}, {} more files went through the others in {others:.1?}, and a new \
             pod was Ready after {:.1?}",
            WRITERS + 1,
            began.elapsed()
        );
        more_is_acknowledged(writers).await?;
        Ok(())
    })
    .await;
    let after = mounts(&demo.cluster).await.unwrap();
    let of_pod = |mounts: &[Mount]| mounts.iter().find(|mount| mount.pod == *pod).cloned();
    assert_ne!(of_pod(&after), of_pod(&found), "the new pod has another client");
}

#[tokio::test]
async fn the_server_with_the_contents_is_killed() {
    let (demo, file_system, _) = begin().await;
    let what = format!("{}, the server with the contents killed", file_system.name);
    nothing_is_lost(&demo, &what, async |writers| {
        file_system.kill_store().await?;
        tokio::time::sleep(AWAY).await;
        file_system.bring_back().await?;
        let took = more_is_acknowledged(writers).await?;
        println!("it was away for {AWAY:?}; {} more files were acknowledged {took:.1?} after", WRITERS + 1);
        Ok(())
    })
    .await;
}
