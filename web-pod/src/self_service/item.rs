//! Changing one item of a list that several write: items are told apart by a key, and belong to whoever applies them.

mod owners;

use std::time::Duration;

use api::kubernetes::group::Group;
use api::kubernetes::member::Member;
use api::problem::ProblemCode;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Map, Value, json};
use serve::problem::Refusal;
use uuid::Uuid;

use super::FIELD_MANAGER;
use super::denied::{belongs_to, contended, denied, is_stale};
use owners::Owners;

/// Two web pods, or a web pod and the operator, seldom meet, and hardly ever so often.
const ATTEMPTS: u32 = 8;
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The Members and Groups of one DiskCluster, as far as their lists go. They are read as they are, so that fields
/// that this program does not know stay as they are.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    members: Api<DynamicObject>,
    groups: Api<DynamicObject>,
    member: ApiResource,
    group: ApiResource,
    cluster: String,
}

/// An item of a list in a spec.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) list: &'static str,
    /// The field that tells items apart.
    pub(super) key: &'static str,
    /// The item's value of it.
    pub(super) name: &'a str,
}

/// A change of one item.
#[derive(Clone, Debug)]
pub(super) struct Edit<'a> {
    pub(super) item: Item<'a>,
    /// The new item; none takes it away.
    pub(super) value: Option<Value>,
    /// The one object of its name that is meant.
    pub(super) uid: Uuid,
}

impl Lists {
    pub(super) fn new(client: Client, namespace: &str, cluster: &str) -> Self {
        let member = ApiResource::erase::<Member>(&());
        let group = ApiResource::erase::<Group>(&());
        Self {
            members: Api::namespaced_with(client.clone(), namespace, &member),
            groups: Api::namespaced_with(client, namespace, &group),
            member,
            group,
            cluster: cluster.to_owned(),
        }
    }

    pub(super) async fn edit_member(&self, name: &str, edit: &Edit<'_>) -> Result<(), Refusal> {
        self.edit(&self.members, &self.member, name, edit).await
    }

    pub(super) async fn edit_group(&self, name: &str, edit: &Edit<'_>) -> Result<(), Refusal> {
        self.edit(&self.groups, &self.group, name, edit).await
    }

    /// Reads, changes, writes, and begins again when somebody else wrote in between: without the version that was
    /// read, of two changes at one moment one would be lost.
    async fn edit(
        &self,
        api: &Api<DynamicObject>,
        kind: &ApiResource,
        name: &str,
        edit: &Edit<'_>,
    ) -> Result<(), Refusal> {
        for _ in 0..ATTEMPTS {
            let object = api.get(name).await.map_err(|error| denied(&error))?;
            let Some(write) = write(&object, kind, &self.cluster, edit)? else { return Ok(()) };
            let written = match &write {
                Write::Apply { body, force } => {
                    let params = PatchParams {
                        field_manager: Some(FIELD_MANAGER.to_owned()),
                        force: *force,
                        ..PatchParams::default()
                    };
                    api.patch(name, &params, &Patch::Apply(body)).await
                }
                Write::Merge { body } => {
                    let params = PatchParams {
                        field_manager: Some(FIELD_MANAGER.to_owned()),
                        ..PatchParams::default()
                    };
                    api.patch(name, &params, &Patch::Merge(body)).await
                }
            };
            match written {
                Ok(_) => return Ok(()),
                Err(error) if is_stale(&error) => {
                    tokio::time::sleep(LONGEST_PAUSE.mul_f64(fastrand::f64())).await;
                }
                Err(error) => return Err(denied(&error)),
            }
        }
        Err(contended())
    }
}

/// How an edit is written.
#[derive(Debug, PartialEq)]
enum Write {
    /// Server-side apply of all items that are ours. `force` takes the edited item over from somebody who once
    /// wrote it and will not write it again.
    Apply { body: Value, force: bool },
    /// Of the whole list: applying cannot take away what somebody else wrote, too. Items that stay as they are
    /// stay whose they are.
    Merge { body: Value },
}

/// What to write, given the object as it is; nothing when it is so already.
fn write(
    object: &DynamicObject,
    kind: &ApiResource,
    cluster: &str,
    edit: &Edit<'_>,
) -> Result<Option<Write>, Refusal> {
    let Edit { item, value, uid } = edit;
    let gone = || Refusal::new(ProblemCode::NotFound, "it is no longer there: look again");
    let spec = object.data.get("spec").ok_or_else(gone)?;
    let same_cluster = spec.pointer("/clusterRef/name").and_then(Value::as_str) == Some(cluster);
    if object.metadata.uid.as_deref() != Some(uid.to_string().as_str()) || !same_cluster {
        return Err(gone());
    }
    let live = spec.get(item.list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_it = |one: &&Value| one.get(item.key).and_then(Value::as_str) == Some(item.name);
    let before = live.iter().find(is_it);
    if before == value.as_ref() {
        return Ok(None);
    }
    let owners = Owners::of(object.metadata.managed_fields.as_deref().unwrap_or_default(), item.list);
    if let Some(manager) = owners.applied_by_another(item.key, item.name) {
        return Err(belongs_to(manager));
    }
    let mut metadata = Map::new();
    metadata.insert("uid".to_owned(), json!(object.metadata.uid));
    metadata.insert("resourceVersion".to_owned(), json!(object.metadata.resource_version));
    let Some(value) = value else {
        let rest: Vec<&Value> = live.iter().filter(|one| !is_it(one)).collect();
        return Ok(Some(Write::Merge { body: json!({ "metadata": metadata, "spec": { item.list: rest } }) }));
    };
    let mut items: Vec<&Value> = live
        .iter()
        .filter(|one| !is_it(one))
        .filter(|one| {
            let name = one.get(item.key).and_then(Value::as_str);
            name.is_some_and(|name| owners.is_ours(item.key, name))
        })
        .collect();
    items.push(value);
    metadata.insert("name".to_owned(), json!(object.metadata.name));
    metadata.insert("namespace".to_owned(), json!(object.metadata.namespace));
    let body = json!({
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": metadata,
        "spec": { item.list: items },
    });
    Ok(Some(Write::Apply { body, force: owners.written_by_another(item.key, item.name) }))
}

#[cfg(test)]
mod tests;
