//! What goes wrong, as programs and people are told: `application/problem+json`, one code a cause.
//!
//! Source: RFC 9457.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $code:literal, $status:literal, $title:literal;)*) => {
        /// A cause. Its text is part of the protocol: the page and other clients decide by it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl ProblemCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as clients see it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// A short sentence that is the same each time.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }
        }
    };
}

codes! {
    /// Nobody is signed in, or there is no ticket.
    Unauthenticated => "unauthenticated", 401, "Sign in first";
    /// The name or the password is wrong; it is not said which.
    WrongCredentials => "wrong-credentials", 401, "Name or password is wrong";
    /// The ticket's time is over.
    TicketExpired => "ticket-expired", 401, "The ticket has expired";
    /// The ticket is not good here.
    TicketInvalid => "ticket-invalid", 401, "The ticket is not valid";
    /// It may not be done by this member, or with this ticket.
    Forbidden => "forbidden", 403, "This is not allowed";
    /// The member is suspended or not yet approved.
    MemberSuspended => "member-suspended", 403, "The member is not active";
    /// Nothing is written here at the moment.
    ReadOnly => "read-only", 403, "This can only be read";
    /// There is nothing of that name.
    NotFound => "not-found", 404, "Not found";
    /// The resource does not know this method.
    MethodNotAllowed => "method-not-allowed", 405, "The method is not known here";
    /// Something of that name is there already.
    Exists => "exists", 409, "Something of that name is there already";
    /// A file stands where a directory is needed.
    NotADirectory => "not-a-directory", 409, "This is not a directory";
    /// A directory stands where a file is needed.
    IsADirectory => "is-a-directory", 409, "This is a directory";
    /// Somebody else changed it at the same moment.
    Conflict => "conflict", 409, "Somebody else changed it at the same moment";
    /// The upload is durable up to another offset.
    OffsetConflict => "offset-conflict", 409, "The upload goes on at another offset";
    /// Whether it was done is not known any more.
    OutcomeUnknown => "outcome-unknown", 409, "Whether it was done is not known: look again";
    /// What was asked for is older than what is kept of the past.
    HistoryGone => "history-gone", 410, "This moment is not kept any more";
    /// The upload is finished, was given up, or has expired.
    UploadGone => "upload-gone", 410, "The upload is no longer there";
    /// The length must be said beforehand.
    LengthRequired => "length-required", 411, "The length must be given";
    /// It was changed since it was last seen.
    PreconditionFailed => "precondition-failed", 412, "It was changed meanwhile";
    /// It is larger than is allowed.
    TooLarge => "too-large", 413, "This is too large";
    /// The body has another type than the request needs.
    UnsupportedMediaType => "unsupported-media-type", 415, "The body is of the wrong type";
    /// There is no such part of the file.
    RangeNotSatisfiable => "range-not-satisfiable", 416, "There is no such range";
    /// The name can not be had.
    NameInvalid => "name-invalid", 400, "The name is not possible";
    /// The body ended before it was complete.
    BodyIncomplete => "body-incomplete", 400, "The body ended early; nothing was stored";
    /// The body is not what its digest says.
    DigestMismatch => "digest-mismatch", 400, "The bytes were damaged on the way; nothing was stored";
    /// A part of an upload is not what its checksum says. The status is the one of tus.
    ChecksumMismatch => "checksum-mismatch", 460, "The bytes were damaged on the way";
    /// The request can not be understood.
    BadRequest => "bad-request", 400, "The request can not be understood";
    /// A lock protects it.
    Locked => "locked", 423, "It is locked";
    /// Too many requests, or attempts to sign in.
    TooManyRequests => "too-many-requests", 429, "Too many requests; try again later";
    /// Something is wrong inside; the log knows what.
    Internal => "internal", 500, "Something went wrong inside";
    /// No disk server is ready.
    NoReadyServer => "no-ready-server", 503, "No disk server is ready";
    /// All disk servers are full up.
    Overloaded => "overloaded", 503, "All servers are busy; try again in a moment";
    /// This server is on its way out.
    Draining => "draining", 503, "This server is stopping; use another one";
    /// The storage does not answer.
    StorageStalled => "storage-stalled", 503, "The storage does not answer at the moment";
    /// The storage refuses one space.
    SpaceStopped => "space-stopped", 503, "This space is stopped until an administrator has looked at it";
    /// What is asked for needs the Kubernetes API, which is away.
    ControlPlaneAway => "control-plane-away", 503, "This can not be changed at the moment";
    /// It would pass the quota.
    QuotaExceeded => "quota-exceeded", 507, "The quota is used up";
    /// The volume itself is full.
    StorageFull => "storage-full", 507, "The storage is full";
}

/// The body of an answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Names the cause as a URI: `urn:internet-disk:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// The cause, for programs.
    pub code: ProblemCode,
    /// The cause, for people; the same each time.
    pub title: String,
    /// What happened here, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Problem {
    /// A problem, with a sentence that says what happened and what to do.
    #[must_use]
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::from(code) }
    }
}

impl From<ProblemCode> for Problem {
    fn from(code: ProblemCode) -> Self {
        Self {
            kind: format!("urn:internet-disk:problem:{}", code.as_str()),
            status: code.status(),
            code,
            title: code.title().to_owned(),
            detail: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_written_as_it_is_called() {
        for code in ProblemCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!((400..600).contains(&code.status()), "{code:?}");
        }
    }
}
