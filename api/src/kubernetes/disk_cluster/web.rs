//! The web servers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exposure::WebExposure;
use super::pods::Pods;
use crate::kubernetes::schema;

/// The web servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Web {
    /// Web pods.
    #[schemars(range(min = 1, max = 100))]
    pub replicas: i32,
    /// How the page, sign-in and finding a disk server are reached.
    pub exposure: WebExposure,
    /// Whose word on the address of a client is believed (X-Forwarded-For): the Ingress or load balancer before the
    /// web pods. Attempts to sign in are counted by address. Default: nobody's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::address_ranges")]
    pub trusted_proxies: Vec<String>,
    /// How often each web pod asks each disk pod for its load.
    #[schemars(range(min = 20, max = 10000))]
    pub probe_interval_milliseconds: i32,
    /// The language of the page where a browser asks for none that exists: BCP 47, such as ko or en.
    #[schemars(length(max = 35), extend("pattern" = "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"))]
    pub default_language: String,
    /// What the web pods get beyond what the operator sets.
    pub pods: Pods,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            replicas: 2,
            exposure: WebExposure::default(),
            trusted_proxies: Vec::new(),
            probe_interval_milliseconds: 100,
            default_language: "en".to_owned(),
            pods: Pods::default(),
        }
    }
}
