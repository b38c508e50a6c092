//! `?at=`: a space as it was.

use std::str::FromStr;

use api::generation::Generation;
use http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use spaces::{Snapshot, Space};

use super::generation;
use crate::app::App;
use crate::error::Error;

/// A moment in the past of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// After so many changes.
    Generation(Generation),
    /// At a time, as the clocks of the pods had it.
    Time(Timestamp),
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Generation).map_err(|_| "at: there is no such generation");
        }
        text.parse()
            .map(Self::Time)
            .map_err(|_| "at: give a generation, or a time such as 2026-11-25T10:00:00Z")
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The space as it was, or as it is.
///
/// # Errors
/// When that is not kept any more, or those of [`generation::snapshot`].
pub(crate) async fn snapshot(
    app: &App,
    space: &Space,
    headers: &HeaderMap,
    at: Option<Moment>,
) -> Result<Snapshot, Error> {
    match at {
        None => generation::snapshot(app, space, headers).await,
        Some(moment) => past(space, moment).await,
    }
}

/// The space as it was.
///
/// # Errors
/// When that is not kept any more.
pub(crate) async fn past(space: &Space, moment: Moment) -> Result<Snapshot, Error> {
    Ok(match moment {
        Moment::Generation(generation) => space.at(generation).await?,
        Moment::Time(time) => space.as_of(time.as_millisecond()).await?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_generation_or_a_time() {
        assert_eq!("17".parse(), Ok(Moment::Generation(Generation(17))));
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(Moment::Time(Timestamp::from_second(1).unwrap())));
        for text in ["", "-1", "+1", "99999999999999999999", "yesterday", "2026-11-25", "1e3"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
