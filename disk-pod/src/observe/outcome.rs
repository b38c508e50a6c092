//! What became of a change that was asked for.

use serde::Serialize;
use spaces::Error;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// It is durable.
    Done,
    /// It may not be, or does not fit with what is there.
    Refused,
    /// Storage did not do it.
    Failed,
    /// It may have been done or not.
    Unknown,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// By what the engine says.
    pub(crate) fn of<T>(result: &Result<T, Error>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(Error::OutcomeUnknown) => Self::Unknown,
            Err(
                Error::Stalled(_)
                | Error::Io(_)
                | Error::ReadOnly(_)
                | Error::StorageFull(_)
                | Error::VolumeMissing(_)
                | Error::SpaceStopped { .. }
                | Error::UnknownSpace(_),
            ) => Self::Failed,
            Err(_) => Self::Refused,
        }
    }
}
