//! Everything that can go wrong with a request, and the one place that says how HTTP tells of it.

use api::bytes::Bytes;
use api::ids::VolumeName;
use api::problem::ProblemCode;
use api::ticket::TicketError;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};
use serve::Refusal;

use crate::auth::CHALLENGE;
use crate::http::body::BodyError;
use crate::http::etag::TagsError;
use crate::http::path::PathError;
use crate::tus::metadata::MetadataError;

/// Seconds after which it is worth asking again, when storage or this pod is the reason.
const RETRY_SOON: HeaderValue = HeaderValue::from_static("1");

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No ticket, or not where one belongs.
    #[error("no ticket")]
    Unauthenticated,
    /// A ticket, but not one that counts here.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// A name and a password that are nobody's.
    #[error("name or password is wrong")]
    WrongPassword,
    /// A name and a password, which anybody on the way could have read.
    #[error("a password without TLS")]
    PasswordInTheClear,
    /// A name and a password, and this pod can check none.
    #[error("no passwords here")]
    TicketsAlone,
    /// Too many names and passwords that were wrong, or too many at once.
    #[error("too many attempts")]
    TooManyAttempts {
        /// Seconds to wait.
        wait_seconds: u64,
    },
    /// This member has more under way than a fair share, and the pod has much to do.
    #[error("too much at once")]
    TooManyAtOnce,
    /// The pod has as much to do as it does well.
    #[error("overloaded")]
    Overloaded,
    /// No web pod says whose a name and a password are.
    #[error("no web server answers")]
    NobodyToAsk,
    /// Known, but not allowed.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The member is suspended, or not yet approved.
    #[error("suspended")]
    Suspended,
    /// Files can be read, not changed.
    #[error("{0}")]
    ReadOnly(&'static str),
    /// The service is closed; the notice says why.
    #[error("offline")]
    Offline(Option<String>),
    /// This pod has read no roster yet.
    #[error("no roster was read yet")]
    RosterMissing,
    /// No such space.
    #[error("no such space")]
    UnknownSpace,
    /// Nothing is at this path.
    #[error("nothing there")]
    NotFound,
    /// A directory where a file is needed.
    #[error("a directory")]
    IsADirectory,
    /// A condition of the request does not hold.
    #[error("{0}")]
    Precondition(&'static str),
    /// The path cannot be one.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A conditional header that is none.
    #[error(transparent)]
    Tags(#[from] TagsError),
    /// Upload metadata that is none.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The body ended before its end.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// A digest of the body is another than was said.
    #[error("a digest of the body is another")]
    Digest,
    /// A checksum of a part of an upload is another than was said.
    #[error("the checksum is another")]
    Checksum,
    /// The request is not of the form it must have.
    #[error("{0}")]
    BadRequest(String),
    /// The body is of another type than is understood.
    #[error("media type")]
    MediaType(&'static str),
    /// A length must be announced.
    #[error("length required")]
    LengthRequired,
    /// More than may be stored as one file, or than was announced.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// The client speaks another version of tus.
    #[error("tus version")]
    TusVersion,
    /// No byte of the file is in the range asked for.
    #[error("range")]
    Range {
        /// The size of the file.
        size: u64,
    },
    /// This pod is about to end; up to the offset everything is safe.
    #[error("draining")]
    Draining {
        /// The acknowledged offset of the upload, where there is one.
        offset: Option<u64>,
    },
    /// A volume gave no sign of life lately.
    #[error("the volume {0} gave no sign of life lately")]
    Stalled(VolumeName),
    /// The method is not one of this resource.
    #[error("method")]
    Method(&'static str),
    /// What the engine says.
    #[error(transparent)]
    Engine(#[from] spaces::Error),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        refusal(self).into_response()
    }
}

fn refusal(error: Error) -> Refusal {
    use ProblemCode as Code;
    let with = |code, detail: &str| Refusal::new(code, detail);
    match error {
        Error::Unauthenticated => with(
            Code::Unauthenticated,
            "a ticket is needed: ask the web server for one, and send it as a bearer token",
        )
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Error::Ticket(error) => ticket(&error)
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\"")),
        Error::WrongPassword => {
            with(Code::WrongCredentials, "there is no such member, or the password is wrong")
                .header(header::WWW_AUTHENTICATE, CHALLENGE)
        }
        Error::PasswordInTheClear => with(
            Code::Forbidden,
            "a password is taken over https:// alone: anybody on the way could read it. Change it, for it was sent",
        ),
        Error::TicketsAlone => with(
            Code::Unauthenticated,
            "no passwords are taken here: ask the web server for a ticket, and send it as a bearer token",
        )
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Error::TooManyAttempts { wait_seconds } => {
            with(Code::TooManyRequests, "too many attempts that failed; wait a little before the next one")
                .header(header::RETRY_AFTER, HeaderValue::from(wait_seconds))
        }
        Error::TooManyAtOnce => with(
            Code::TooManyRequests,
            "you have more requests under way here than one member may while others need the server; send fewer at once",
        )
        .header(header::RETRY_AFTER, RETRY_SOON),
        Error::Overloaded => {
            with(Code::Overloaded, "this server has as much to do as it does well; try another, or again in a moment")
                .header(header::RETRY_AFTER, RETRY_SOON)
        }
        Error::NobodyToAsk => with(
            Code::NoReadyServer,
            "no web server answers that could say whose this password is; try again shortly",
        )
        .because(&error)
        .header(header::RETRY_AFTER, RETRY_SOON),
        Error::Forbidden(detail) => with(Code::Forbidden, detail),
        Error::Suspended => with(
            Code::MemberSuspended,
            "this member is suspended or not yet approved; an administrator can change that",
        ),
        Error::ReadOnly(detail) => with(Code::ReadOnly, detail),
        Error::Offline(notice) => {
            with(Code::NoReadyServer, notice.as_deref().unwrap_or("the service is closed at the moment"))
                .header(header::RETRY_AFTER, HeaderValue::from_static("60"))
        }
        Error::RosterMissing => {
            with(Code::NoReadyServer, "this server does not know the members yet; try another")
                .because(&error)
                .header(header::RETRY_AFTER, RETRY_SOON)
        }
        Error::UnknownSpace => with(Code::NotFound, "there is no such space"),
        Error::NotFound => with(Code::NotFound, "there is nothing at this path"),
        Error::IsADirectory => with(Code::IsADirectory, "this is a directory; list it instead"),
        Error::Precondition(detail) => with(Code::PreconditionFailed, detail),
        Error::Path(error) => with(Code::NameInvalid, &error.to_string()),
        Error::Tags(error) => with(Code::BadRequest, &error.to_string()),
        Error::Metadata(error) => with(Code::BadRequest, &error.to_string()),
        Error::Body(_) => {
            with(Code::BodyIncomplete, "the body was cut short; nothing of it was stored as a file")
        }
        Error::Digest => with(
            Code::DigestMismatch,
            "the bytes that came are not those that the digest is of: nothing was stored, send them again",
        ),
        Error::Checksum => with(
            Code::ChecksumMismatch,
            "the bytes that came are not those that the checksum is of: they do not count, send them again",
        ),
        Error::BadRequest(detail) => with(Code::BadRequest, &detail),
        Error::MediaType(wanted) => {
            with(Code::UnsupportedMediaType, &format!("the Content-Type must be {wanted}"))
        }
        Error::LengthRequired => {
            with(Code::LengthRequired, "announce the length of what you are going to send")
        }
        Error::TooLarge(most) => with(Code::TooLarge, &format!("at most {} can be taken here", Bytes(most))),
        Error::TusVersion => {
            with(Code::PreconditionFailed, "this server speaks tus 1.0.0: send Tus-Resumable: 1.0.0")
                .header(HeaderName::from_static("tus-version"), HeaderValue::from_static("1.0.0"))
        }
        Error::Range { size } => with(Code::RangeNotSatisfiable, "no byte of the file is in this range")
            .header(header::CONTENT_RANGE, number(format!("bytes */{size}"))),
        Error::Draining { offset } => {
            let refusal = with(Code::Draining, "this server is about to end; go on with another")
                .header(header::RETRY_AFTER, RETRY_SOON);
            match offset {
                Some(offset) => {
                    refusal.header(HeaderName::from_static("upload-offset"), number(offset.to_string()))
                }
                None => refusal,
            }
        }
        Error::Stalled(_) => stalled().because(&error),
        Error::Method(allowed) => with(Code::MethodNotAllowed, "this address does not know the method")
            .header(header::ALLOW, HeaderValue::from_static(allowed)),
        Error::Engine(error) => engine(error),
    }
}

fn ticket(error: &TicketError) -> Refusal {
    let code = match error {
        TicketError::Expired => ProblemCode::TicketExpired,
        TicketError::Malformed
        | TicketError::UnknownKey
        | TicketError::BadSignature
        | TicketError::WrongCluster => ProblemCode::TicketInvalid,
    };
    Refusal::new(code, format!("{error}; ask the web server for a new one"))
}

fn stalled() -> Refusal {
    Refusal::new(
        ProblemCode::StorageStalled,
        "storage does not answer at the moment; nothing was changed or lost",
    )
    .header(header::RETRY_AFTER, RETRY_SOON)
}

fn number(text: String) -> HeaderValue {
    // Digits and ASCII words are always a header value.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

/// What the engine says, in the words of HTTP.
fn engine(error: spaces::Error) -> Refusal {
    use ProblemCode as Code;
    use spaces::Error as Said;
    let with = |code, detail: &str| Refusal::new(code, detail);
    let told = error.to_string();
    match error {
        Said::NotFound => with(Code::NotFound, "there is nothing at this path"),
        Said::Exists => {
            with(Code::Exists, "something is at this path already; choose another name, or replace it")
        }
        Said::NotADirectory => with(Code::NotADirectory, "a part of this path is a file, not a directory"),
        Said::IsADirectory => with(Code::IsADirectory, "a directory is at this path, and a file is needed"),
        Said::IntoItself | Said::Root | Said::TooMany { .. } | Said::TooMuch { .. } => {
            with(Code::BadRequest, &told)
        }
        Said::Locked { .. } | Said::LockConflict { .. } => with(Code::Locked, &told),
        Said::LockGone => with(Code::PreconditionFailed, &told),
        Said::HistoryGone { .. } | Said::ContentGone => with(Code::HistoryGone, &told),
        Said::ShareGone | Said::NotYet { .. } => with(Code::NotFound, &told),
        Said::ShareUsedUp { .. } => with(Code::Forbidden, &told),
        Said::FormatTooOld { .. } => {
            with(Code::ControlPlaneAway, "the servers are being updated: this works once all of them are")
                .because(told)
        }
        Said::Precondition => {
            with(Code::PreconditionFailed, "it is another version than the one you know, or is gone")
        }
        // The page knows the numbers; here the words are the same each time, as for all our 5xx.
        Said::QuotaExceeded { .. } => with(
            Code::QuotaExceeded,
            "there is not enough room left in this space: delete something, or ask for more",
        ),
        Said::TooManyFiles { .. } => with(
            Code::QuotaExceeded,
            "this space has as many files and directories as one can have: delete some, or use another space",
        ),
        Said::NameInvalid(_) | Said::TooDeep => with(Code::NameInvalid, &told),
        Said::OutcomeUnknown => {
            with(Code::OutcomeUnknown, "it may have been done or not: look again before you repeat it")
        }
        Said::UploadGone => with(Code::UploadGone, "there is no such upload any more: begin it anew"),
        Said::OffsetConflict { durable } => {
            with(Code::OffsetConflict, &format!("the upload goes on at offset {durable}"))
                .header(HeaderName::from_static("upload-offset"), number(durable.to_string()))
        }
        Said::Fenced => with(
            Code::OffsetConflict,
            "the upload goes on elsewhere, or by a later request: ask for the offset before you go on",
        ),
        Said::TooLong => with(Code::TooLarge, "there are more bytes than were announced"),
        Said::Superseded { .. } => with(Code::Conflict, "a later limit holds already"),
        Said::Stalled(_) | Said::Io(_) => stalled().because(told),
        Said::ReadOnly(_) => {
            with(Code::ReadOnly, "nothing can be changed at the moment; an administrator must look at it")
        }
        Said::StorageFull(_) => {
            with(Code::StorageFull, "the volume is full; an administrator must make room").because(told)
        }
        Said::SpaceClosed => with(Code::ReadOnly, "this space is closed: it can be read, and not changed"),
        Said::SpaceRemoved => with(Code::NotFound, "this space was removed"),
        Said::SpaceKept { .. } => with(Code::Conflict, &told),
        Said::VolumeMissing(_) => {
            with(Code::NoReadyServer, "this server cannot reach some of the content; try another")
                .because(told)
                .header(header::RETRY_AFTER, RETRY_SOON)
        }
        Said::SpaceStopped { .. } => {
            with(Code::SpaceStopped, "this space was stopped to protect it; an administrator must look at it")
                .because(told)
        }
        Said::UnknownSpace(_) => with(Code::NoReadyServer, "this server cannot reach the space; try another")
            .because(told)
            .header(header::RETRY_AFTER, RETRY_SOON),
    }
}
