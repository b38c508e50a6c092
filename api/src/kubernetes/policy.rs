//! ValidatingAdmissionPolicies: what crosses objects, and who may do what.
pub(super) fn objects() -> Vec<serde_json::Value> {
    Vec::new()
}
