//! Pieces of schema that many fields share, and the CEL that goes with them.

use kube::core::{Message, Reason, Rule};
use schemars::{Schema, SchemaGenerator, json_schema};

/// A value that is not possible.
pub(super) fn invalid(rule: impl Into<String>, message: &str) -> Rule {
    Rule::new(rule).message(message).reason(Reason::FieldValueInvalid)
}

/// A change that is not possible.
pub(super) fn forbidden(rule: impl Into<String>, message: &str) -> Rule {
    Rule::new(rule).message(message).reason(Reason::FieldValueForbidden)
}

/// A field that is missing beside others.
pub(super) fn required(rule: impl Into<String>, message: &str) -> Rule {
    Rule::new(rule).message(message).reason(Reason::FieldValueRequired)
}

/// A value that is not possible, with a message made by CEL.
pub(super) fn invalid_saying(rule: impl Into<String>, message: impl Into<String>) -> Rule {
    Rule::new(rule).message(Message::Expression(message.into())).reason(Reason::FieldValueInvalid)
}

/// A field that cannot change once it is there. Stands on the object that holds it, because a rule of the field
/// itself would not see it go.
pub(super) fn set_once(field: &str) -> Rule {
    forbidden(
        format!("!has(oldSelf.{field}) || (has(self.{field}) && self.{field} == oldSelf.{field})"),
        &format!("{field} cannot change once it is set"),
    )
    .field_path(format!(".{field}"))
}

/// Reads the quantity `text` as a number of bytes. `asInteger()` and `isInteger()` would refuse 100Ti, 1Pi and 0.5Gi,
/// which the server keeps as decimals; up to 4Pi a double is exact.
pub(super) fn bytes_of(text: &str) -> String {
    format!("int(quantity({text}).asApproximateFloat() + 0.5)")
}

/// Whether `text` is a quantity from `least` to 4Pi.
pub(super) fn in_range(text: &str, least: &str) -> String {
    format!(
        "isQuantity({text}) && quantity({text}).compareTo(quantity('{least}')) >= 0 \
         && quantity({text}).compareTo(quantity('4Pi')) <= 0"
    )
}

fn quantity_from(least: &str) -> Schema {
    let rule = format!(
        "{} && quantity(self).sub({}).compareTo(quantity('0')) == 0",
        in_range("self", least),
        bytes_of("self")
    );
    let message = format!(
        "must be a whole number of bytes from {least} to 4Pi, such as 10Gi, 1.5Gi or 500M, in quotes"
    );
    json_schema!({
        "type": "string",
        "maxLength": 32,
        "x-kubernetes-validations": [invalid(rule, &message)],
    })
}

/// An amount of storage, from nothing.
pub(super) fn amount(_: &mut SchemaGenerator) -> Schema {
    quantity_from("0")
}

/// The size of a volume.
pub(super) fn volume_size(_: &mut SchemaGenerator) -> Schema {
    quantity_from("1Gi")
}

/// The size of a file.
pub(super) fn file_size(_: &mut SchemaGenerator) -> Schema {
    quantity_from("1Mi")
}

fn text(longest: u32, pattern: &str) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern })
}

const SUBDOMAIN: &str = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$";
const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// The name of a Kubernetes object.
pub(super) fn object_name(_: &mut SchemaGenerator) -> Schema {
    text(253, SUBDOMAIN)
}

/// The name of a Member or a Group.
pub(super) fn resource_name(_: &mut SchemaGenerator) -> Schema {
    text(63, SUBDOMAIN)
}

/// The name of a namespace.
pub(super) fn namespace(_: &mut SchemaGenerator) -> Schema {
    text(63, LABEL)
}

/// The name of a DiskCluster, or of a sign-in provider.
pub(super) fn short_name(_: &mut SchemaGenerator) -> Schema {
    text(40, LABEL)
}

/// The name of a volume.
pub(super) fn volume_name(_: &mut SchemaGenerator) -> Schema {
    text(20, LABEL)
}

/// A key in a Secret or a ConfigMap.
pub(super) fn data_key(_: &mut SchemaGenerator) -> Schema {
    text(253, "^[-._a-zA-Z0-9]+$")
}

/// A host name.
pub(super) fn host(_: &mut SchemaGenerator) -> Schema {
    text(253, r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
}

/// Some host names, each once.
pub(super) fn hosts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 32,
        "x-kubernetes-list-type": "set",
        "items": text(253, r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
    })
}

/// Ranges of addresses.
pub(super) fn address_ranges(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 64,
        "x-kubernetes-list-type": "set",
        "items": {
            "type": "string",
            "maxLength": 43,
            "x-kubernetes-validations": [invalid("isCIDR(self)", "must be a CIDR, such as 10.0.0.0/8")],
        },
    })
}

/// A UID, as Kubernetes writes them.
pub(super) fn uid(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": 36,
        "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    })
}

/// An `https:` address.
pub(super) fn https_url(_: &mut SchemaGenerator) -> Schema {
    let rule = "isURL(self) && url(self).getScheme() == 'https' && url(self).getHost() != '' \
                && !self.contains('#') && !self.contains('?')";
    json_schema!({
        "type": "string",
        "maxLength": 2048,
        "x-kubernetes-validations": [invalid(rule, "must be an https:// URL without query or fragment")],
    })
}

/// Labels or annotations.
pub(super) fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": { "type": "string", "maxLength": 4096 },
    })
}

/// Nobody else may set the labels by which the operator finds its own.
pub(super) fn no_labels_of_ours() -> Rule {
    invalid(
        "!has(self.labels) || self.labels.all(k, !k.startsWith('internetdisk.dev/') \
         && !k.startsWith('app.kubernetes.io/'))",
        "labels under internetdisk.dev/ and app.kubernetes.io/ belong to the operator: take them out",
    )
    .field_path(".labels")
}

/// Amounts of resources by their names, each a number or a text as in a pod.
pub(super) fn resources(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {
            "x-kubernetes-int-or-string": true,
            "anyOf": [{ "type": "integer" }, { "type": "string" }],
            "pattern": r"^(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE][-+]?[0-9]+))?$",
        },
    })
}

/// Conditions, one of a type.
pub(super) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "reason", "message", "lastTransitionTime"],
            "properties": {
                "type": { "type": "string", "maxLength": 316, "pattern": "^[A-Za-z][A-Za-z0-9]*$" },
                "status": { "type": "string", "enum": ["True", "False", "Unknown"] },
                "reason": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                },
                "message": { "type": "string", "maxLength": 32768 },
                "lastTransitionTime": { "type": "string", "format": "date-time" },
                "observedGeneration": { "type": "integer", "format": "int64", "minimum": 0 },
            },
        },
    })
}
