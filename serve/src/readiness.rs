//! Whether this program can do its work now, as named conditions, each of which says why when it is unmet.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// All conditions must be met for the program to be ready. With no condition it is ready.
///
/// Clones speak of the same program.
#[derive(Clone, Default)]
pub struct Readiness {
    checks: Arc<Mutex<Vec<(String, Check)>>>,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Readiness").finish_non_exhaustive()
    }
}

/// What one condition says now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Its name, such as `roster`.
    pub name: String,
    /// Whether it is met.
    pub met: bool,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Readiness {
    /// Ready, until a condition is added that is not met.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition that is asked each time, and answers at once: an unmet one says why.
    pub fn check(
        &self,
        name: impl Into<String>,
        check: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.lock().push((name.into(), Box::new(check)));
    }

    /// Adds a condition that is told its state. It is unmet, for the reason given, until told otherwise.
    pub fn condition(&self, name: impl Into<String>, reason: impl Into<String>) -> Switch {
        let unmet = Arc::new(Mutex::new(Some(reason.into())));
        let asked = Arc::clone(&unmet);
        self.check(name, move || {
            asked.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
        });
        Switch { unmet }
    }

    /// What every condition says now, in the order they were added.
    pub fn conditions(&self) -> Vec<Condition> {
        self.lock()
            .iter()
            .map(|(name, check)| {
                let reason = check().err();
                Condition { name: name.clone(), met: reason.is_none(), reason }
            })
            .collect()
    }

    /// Whether all conditions are met.
    pub fn is_ready(&self) -> bool {
        self.lock().iter().all(|(_, check)| check().is_ok())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(String, Check)>> {
        // A check that panicked has changed nothing here.
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hand that sets one condition.
#[derive(Clone, Debug)]
pub struct Switch {
    unmet: Arc<Mutex<Option<String>>>,
}

impl Switch {
    /// The condition is met.
    pub fn met(&self) {
        *self.unmet.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The condition is not met, for this reason.
    pub fn unmet(&self, reason: impl Into<String>) {
        *self.unmet.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_when_every_condition_is_met() {
        let readiness = Readiness::new();
        assert!(readiness.is_ready());
        let roster = readiness.condition("roster", "the roster was not read yet");
        readiness.check("volume", || Ok(()));
        assert!(!readiness.is_ready());
        assert_eq!(
            readiness.conditions(),
            [
                Condition {
                    name: "roster".into(),
                    met: false,
                    reason: Some("the roster was not read yet".into())
                },
                Condition { name: "volume".into(), met: true, reason: None },
            ]
        );
        roster.met();
        assert!(readiness.is_ready());
        roster.unmet("its signature is wrong");
        assert!(!readiness.is_ready());
    }
}
