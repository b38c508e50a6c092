//! The YAML of `crds/`: what the API server is told of the custom resources.

use kube::CustomResourceExt;
use kube::core::Rule;
use serde_json::{Value, json};

use super::{DiskCluster, Group, Member, disk_cluster, group, member, policy};

/// A file of `crds/`.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its name.
    pub file: &'static str,
    /// The objects in it.
    pub objects: Vec<Value>,
}

/// All files of `crds/`.
///
/// # Errors
/// When a definition cannot be written as JSON, which is a mistake in the types.
pub fn documents() -> Result<Vec<Document>, serde_json::Error> {
    let clusters = definition::<DiskCluster>(disk_cluster::root_rules())?;
    let members = definition::<Member>(member::root_rules())?;
    let groups = definition::<Group>(group::root_rules())?;
    Ok(vec![
        Document { file: "diskclusters.yaml", objects: vec![clusters] },
        Document { file: "members.yaml", objects: vec![members] },
        Document { file: "groups.yaml", objects: vec![groups] },
        Document { file: "policies.yaml", objects: policy::objects() },
    ])
}

/// Adds to what the types say: rules of the whole object, and a status from first sight.
fn definition<K: CustomResourceExt>(root_rules: Vec<Rule>) -> Result<Value, serde_json::Error> {
    let mut definition = serde_json::to_value(K::crd())?;
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["x-kubernetes-validations"] = serde_json::to_value(root_rules)?;
    schema["properties"]["metadata"] = json!({ "type": "object" });
    let status = &mut schema["properties"]["status"];
    status["default"] = first_status();
    if let Some(status) = status.as_object_mut() {
        status.remove("nullable");
    }
    for pods in ["disk", "web"] {
        if let Some(pods) =
            schema.pointer_mut(&format!("/properties/spec/properties/{pods}/properties/pods/properties"))
        {
            for field in ["affinity", "tolerations", "topologySpreadConstraints", "securityContext"] {
                plain(&mut pods[field]);
            }
        }
    }
    absent_not_null(schema);
    one_line_a_paragraph(schema);
    definition["metadata"]["labels"] = json!({ "app.kubernetes.io/part-of": "internet-disk" });
    Ok(definition)
}

/// Without it, `kubectl wait` would fail at an object that the operator has not yet seen.
fn first_status() -> Value {
    json!({
        "conditions": [{
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "Waiting for the operator to look at it. If this stays: kubectl get pods -A -l \
                        app.kubernetes.io/name=internet-disk,app.kubernetes.io/component=operator",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }],
    })
}

/// Kubernetes describes fields of its own in `kubectl explain pod.spec`, and a definition has a limit.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let own = fields.get("description").cloned();
            for (key, field) in fields.iter_mut() {
                match key.as_str() {
                    "properties" => {
                        for property in field.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
                            plain(property);
                            if let Some(property) = property.as_object_mut() {
                                property.remove("description");
                            }
                        }
                    }
                    "items" | "additionalProperties" => {
                        plain(field);
                        if let Some(field) = field.as_object_mut() {
                            field.remove("description");
                        }
                    }
                    _ => {}
                }
            }
            if let Some(own) = own {
                fields.insert("description".to_owned(), own);
            }
        }
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An optional field is left out. Were null allowed, server-side apply and rules would have to know a second way to
/// say nothing.
fn absent_not_null(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("nullable");
            fields.values_mut().for_each(absent_not_null);
        }
        Value::Array(items) => items.iter_mut().for_each(absent_not_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Where lines end in the source means nothing to `kubectl explain`.
fn one_line_a_paragraph(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                match field {
                    Value::String(text) if key == "description" => {
                        let paragraphs: Vec<String> =
                            text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
                        *text = paragraphs.join("\n\n");
                    }
                    _ => one_line_a_paragraph(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(one_line_a_paragraph),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
