//! Members made for a test, with passwords, and taken away after it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use serde_json::json;

use crate::objects::{self, Cluster};
use crate::settings::{CLUSTER, Settings};
use crate::web::Session;

/// How long a Member may take until it is Ready on a busy machine.
pub const READY: Duration = Duration::from_secs(60);

/// Somebody made for one test.
#[derive(Clone, Debug)]
pub struct Person {
    /// Name of the Member.
    pub name: String,
    /// The password.
    pub password: String,
}

/// A name that no other test and no earlier run has.
pub fn fresh_name(what: &str) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("e2e-{what}-{}", &random[..6])
}

impl Person {
    /// Makes a Member and waits until it is Ready.
    ///
    /// # Errors
    /// When it does not become so.
    pub async fn create(cluster: &Cluster, what: &str, quota: &str) -> Result<Self> {
        let name = fresh_name(what);
        let password = uuid::Uuid::new_v4().to_string();
        put_password(cluster, &name, &password).await?;
        let spec = json!({
            "clusterRef": { "name": CLUSTER },
            "quota": quota,
            "passwordSecretRef": { "name": name },
        });
        let members = cluster.members();
        objects::create(&members, &name, spec).await?;
        objects::ready(&members, &name, READY).await?;
        Ok(Self { name, password })
    }

    /// Signs in.
    ///
    /// # Errors
    /// When the password is not accepted in time: the roster may still be on its way to a web pod.
    pub async fn sign_in(&self, settings: &Settings) -> Result<Session> {
        let (session, _) =
            crate::wait::until("the new member can sign in", Duration::from_secs(20), async || {
                Session::sign_in(&settings.web_url, &self.name, &self.password).await.map(Some)
            })
            .await?;
        Ok(session)
    }

    /// Takes the Member and the password away.
    ///
    /// # Errors
    /// When they stay.
    pub async fn remove(self, cluster: &Cluster) -> Result<()> {
        let members = cluster.members();
        objects::merge(&members, &self.name, json!({ "spec": { "allocations": null } })).await?;
        objects::delete(&members, &self.name).await?;
        cluster.core::<Secret>().delete(&self.name, &DeleteParams::default()).await?;
        Ok(())
    }
}

/// Writes the Secret of a first password.
///
/// # Errors
/// When it cannot be made.
pub async fn put_password(cluster: &Cluster, name: &str, password: &str) -> Result<()> {
    let secret = Secret {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(BTreeMap::from([("password".to_owned(), ByteString(password.as_bytes().to_vec()))])),
        ..Secret::default()
    };
    cluster.core().create(&PostParams::default(), &secret).await?;
    Ok(())
}
