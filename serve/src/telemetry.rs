//! Logs: sentences with fields, as JSON for machines or as text for people.

use std::fmt;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For a terminal.
    Text,
}

impl FromStr for LogFormat {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(TelemetryError::Format),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Json => "json",
            Self::Text => "text",
        })
    }
}

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not parse.
    #[error(
        "the log filter {filter:?} is not one; write a level, or target=level pairs, such as \"info,spaces=debug\": {source}"
    )]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The format is none of those known.
    #[error("the log format is json or text")]
    Format,
    /// Somebody else has set up logging in this process.
    #[error("logging is set up already")]
    SetUpAlready,
}

/// Starts logging to standard error; call it once, first of all. A panic is logged like any other failure.
///
/// # Errors
/// When the filter does not parse, or logging is set up already.
pub fn start(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Json => registry
            .with(lines.json().flatten_event(true).with_current_span(true).with_span_list(false))
            .try_init(),
        LogFormat::Text => registry.with(lines.with_ansi(false)).try_init(),
    };
    started.map_err(|_| TelemetryError::SetUpAlready)?;
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let said = info
            .payload()
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| info.payload().downcast_ref::<String>().cloned())
            .unwrap_or_default();
        tracing::error!(place, said, "A task panicked; this is a mistake in the program, please report it.");
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_filter_or_format_says_what_to_write() {
        assert!("yaml".parse::<LogFormat>().unwrap_err().to_string().contains("json or text"));
        assert_eq!("text".parse::<LogFormat>().unwrap(), LogFormat::Text);
        let error = start(LogFormat::Json, "spaces=loud").unwrap_err();
        assert!(error.to_string().contains("target=level"), "{error}");
    }
}
