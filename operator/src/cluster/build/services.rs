//! Where pods are reached: the page, all disk pods together, and each of them by an address that stays.

use std::collections::BTreeMap;

use api::kubernetes::DiskCluster;
use api::kubernetes::disk_cluster::exposure::{ExposureType, LoadBalancer, Route, TrafficPolicy};
use api::kubernetes::labels::{self, Component, POD_NAME};
use api::kubernetes::names::{INTERNAL_PORT, Names, SERVICE_PORT};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{disk_replicas, owned};

/// Name of the port for clients, in pods and Services.
pub(super) const PUBLIC: &str = "public";
/// Name of the private port of disk pods and web pods.
pub(super) const INTERNAL: &str = "internal";

/// All Services, with those of the disk pods of these ordinals beyond the number wanted.
pub(super) fn services(cluster: &DiskCluster, names: &Names, leaving: &[u32]) -> Vec<Service> {
    let disk = &cluster.spec.disk.exposure.route;
    let web = &cluster.spec.web.exposure.route;
    let all_disks = labels::selector(names, Component::Disk);
    let mut services = vec![
        exposed(
            cluster,
            names.web(),
            labels::selector(names, Component::Web),
            Component::Web,
            web,
            node_port(web),
        ),
        // Readiness-balanced: for clients that know no pod of their own.
        exposed(cluster, names.disk(), all_disks.clone(), Component::Disk, disk, node_port(disk)),
        headless(cluster, names, all_disks),
        web_internal(cluster, names),
    ];
    let wanted = 0..disk_replicas(cluster);
    for ordinal in wanted.chain(leaving.iter().copied()) {
        services.extend(of_pod(cluster, names, ordinal, disk));
    }
    services
}

/// The name of the Service for the private port of a disk pod, where its own Service is open to the outside.
pub(crate) fn internal_name(names: &Names, ordinal: u32) -> String {
    format!("{}-internal", names.disk_pod(ordinal))
}

/// Whether the private port has a Service of its own: a Service that is reached from outside must not lead there.
pub(crate) fn is_apart(route: &Route) -> bool {
    matches!(service_type(route), "NodePort" | "LoadBalancer")
}

fn of_pod(cluster: &DiskCluster, names: &Names, ordinal: u32, route: &Route) -> Vec<Service> {
    let name = names.disk_pod(ordinal);
    let mut selector = labels::selector(names, Component::Disk);
    selector.insert(POD_NAME.to_owned(), name.clone());
    let mut public = exposed(cluster, name, selector.clone(), Component::Disk, route, None);
    // Who is sent to one pod finds out by himself how it does, and an upload under way outlives a moment of
    // unreadiness.
    let ready_or_not = |service: &mut Service| {
        if let Some(spec) = &mut service.spec {
            spec.publish_not_ready_addresses = Some(true);
        }
    };
    ready_or_not(&mut public);
    if !is_apart(route) {
        if let Some(ports) = public.spec.as_mut().and_then(|spec| spec.ports.as_mut()) {
            ports.push(port(INTERNAL, INTERNAL_PORT));
        }
        return vec![public];
    }
    let mut internal = Service {
        metadata: owned(cluster, &internal_name(names, ordinal), Component::Disk),
        spec: Some(ServiceSpec {
            selector: Some(selector),
            ports: Some(vec![port(INTERNAL, INTERNAL_PORT)]),
            ..ServiceSpec::default()
        }),
        status: None,
    };
    ready_or_not(&mut internal);
    vec![public, internal]
}

fn headless(cluster: &DiskCluster, names: &Names, selector: BTreeMap<String, String>) -> Service {
    Service {
        metadata: owned(cluster, &names.disk_pods(), Component::Disk),
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            selector: Some(selector),
            ports: Some(vec![port(PUBLIC, SERVICE_PORT), port(INTERNAL, INTERNAL_PORT)]),
            publish_not_ready_addresses: Some(true),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

/// Readiness-balanced: a disk pod asks any web pod. Apart, for the other Service may be open to the outside.
fn web_internal(cluster: &DiskCluster, names: &Names) -> Service {
    Service {
        metadata: owned(cluster, &names.web_internal(), Component::Web),
        spec: Some(ServiceSpec {
            selector: Some(labels::selector(names, Component::Web)),
            ports: Some(vec![port(INTERNAL, INTERNAL_PORT)]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

fn service_type(route: &Route) -> &'static str {
    match route.type_ {
        ExposureType::NodePort => "NodePort",
        ExposureType::LoadBalancer => "LoadBalancer",
        ExposureType::ClusterIP | ExposureType::Ingress | ExposureType::Gateway => "ClusterIP",
    }
}

fn node_port(route: &Route) -> Option<i32> {
    route.node_port.as_ref()?.port
}

fn port(name: &str, number: u16) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        port: i32::from(number),
        protocol: Some("TCP".to_owned()),
        target_port: Some(IntOrString::String(name.to_owned())),
        ..ServicePort::default()
    }
}

fn exposed(
    cluster: &DiskCluster,
    name: String,
    selector: BTreeMap<String, String>,
    component: Component,
    route: &Route,
    node_port: Option<i32>,
) -> Service {
    let mut metadata = owned(cluster, &name, component);
    let mut spec = ServiceSpec {
        type_: Some(service_type(route).to_owned()),
        selector: Some(selector),
        ports: Some(vec![ServicePort { node_port, ..port(PUBLIC, SERVICE_PORT) }]),
        ..ServiceSpec::default()
    };
    if route.type_ == ExposureType::LoadBalancer {
        let LoadBalancer { class_name, annotations, source_ranges, external_traffic_policy } =
            route.load_balancer.clone().unwrap_or_default();
        metadata.annotations = (!annotations.is_empty()).then_some(annotations);
        spec.load_balancer_class = class_name;
        spec.load_balancer_source_ranges = (!source_ranges.is_empty()).then_some(source_ranges);
        spec.external_traffic_policy = Some(
            match external_traffic_policy {
                TrafficPolicy::Local => "Local",
                TrafficPolicy::Cluster => "Cluster",
            }
            .to_owned(),
        );
    }
    Service { metadata, spec: Some(spec), status: None }
}
