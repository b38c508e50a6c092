//! How web pods and disk pods are reached from outside.

use std::collections::BTreeMap;

use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::schema::{self, invalid, required};
use crate::kubernetes::reference::LocalReference;

/// How the page is reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules("host")))]
pub struct WebExposure {
    /// Name under which browsers find the web pods, such as disk.example.org.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::host")]
    pub host: Option<String>,
    /// The way there.
    #[serde(flatten)]
    pub route: Route,
}

/// How the disk pods are reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules("domain")))]
pub struct DiskExposure {
    /// Domain of the disk pods, such as d.example.org: the shared (WebDAV) address is the domain itself, each pod has
    /// <ordinal>.<domain>. A wildcard DNS record and certificate do. Must not be the web host: members' files are
    /// served from another origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::host")]
    pub domain: Option<String>,
    /// The way there.
    #[serde(flatten)]
    pub route: Route,
}

/// The way to the pods: a type, and what goes with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Route {
    /// How it is reached from outside. ClusterIP: not at all, or by routes of your own.
    #[serde(rename = "type")]
    pub type_: ExposureType,
    /// What clients are told where something of your own stands in front: a proxy with another port, or one that ends
    /// TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise: Option<Advertise>,
    /// With type NodePort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_port: Option<NodePort>,
    /// With type LoadBalancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<LoadBalancer>,
    /// With type Ingress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,
    /// With type Gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,
    /// Where the certificate comes from. With NodePort and LoadBalancer the pods end TLS themselves; with Ingress it
    /// is put on the Ingress; with Gateway it belongs to the Gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

fn rules(name: &str) -> Vec<Rule> {
    let goes_with = |field: &str, type_: &str| {
        invalid(
            format!("!has(self.{field}) || self.type == '{type_}'"),
            &format!("{field} goes with type {type_}, and only with it"),
        )
        .field_path(format!(".{field}"))
    };
    vec![
        goes_with("nodePort", "NodePort"),
        goes_with("loadBalancer", "LoadBalancer"),
        goes_with("ingress", "Ingress"),
        goes_with("gateway", "Gateway"),
        required(
            "self.type != 'Gateway' || has(self.gateway)",
            "type Gateway needs gateway.parentRefs: say which Gateways the routes attach to",
        )
        .field_path(".gateway"),
        required(
            format!("!(self.type in ['Ingress', 'Gateway']) || has(self.{name})"),
            &format!("types Ingress and Gateway need {name}"),
        )
        .field_path(format!(".{name}")),
        required(
            format!("!has(self.tls) || self.tls.mode != 'CertManager' || has(self.{name})"),
            &format!("a certificate needs a name: set {name}"),
        )
        .field_path(format!(".{name}")),
        invalid(
            "!has(self.tls) || self.tls.mode == 'None' || self.type != 'Gateway'",
            "with type Gateway the certificate belongs to the listener of the Gateway: leave tls out",
        )
        .field_path(".tls"),
    ]
}

/// How something is reached from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ExposureType {
    /// Not at all, or by routes of one's own.
    #[default]
    ClusterIP,
    /// By ports of the nodes.
    NodePort,
    /// By a load balancer for each Service.
    LoadBalancer,
    /// By an Ingress.
    Ingress,
    /// By an HTTPRoute.
    Gateway,
}

/// What clients are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Advertise {
    /// Default: HTTPS where tls is set, or the type is Gateway; else HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// Default: that of the scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
}

/// With or without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Scheme {
    /// Without.
    Http,
    /// With.
    Https,
}

/// Ports of the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodePort {
    /// Names or addresses of nodes that clients are told. Default: the nodes' external, else internal addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::hosts")]
    pub addresses: Vec<String>,
    /// The port of the shared Service. Default: one that is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
}

/// Load balancers of the infrastructure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancer {
    /// loadBalancerClass of the Services.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,
    /// Annotations of the Services.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub annotations: BTreeMap<String, String>,
    /// Who may connect. Default: everybody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::address_ranges")]
    pub source_ranges: Vec<String>,
    /// Local keeps the client's address.
    pub external_traffic_policy: TrafficPolicy,
}

/// Which pods a node sends traffic from outside to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TrafficPolicy {
    /// Its own.
    #[default]
    Local,
    /// Those of all nodes.
    Cluster,
}

/// An Ingress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Ingress {
    /// ingressClassName.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub class_name: Option<String>,
    /// Annotations of the Ingresses, cert-manager's and the controller's own among them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub annotations: BTreeMap<String, String>,
}

/// Routes of the Gateway API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// The Gateways the HTTPRoutes attach to.
    #[schemars(length(min = 1, max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub parent_refs: Vec<ParentReference>,
    /// Annotations of the HTTPRoutes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub annotations: BTreeMap<String, String>,
}

/// A Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentReference {
    /// API group.
    #[serde(default = "gateway_group")]
    #[schemars(schema_with = "schema::object_name")]
    pub group: String,
    /// Kind.
    #[serde(default = "gateway_kind")]
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Namespace. Default: that of the DiskCluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::namespace")]
    pub namespace: Option<String>,
    /// Name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// Listener of the Gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub section_name: Option<String>,
    /// Port of the Gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
}

fn gateway_group() -> String {
    "gateway.networking.k8s.io".to_owned()
}

fn gateway_kind() -> String {
    "Gateway".to_owned()
}

/// Where a certificate comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = tls_rules()))]
pub struct Tls {
    /// None: plain HTTP, or TLS ends elsewhere. Secret: the certificate in secretRef. CertManager: the operator asks
    /// issuerRef for one that names every host.
    pub mode: TlsMode,
    /// A kubernetes.io/tls Secret in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,
    /// A cert-manager issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer_ref: Option<IssuerReference>,
}

fn tls_rules() -> Vec<Rule> {
    vec![
        invalid(
            "self.mode == 'Secret' ? has(self.secretRef) : !has(self.secretRef)",
            "secretRef goes with mode Secret, and only with it",
        )
        .field_path(".secretRef"),
        invalid(
            "self.mode == 'CertManager' ? has(self.issuerRef) : !has(self.issuerRef)",
            "issuerRef goes with mode CertManager, and only with it",
        )
        .field_path(".issuerRef"),
    ]
}

/// Who provides a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TlsMode {
    /// Nobody: plain HTTP, or TLS ends elsewhere.
    #[default]
    None,
    /// A Secret.
    Secret,
    /// cert-manager.
    CertManager,
}

/// A cert-manager issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct IssuerReference {
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// Its kind.
    #[serde(default)]
    pub kind: IssuerKind,
    /// Its API group.
    #[serde(default = "issuer_group")]
    #[schemars(schema_with = "schema::object_name")]
    pub group: String,
}

fn issuer_group() -> String {
    "cert-manager.io".to_owned()
}

/// The kind of an issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum IssuerKind {
    /// One of the namespace.
    #[default]
    Issuer,
    /// One of the cluster.
    ClusterIssuer,
}
