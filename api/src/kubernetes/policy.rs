//! ValidatingAdmissionPolicies: what crosses objects, and who may do what.
//!
//! Two RBAC verbs of our own decide. `administer` on members and groups: may set every field (the operator, people
//! with the role admin, GitOps accounts). `serve` on one DiskCluster: self-service for that cluster alone (its web
//! pods). Whoever may patch but not administer is held to self-service, so a field of the future is protected before
//! anybody thinks of it.

mod deletion;
mod references;
mod self_service;

use serde_json::{Value, json};

use super::{GROUP, VERSION};

/// All policies, each followed by its binding.
#[must_use]
pub fn objects() -> Vec<Value> {
    let mut all = self_service::policies();
    all.extend(deletion::policies());
    all.extend(references::policies());
    all.iter().flat_map(Policy::objects).collect()
}

/// A policy and its binding.
struct Policy {
    name: &'static str,
    /// Said above it in the YAML.
    why: &'static str,
    resources: &'static [&'static str],
    operations: &'static [&'static str],
    /// Whether every DiskCluster of the namespace is a parameter.
    clusters: bool,
    /// (name, expression): all must hold, or the policy does not concern the request.
    conditions: Vec<(&'static str, &'static str)>,
    /// (name, expression)
    variables: Vec<(&'static str, &'static str)>,
    validations: Vec<Validation>,
    effect: Effect,
}

/// What happens when a validation fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Deny,
    /// The request passes, and whoever made it is told.
    Warn,
}

struct Validation {
    expression: &'static str,
    message: Message,
    reason: &'static str,
}

enum Message {
    Text(&'static str),
    /// CEL that makes the text.
    Expression(&'static str),
}

impl Validation {
    /// Somebody may not do this.
    fn forbids(expression: &'static str, message: &'static str) -> Self {
        Self { expression, message: Message::Text(message), reason: "Forbidden" }
    }

    /// Somebody may not do this, with a message made by CEL.
    fn forbids_saying(expression: &'static str, message: &'static str) -> Self {
        Self { expression, message: Message::Expression(message), reason: "Forbidden" }
    }

    /// Nobody can do this, with a message made by CEL.
    fn refuses_saying(expression: &'static str, message: &'static str) -> Self {
        Self { expression, message: Message::Expression(message), reason: "Invalid" }
    }

    fn json(&self) -> Value {
        let mut validation = json!({ "expression": self.expression, "reason": self.reason });
        match self.message {
            Message::Text(text) => validation["message"] = text.into(),
            Message::Expression(expression) => validation["messageExpression"] = expression.into(),
        }
        validation
    }
}

impl Policy {
    fn objects(&self) -> [Value; 2] {
        let named = |pairs: &[(&str, &str)]| -> Vec<Value> {
            pairs.iter().map(|(name, expression)| json!({ "name": name, "expression": expression })).collect()
        };
        let metadata = json!({
            "name": self.name,
            "labels": { "app.kubernetes.io/part-of": "internet-disk" },
            "annotations": { "internetdisk.dev/description": self.why },
        });
        let validations: Vec<Value> = self.validations.iter().map(Validation::json).collect();
        let mut spec = json!({
            "failurePolicy": match self.effect { Effect::Deny => "Fail", Effect::Warn => "Ignore" },
            "matchConstraints": {
                "resourceRules": [{
                    "apiGroups": [GROUP],
                    "apiVersions": ["*"],
                    "resources": self.resources,
                    "operations": self.operations,
                }],
            },
            "validations": validations,
        });
        let mut binding = json!({
            "policyName": self.name,
            "validationActions": [match self.effect { Effect::Deny => "Deny", Effect::Warn => "Warn" }],
        });
        if !self.conditions.is_empty() {
            spec["matchConditions"] = named(&self.conditions).into();
        }
        if !self.variables.is_empty() {
            spec["variables"] = named(&self.variables).into();
        }
        if self.clusters {
            spec["paramKind"] = json!({ "apiVersion": format!("{GROUP}/{VERSION}"), "kind": "DiskCluster" });
            // Not Deny: that is decided before the conditions, and would stop administrators too.
            binding["paramRef"] = json!({ "selector": {}, "parameterNotFoundAction": "Allow" });
        }
        let object = |kind: &str, spec: Value| {
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": metadata,
                "spec": spec,
            })
        };
        [object("ValidatingAdmissionPolicy", spec), object("ValidatingAdmissionPolicyBinding", binding)]
    }
}
