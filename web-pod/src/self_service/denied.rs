//! What the Kubernetes API answers, in words for a member.

use api::problem::ProblemCode;
use http::{HeaderValue, header};
use kube::Error;
use kube::core::Status;
use serve::problem::Refusal;

/// Admission policies say after this what is wrong, in words that are ours.
const POLICY_SAYS: &str = "denied request: ";

/// The API server's reason for a field that belongs to somebody else.
const OWNED_BY_OTHERS: &str = "FieldManagerConflict";

/// The Kubernetes API is away: what was there goes on, changes have to wait.
pub(crate) fn away(cause: impl std::fmt::Display) -> Refusal {
    Refusal::new(
        ProblemCode::ControlPlaneAway,
        "groups and shares of quota cannot be changed at the moment; your files can be used as before",
    )
    .header(header::RETRY_AFTER, HeaderValue::from_static("5"))
    .because(cause)
}

/// Somebody else changed the same object, again and again.
pub(super) fn contended() -> Refusal {
    Refusal::new(
        ProblemCode::Conflict,
        "somebody else is changing the same thing: look again, then try again",
    )
}

/// The field is written by somebody who will write it again.
pub(super) fn belongs_to(manager: &str) -> Refusal {
    Refusal::new(
        ProblemCode::Conflict,
        format!("an administrator keeps this elsewhere (with {manager}) and has to change it there"),
    )
}

/// Whether the object was changed since it was read, so that reading it again may help.
pub(super) fn is_stale(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 409 && !owned_by_others(status))
}

fn owned_by_others(status: &Status) -> bool {
    status.details.iter().flat_map(|details| &details.causes).any(|cause| cause.reason == OWNED_BY_OTHERS)
}

pub(crate) fn denied(error: &Error) -> Refusal {
    let Error::Api(status) = error else { return away(error) };
    match status.code {
        409 if owned_by_others(status) => belongs_to("another tool"),
        409 => contended(),
        403 => match status.message.split_once(POLICY_SAYS) {
            Some((_, words)) => Refusal::new(ProblemCode::Forbidden, words),
            // Without a policy it is the role of the web pods that lacks a rule.
            None => Refusal::internal(error),
        },
        404 => Refusal::new(ProblemCode::NotFound, "it is no longer there: look again"),
        400 | 422 => Refusal::new(ProblemCode::BadRequest, reasons(status)),
        _ => away(error),
    }
}

/// What a rule says, which may hold colons of its own. Before it the API server writes `Invalid value: `, and the value in
/// quotes where it shows one.
fn rule_words(message: &str) -> &str {
    let words = message.split_once("Invalid value: ").map_or(message, |(_, words)| words);
    words.strip_prefix('"').and_then(|quoted| quoted.split_once("\": ")).map_or(words, |(_, words)| words)
}

/// The rules of the custom resources say what to do; the rest of the message is for programmers.
fn reasons(status: &Status) -> String {
    let causes: Vec<&str> = status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .map(|cause| rule_words(&cause.message))
        .filter(|words| !words.is_empty())
        .collect();
    if causes.is_empty() { status.message.clone() } else { causes.join("; ") }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use serde_json::{Value, json};

    use super::*;

    async fn told(status: Value) -> (u16, String) {
        let status: Status = serde_json::from_value(status).unwrap();
        let response = denied(&Error::Api(Box::new(status))).into_response();
        let code = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        (code, body["detail"].as_str().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_rule_keeps_its_colons() {
        for (message, words) in [
            ("Invalid value: one owner: add {name: x}", "one owner: add {name: x}"),
            ("Invalid value: \"object\": one owner: add {name: x}", "one owner: add {name: x}"),
            ("spec.size is too long", "spec.size is too long"),
        ] {
            assert_eq!(rule_words(message), words);
        }
    }

    #[tokio::test]
    async fn a_member_is_told_what_to_do() {
        let above = json!({"code": 422, "reason": "Invalid", "message": "Member.internetdisk.dev \"bob\" is invalid: …",
            "details": {"causes": [{"reason": "FieldValueInvalid", "field": "spec.allocations",
                "message": "Invalid value: the allocations add up to 9 bytes: take something back"}]}});
        assert_eq!(
            told(above).await,
            (400, "the allocations add up to 9 bytes: take something back".to_owned())
        );
        let shown = json!({"code": 422, "details": {"causes": [{"message": "Invalid value: \"a: b\": must be a size: 1Gi"}]}});
        assert_eq!(told(shown).await, (400, "must be a size: 1Gi".to_owned()));
        let policy = json!({"code": 403, "reason": "Forbidden", "message": "groups.internetdisk.dev \"x\" is forbidden: \
            ValidatingAdmissionPolicy 'p' with binding 'p' denied request: in this DiskCluster only administrators create groups"});
        assert_eq!(
            told(policy).await,
            (403, "in this DiskCluster only administrators create groups".to_owned())
        );
        let role = json!({"code": 403, "reason": "Forbidden", "message": "User \"system:serviceaccount:disk:demo-web\" cannot patch"});
        assert_eq!(told(role).await.0, 500);
        let owned = json!({"code": 409, "reason": "Conflict", "details": {"causes": [{"reason": "FieldManagerConflict"}]}});
        assert!(told(owned).await.1.contains("administrator"));
        assert_eq!(told(json!({"code": 500})).await.0, 503);
        assert_eq!(told(json!({"code": 404})).await.0, 404);
    }
}
