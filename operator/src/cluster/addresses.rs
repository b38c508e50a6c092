//! Under which addresses servers are reached, from what the DiskCluster says and what Kubernetes gave the Services.
//! Addresses inside the cluster are numbers: the pods look up no names.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::kubernetes::DiskCluster;
use api::kubernetes::disk_cluster::exposure::{ExposureType, Route, Scheme, TlsMode};
use api::kubernetes::names::{INTERNAL_PORT, Names};
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;

use super::build::{disk_replicas, internal_name, is_apart};

/// Services by name.
pub type Services = BTreeMap<String, Arc<Service>>;

/// All addresses of a DiskCluster, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The page.
    pub web: Option<String>,
    /// The page, from inside the cluster.
    pub web_internal: Option<String>,
    /// `host:port` of the private port of the web pods.
    pub web_private: Option<String>,
    /// All disk pods together, for clients that know none of them: there a disk is mounted.
    pub disks: Option<String>,
    /// The disk pods wanted, in order of their ordinals.
    pub disk_pods: Vec<DiskPodAddresses>,
}

/// Where a disk pod is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskPodAddresses {
    /// Its name.
    pub name: String,
    /// Its origin as a browser uses it.
    pub url: Option<String>,
    /// `host:port` of its private port.
    pub internal: Option<String>,
}

impl Addresses {
    /// Works them out. `nodes` are addresses of nodes, for ports of nodes.
    pub fn of(cluster: &DiskCluster, services: &Services, nodes: &[String]) -> Self {
        let names = Names::of(cluster.name_any());
        let (web, disk) = (&cluster.spec.web.exposure, &cluster.spec.disk.exposure);
        let page = services.get(&names.web()).map(Arc::as_ref);
        let pod = |ordinal: u32| {
            let name = names.disk_pod(ordinal);
            let service = services.get(&name).map(Arc::as_ref);
            let host = disk.domain.as_ref().map(|domain| format!("{ordinal}.{domain}"));
            let place = usize::try_from(ordinal).unwrap_or_default();
            let apart = is_apart(&disk.route).then(|| internal_name(&names, ordinal));
            let private = match apart {
                Some(name) => services.get(&name).map(Arc::as_ref),
                None => service,
            };
            DiskPodAddresses {
                url: origin(&disk.route, host.as_deref(), service, nodes, place),
                internal: private
                    .and_then(cluster_address)
                    .map(|address| format!("{}:{INTERNAL_PORT}", in_url(&address))),
                name,
            }
        };
        Self {
            web: origin(&web.route, web.host.as_deref(), page, nodes, 0),
            web_internal: page
                .and_then(cluster_address)
                .map(|address| format!("http://{}", in_url(&address))),
            web_private: services
                .get(&names.web_internal())
                .and_then(|service| cluster_address(service))
                .map(|address| format!("{}:{INTERNAL_PORT}", in_url(&address))),
            disks: origin(
                &disk.route,
                disk.domain.as_deref(),
                services.get(&names.disk()).map(Arc::as_ref),
                nodes,
                0,
            ),
            disk_pods: (0..disk_replicas(cluster)).map(pod).collect(),
        }
    }
}

/// `scheme://host[:port]` of a Service. `place` picks among the nodes, so that not all traffic enters by one.
fn origin(
    route: &Route,
    host: Option<&str>,
    service: Option<&Service>,
    nodes: &[String],
    place: usize,
) -> Option<String> {
    let advertise = route.advertise.clone().unwrap_or_default();
    let ends_tls = route.tls.as_ref().is_some_and(|tls| tls.mode != TlsMode::None);
    let scheme = advertise.scheme.unwrap_or(if ends_tls || route.type_ == ExposureType::Gateway {
        Scheme::Https
    } else {
        Scheme::Http
    });
    let (host, given_port) = match route.type_ {
        ExposureType::NodePort => {
            let own = route.node_port.as_ref().map(|ports| ports.addresses.as_slice()).unwrap_or_default();
            let nodes = if own.is_empty() { nodes } else { own };
            let node = || nodes.get(place % nodes.len().max(1)).cloned();
            (host.map(str::to_owned).or_else(node), Some(node_port(service?)?))
        }
        ExposureType::LoadBalancer => (host.map(str::to_owned).or_else(|| balancer_address(service?)), None),
        ExposureType::ClusterIP | ExposureType::Ingress | ExposureType::Gateway => {
            (host.map(str::to_owned).or_else(|| cluster_address(service?)), None)
        }
    };
    let usual = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let port = advertise.port.or(given_port).filter(|port| *port != usual);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let scheme = match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    Some(format!("{scheme}://{}{port}", in_url(&host?)))
}

/// The address of a Service inside the cluster.
fn cluster_address(service: &Service) -> Option<String> {
    let address = service.spec.as_ref()?.cluster_ip.clone()?;
    (!address.is_empty() && address != "None").then_some(address)
}

fn node_port(service: &Service) -> Option<i32> {
    service.spec.as_ref()?.ports.as_ref()?.iter().find_map(|port| port.node_port)
}

fn balancer_address(service: &Service) -> Option<String> {
    let status = service.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?;
    status.iter().find_map(|one| one.hostname.clone().or_else(|| one.ip.clone()))
}

fn in_url(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn cluster(exposure: Value) -> DiskCluster {
        let (mut web, mut disk) = (exposure.clone(), exposure);
        if web["host"] == "set" {
            web["host"] = "disk.example.org".into();
            disk["domain"] = "files.example.org".into();
        }
        if let Some(disk) = disk.as_object_mut() {
            disk.remove("host");
        }
        serde_json::from_value(json!({
            "apiVersion": "internetdisk.dev/v1alpha1", "kind": "DiskCluster", "metadata": { "name": "demo" },
            "spec": {
                "volumes": [], "web": { "exposure": web }, "disk": { "replicas": 2, "exposure": disk },
            },
        }))
        .unwrap()
    }

    fn services() -> Services {
        let service = |name: &str, number: u8| {
            let service: Service = serde_json::from_value(json!({
                "metadata": { "name": name },
                "spec": { "clusterIP": format!("10.0.0.{number}"), "ports": [{ "port": 80, "nodePort": 30000 + u16::from(number) }] },
                "status": { "loadBalancer": { "ingress": [{ "ip": format!("192.0.2.{number}") }] } },
            }))
            .unwrap();
            (name.to_owned(), Arc::new(service))
        };
        [
            service("demo-web", 1),
            service("demo-web-internal", 5),
            service("demo-disk", 6),
            service("demo-disk-0", 2),
            service("demo-disk-1", 3),
            service("demo-disk-1-internal", 4),
        ]
        .into()
    }

    #[test]
    fn every_way_to_be_reached() {
        let nodes = ["198.51.100.1".to_owned(), "2001:db8::2".to_owned()];
        for (exposure, web, disks, second) in [
            (json!({}), "http://10.0.0.1", "http://10.0.0.6", "http://10.0.0.3"),
            (
                json!({ "host": "set" }),
                "http://disk.example.org",
                "http://files.example.org",
                "http://1.files.example.org",
            ),
            (
                json!({ "host": "set", "advertise": { "port": 8080 } }),
                "http://disk.example.org:8080",
                "http://files.example.org:8080",
                "http://1.files.example.org:8080",
            ),
            (
                json!({ "host": "set", "advertise": { "scheme": "HTTPS", "port": 443 } }),
                "https://disk.example.org",
                "https://files.example.org",
                "https://1.files.example.org",
            ),
            (
                json!({ "type": "NodePort" }),
                "http://198.51.100.1:30001",
                "http://198.51.100.1:30006",
                "http://[2001:db8::2]:30003",
            ),
            (
                json!({ "type": "NodePort", "nodePort": { "addresses": ["n.example.org"] } }),
                "http://n.example.org:30001",
                "http://n.example.org:30006",
                "http://n.example.org:30003",
            ),
            (json!({ "type": "LoadBalancer" }), "http://192.0.2.1", "http://192.0.2.6", "http://192.0.2.3"),
        ] {
            let addresses = Addresses::of(&cluster(exposure.clone()), &services(), &nodes);
            assert_eq!(addresses.web.as_deref(), Some(web), "{exposure}");
            assert_eq!(addresses.disks.as_deref(), Some(disks), "{exposure}");
            assert_eq!(addresses.disk_pods[1].url.as_deref(), Some(second), "{exposure}");
            assert_eq!(addresses.web_internal.as_deref(), Some("http://10.0.0.1"), "{exposure}");
            assert_eq!(addresses.web_private.as_deref(), Some("10.0.0.5:8081"), "{exposure}");
            let apart = exposure["type"] == "NodePort" || exposure["type"] == "LoadBalancer";
            let internal = if apart { "10.0.0.4:8081" } else { "10.0.0.3:8081" };
            assert_eq!(addresses.disk_pods[1].internal.as_deref(), Some(internal), "{exposure}");
        }
    }

    #[test]
    fn what_is_not_known_yet_is_not_invented() {
        let addresses = Addresses::of(&cluster(json!({ "type": "NodePort" })), &Services::new(), &[]);
        assert_eq!((addresses.web, addresses.web_internal, addresses.web_private), (None, None, None));
        assert_eq!(addresses.disks, None);
        assert_eq!(addresses.disk_pods.len(), 2);
        assert!(addresses.disk_pods.iter().all(|pod| pod.url.is_none() && pod.internal.is_none()));
    }
}
