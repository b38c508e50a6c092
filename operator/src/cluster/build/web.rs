//! The web servers.

use api::kubernetes::DiskCluster;
use api::kubernetes::labels::Component;
use api::kubernetes::names::{INTERNAL_PORT, Names};
use api::kubernetes::reference::KeyReference;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, EnvVar, SecretProjection, SecretVolumeSource, Volume, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use roster::SHARDS;

use super::pods::{Part, arguments, item, projected, read_only, selector, template};
use super::services::INTERNAL;
use super::{Surroundings, owned, web_replicas};

const CREDENTIALS: &str = "/etc/internet-disk/credentials";
const KEYS: &str = "/etc/internet-disk/keys";
const PROVIDERS: &str = "/etc/internet-disk/providers";

/// Every web pod does everything for everybody.
pub(super) fn deployment(cluster: &DiskCluster, names: &Names, around: &Surroundings) -> Deployment {
    let web = &cluster.spec.web;
    let mut arguments = arguments(cluster, around, &web.pods);
    arguments.push(format!("--credentials={CREDENTIALS}"));
    arguments.push(format!("--keys={KEYS}"));
    arguments.push(format!("--probe-interval-ms={}", web.probe_interval_milliseconds));
    let mut volumes = vec![keys(names), credentials(names)];
    let mut mounts = vec![read_only("keys", KEYS), read_only("credentials", CREDENTIALS)];
    if let Some(volume) = providers(cluster) {
        arguments.push(format!("--providers={PROVIDERS}"));
        mounts.push(read_only(&volume.name, PROVIDERS));
        volumes.push(volume);
    }
    let part = Part {
        component: Component::Web,
        program: "web-pod",
        account: names.web(),
        pods: &web.pods,
        arguments,
        environment: vec![returned_memory()],
        ports: vec![(INTERNAL, INTERNAL_PORT)],
        volumes,
        mounts,
        requests: [("cpu", "20m"), ("memory", "64Mi")],
    };
    Deployment {
        metadata: owned(cluster, &names.web(), Component::Web),
        spec: Some(DeploymentSpec {
            replicas: i32::try_from(web_replicas(cluster)).ok(),
            revision_history_limit: Some(3),
            selector: selector(names, Component::Web),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(IntOrString::Int(1)),
                    max_unavailable: Some(IntOrString::Int(0)),
                }),
            }),
            template: template(cluster, names, around, part),
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

/// Checking a password takes 19 MiB for a moment. glibc would keep as much for each check that ever ran beside others;
/// told where large is, it gives such pieces back.
fn returned_memory() -> EnvVar {
    EnvVar { name: "MALLOC_MMAP_THRESHOLD_".to_owned(), value: Some((1 << 20).to_string()), value_from: None }
}

/// Only what web pods sign with: the Secret holds more, for the operator.
fn keys(names: &Names) -> Volume {
    Volume {
        name: "keys".to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(names.web_keys()),
            items: Some(vec![item("keys.json", "keys.json".to_owned())]),
            default_mode: Some(0o440),
            optional: None,
        }),
        ..Volume::default()
    }
}

/// Secrets and certificate authorities of OpenID providers. Mounted, they need no right to read Secrets, and a new
/// content arrives by itself.
fn providers(cluster: &DiskCluster) -> Option<Volume> {
    let mut sources = Vec::new();
    for provider in &cluster.spec.sign_in.oidc {
        if let Some(KeyReference { name, key }) = &provider.client_secret_ref {
            let key = key.as_deref().unwrap_or("clientSecret");
            sources.push(VolumeProjection {
                secret: Some(SecretProjection {
                    name: name.clone(),
                    optional: Some(true),
                    items: Some(vec![item(key, format!("{}/clientSecret", provider.name))]),
                }),
                ..VolumeProjection::default()
            });
        }
        if let Some(KeyReference { name, key }) = &provider.ca_bundle_ref {
            let key = key.as_deref().unwrap_or("ca.crt");
            sources.push(VolumeProjection {
                config_map: Some(ConfigMapProjection {
                    name: name.clone(),
                    optional: Some(true),
                    items: Some(vec![item(key, format!("{}/ca.crt", provider.name))]),
                }),
                ..VolumeProjection::default()
            });
        }
    }
    let mut volume = projected("providers", sources);
    let projected = volume.projected.as_mut()?;
    projected.default_mode = Some(0o440);
    projected.sources.as_ref().is_some_and(|sources| !sources.is_empty()).then_some(volume)
}

/// The mounted copy of what passwords are checked against.
fn credentials(names: &Names) -> Volume {
    let source = |shard: u8| VolumeProjection {
        secret: Some(SecretProjection {
            name: names.credentials(shard),
            optional: Some(true),
            items: Some(vec![item("credentials.json", format!("credentials-{shard}.json"))]),
        }),
        ..VolumeProjection::default()
    };
    let mut volume = projected("credentials", (0..SHARDS).map(source).collect());
    if let Some(projected) = &mut volume.projected {
        projected.default_mode = Some(0o440);
    }
    volume
}
