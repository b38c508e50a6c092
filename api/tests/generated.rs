//! `crds/` is what the types say. `INTERNET_DISK_REGENERATE=1` writes it anew.
#![cfg(feature = "kubernetes")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test: all of it

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use internet_disk_api::kubernetes::crd;
use serde_json::Value;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("crds")
}

fn yaml(document: &crd::Document) -> String {
    let mut text = String::from("# Generated from api/src/kubernetes: make generate\n");
    for object in &document.objects {
        write!(text, "---\n{}", serde_yaml::to_string(object).unwrap()).unwrap();
    }
    text
}

#[test]
fn crds_are_what_the_types_say() {
    let documents = crd::documents().unwrap();
    let directory = directory();
    if std::env::var("INTERNET_DISK_REGENERATE").is_ok_and(|value| value == "1") {
        std::fs::create_dir_all(&directory).unwrap();
        for document in &documents {
            std::fs::write(directory.join(document.file), yaml(document)).unwrap();
        }
    }
    let there: BTreeSet<String> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    let wanted: BTreeSet<String> = documents.iter().map(|document| document.file.to_owned()).collect();
    assert_eq!(there, wanted);
    for document in &documents {
        let found = std::fs::read_to_string(directory.join(document.file)).unwrap();
        assert!(
            found == yaml(document),
            "crds/{} is not what the types say: run `make generate` and look at the difference",
            document.file
        );
    }
}

/// What the API server would refuse, or take and not mean.
fn faults(schema: &Value, path: &str, found: &mut Vec<String>) {
    let Some(fields) = schema.as_object() else { return };
    for word in ["$ref", "oneOf", "allOf", "not", "$defs", "const", "nullable"] {
        if fields.contains_key(word) {
            found.push(format!("{path} has {word}"));
        }
    }
    let int_or_string = fields.contains_key("x-kubernetes-int-or-string");
    if fields.contains_key("anyOf") && !int_or_string {
        found.push(format!("{path} has anyOf"));
    }
    if !fields.contains_key("type") && !int_or_string {
        found.push(format!("{path} has no type"));
    }
    let is = |kind: &str| fields.get("type").is_some_and(|found| found == kind);
    let pod_field = ["affinity", "tolerations", "topologySpreadConstraints", "securityContext"]
        .iter()
        .any(|field| path.contains(&format!(".pods.{field}")));
    if is("string") && !pod_field && !path.starts_with(".apiVersion") && !path.starts_with(".kind") {
        let bounded = ["maxLength", "enum"].iter().any(|word| fields.contains_key(*word))
            || fields.get("format").is_some_and(|format| format == "date-time");
        if !bounded {
            found.push(format!("{path} is a string without an end"));
        }
    }
    if is("array") && !pod_field && !fields.contains_key("maxItems") {
        found.push(format!("{path} is a list without an end"));
    }
    if is("array") && !pod_field && !fields.contains_key("x-kubernetes-list-type") {
        found.push(format!("{path} does not say how lists are merged"));
    }
    if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            faults(property, &format!("{path}.{name}"), found);
        }
    }
    for part in ["items", "additionalProperties"] {
        if let Some(part) = fields.get(part) {
            faults(part, &format!("{path}[]"), found);
        }
    }
}

#[test]
fn schemas_are_closed_and_bounded() {
    let mut found = Vec::new();
    for document in crd::documents().unwrap() {
        for object in document.objects.iter().filter(|object| object["kind"] == "CustomResourceDefinition") {
            let mut faults_here = Vec::new();
            faults(&object["spec"]["versions"][0]["schema"]["openAPIV3Schema"], "", &mut faults_here);
            found.extend(faults_here.into_iter().map(|fault| format!("{}: {fault}", document.file)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_rule_says_something() {
    for document in crd::documents().unwrap() {
        let text = serde_json::to_string(&document.objects).unwrap();
        let rules = text.matches("\"rule\":").count() + text.matches("\"validations\":[{").count();
        assert!(rules > 0, "{} has no rule", document.file);
        for object in &document.objects {
            walk(object, &mut |value| {
                if value.get("rule").is_some() {
                    assert!(
                        value.get("message").is_some() || value.get("messageExpression").is_some(),
                        "no message: {value}"
                    );
                }
            });
        }
    }
}

fn walk(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Object(fields) => fields.values().for_each(|field| walk(field, look)),
        Value::Array(items) => items.iter().for_each(|item| walk(item, look)),
        _ => {}
    }
}
