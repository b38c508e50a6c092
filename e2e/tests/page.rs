//! The page, walked through in a real browser as a member does, in both languages (`e2e/browser/walk.mjs`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::time::Duration;

use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::people::Person;
use internet_disk_e2e::settings::root;
use tokio::process::Command;

/// Every step of the walk has a limit of its own; this one is for a browser that hangs.
const LIMIT: Duration = Duration::from_secs(180);

#[tokio::test]
async fn a_member_walks_through_the_page_in_both_languages() {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, "walk", "2Gi").await.unwrap();
    // Until every web pod knows the new member.
    person.sign_in(&demo.settings).await.unwrap();
    let mut walk = Command::new("node");
    walk.arg(root().join("e2e/browser/walk.mjs"))
        .env("WEB_URL", &demo.settings.web_url)
        .env("DEMO_MEMBER", &person.name)
        .env("DEMO_PASSWORD", &person.password)
        .kill_on_drop(true);
    let walked = tokio::time::timeout(LIMIT, walk.output()).await.expect("the browser hangs").unwrap();
    print!("{}", String::from_utf8_lossy(&walked.stdout));
    assert!(walked.status.success(), "{}", String::from_utf8_lossy(&walked.stderr));
    person.remove(&demo.cluster).await.unwrap();
}
