//! What the engine is set to: as the roster says, from the moment that it is known.

use std::time::Duration;

use roster::{HistorySettings, Store, TrashSettings, UploadSettings, VersionSettings};
use spaces::{Engine, Settings};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// The longest that a DiskCluster can ask for.
const LONGEST: Duration = Duration::from_secs(3650 * DAY);

/// Another pod may be reading what is about to be truncated.
const SHORTEST_HISTORY: Duration = Duration::from_secs(HOUR);

/// Until the roster is known: nothing ends that it may want to be kept.
#[must_use]
pub fn before_the_roster() -> Settings {
    Settings {
        upload_expiry: LONGEST,
        trash: spaces::TrashSettings { keep: LONGEST, most_percent: 100 },
        versions: spaces::VersionSettings { keep: LONGEST, most_per_file: 1000 },
        history: LONGEST,
        ..Settings::default()
    }
}

/// As a roster says; what it says nothing of stays as it is.
#[must_use]
pub fn of(settings: &roster::Settings, current: Settings) -> Settings {
    let TrashSettings { retention_days, maximum_percent } = settings.trash;
    let trash = spaces::TrashSettings { keep: days(retention_days), most_percent: maximum_percent };
    let VersionSettings { retention_days, maximum_per_file } = settings.versions;
    let versions = spaces::VersionSettings { keep: days(retention_days), most_per_file: maximum_per_file };
    let UploadSettings { expiration_hours, max_file_size: _ } = settings.uploads;
    let HistorySettings { retention_hours } = settings.history;
    Settings {
        upload_expiry: hours(expiration_hours),
        trash,
        versions,
        history: hours(retention_hours).max(SHORTEST_HISTORY),
        ..current
    }
}

/// Keeps the engine set as the newest roster says; runs until dropped.
pub async fn follow(store: Store, engine: Engine) {
    let mut changed = store.changed();
    loop {
        changed.borrow_and_update();
        if store.is_loaded() {
            let current = engine.settings();
            let wanted = of(store.current().settings(), current.as_ref().clone());
            if *current != wanted {
                tracing::info!(?wanted, "The engine is set as the roster says.");
                engine.set_settings(wanted);
            }
        }
        if changed.changed().await.is_err() {
            return;
        }
    }
}

fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * HOUR)
}

fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_roster_says_is_what_is_set() {
        let roster = roster::Settings {
            trash: TrashSettings { retention_days: 2, maximum_percent: 30 },
            versions: VersionSettings { retention_days: 0, maximum_per_file: 7 },
            uploads: UploadSettings { expiration_hours: 5, max_file_size: None },
            history: HistorySettings { retention_hours: 0 },
            ..roster::Settings::default()
        };
        let expected = Settings {
            upload_expiry: Duration::from_secs(5 * HOUR),
            trash: spaces::TrashSettings { keep: Duration::from_secs(2 * DAY), most_percent: 30 },
            versions: spaces::VersionSettings { keep: Duration::ZERO, most_per_file: 7 },
            history: Duration::from_secs(HOUR),
            ..Settings::default()
        };
        assert_eq!(of(&roster, Settings::default()), expected);
    }
}
