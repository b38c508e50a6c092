//! Whose the items of a list are, from an object's managed fields.
//!
//! Source: Kubernetes, "Server-Side Apply", field management; structured-merge-diff's `fieldsV1`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

use crate::self_service::FIELD_MANAGER;

/// The items of one list of a spec that each manager owns.
#[derive(Debug)]
pub(super) struct Owners<'a> {
    managers: Vec<Manager<'a>>,
}

#[derive(Debug)]
struct Manager<'a> {
    name: &'a str,
    applies: bool,
    items: &'a serde_json::Map<String, Value>,
}

impl<'a> Owners<'a> {
    pub(super) fn of(entries: &'a [ManagedFieldsEntry], list: &str) -> Self {
        let managers = entries
            .iter()
            .filter(|entry| entry.subresource.as_deref().unwrap_or_default().is_empty())
            .filter_map(|entry| {
                let fields = &entry.fields_v1.as_ref()?.0;
                let items = fields.get("f:spec")?.get(format!("f:{list}"))?.as_object()?;
                Some(Manager {
                    name: entry.manager.as_deref().unwrap_or("somebody"),
                    applies: entry.operation.as_deref() == Some("Apply"),
                    items,
                })
            })
            .collect();
        Self { managers }
    }

    fn owning(&self, key: &str, name: &str) -> impl Iterator<Item = &Manager<'a>> {
        let wanted = serde_json::json!({ key: name });
        self.managers.iter().filter(move |manager| {
            manager.items.keys().any(|item| {
                let written =
                    item.strip_prefix("k:").and_then(|text| serde_json::from_str::<Value>(text).ok());
                written.as_ref() == Some(&wanted)
            })
        })
    }

    /// Whether we apply it.
    pub(super) fn is_ours(&self, key: &str, name: &str) -> bool {
        self.owning(key, name).any(|manager| manager.applies && manager.name == FIELD_MANAGER)
    }

    /// Somebody else who applies it, and will do so again: from Git, for example.
    pub(super) fn applied_by_another(&self, key: &str, name: &str) -> Option<&'a str> {
        self.owning(key, name)
            .find(|manager| manager.applies && manager.name != FIELD_MANAGER)
            .map(|manager| manager.name)
    }

    /// Whether somebody wrote it once, without applying it.
    pub(super) fn written_by_another(&self, key: &str, name: &str) -> bool {
        self.owning(key, name).any(|manager| !manager.applies)
    }
}
