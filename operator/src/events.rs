//! Tells what happened, for `kubectl describe`.

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};

/// Writes events; clones share the memory of what was told, by which a repeated event is counted up.
#[derive(Clone)]
pub struct Events {
    recorder: Recorder,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether somebody has to do something.
    pub warning: bool,
    /// One word, as in conditions.
    pub reason: String,
    /// What was done: one word, such as `Reconcile`.
    pub action: &'static str,
    /// A sentence that says what happened, and what to do.
    pub note: String,
}

impl Events {
    /// Events told by this replica.
    pub fn new(client: Client, pod: &str) -> Self {
        let reporter =
            Reporter { controller: "internetdisk.dev/operator".to_owned(), instance: Some(pod.to_owned()) };
        Self { recorder: Recorder::new(client, reporter) }
    }

    /// Tells it of an object. That it cannot be told is logged and hinders nothing.
    pub async fn tell<K>(&self, object: &K, told: Told)
    where
        K: Resource,
        K::DynamicType: Default,
    {
        let Told { warning, reason, action, note } = told;
        let type_ = if warning { EventType::Warning } else { EventType::Normal };
        // The API server takes at most 1024 bytes.
        let note = note.chars().take(300).collect();
        let event = Event { type_, reason, note: Some(note), action: action.to_owned(), secondary: None };
        let reference = object.object_ref(&K::DynamicType::default());
        if let Err(error) = self.recorder.publish(&event, &reference).await {
            tracing::warn!(%error, reason = event.reason, "An event could not be told.");
        }
    }
}
