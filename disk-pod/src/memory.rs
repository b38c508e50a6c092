//! How much memory the states of spaces may take in this pod.

use std::path::Path;

use api::bytes::{Bytes, QuantityError};

/// Where a container finds what it may use (cgroup v2).
const LIMIT: &str = "/sys/fs/cgroup/memory.max";

/// Reads an amount of memory from the command line.
pub(crate) fn amount(text: &str) -> Result<Bytes, QuantityError> {
    Bytes::parse_quantity(text)
}

/// What was asked for; otherwise half of what this container may use, for bodies under way, and reading a state
/// once more, need some too; otherwise what the engine takes by itself.
pub(crate) fn budget(wanted: Option<Bytes>) -> Bytes {
    wanted
        .or_else(|| limit(Path::new(LIMIT)).map(|limit| Bytes(limit.0 / 2)))
        .unwrap_or(spaces::Settings::default().memory)
}

/// What transfers under way may take together: a quarter of what this container may use.
pub(crate) fn of_transfers() -> Bytes {
    limit(Path::new(LIMIT)).map_or(Bytes(u64::MAX), |limit| Bytes(limit.0 / 4))
}

/// The limit in a file; `None` when there is none.
fn limit(file: &Path) -> Option<Bytes> {
    let text = std::fs::read_to_string(file).ok()?;
    text.trim().parse().ok().map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_and_max_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("memory.max");
        assert_eq!(limit(&file), None);
        for (text, found) in [("max\n", None), ("1073741824\n", Some(Bytes(1 << 30))), ("", None)] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(limit(&file), found, "{text:?}");
        }
        assert_eq!(budget(Some(Bytes(7))), Bytes(7));
        assert_eq!(amount("256Mi"), Ok(Bytes(256 << 20)));
        assert!(amount("much").is_err());
    }
}
