//! The finalizer, which holds an object until what belongs to it is put away.

use api::kubernetes::labels::{CONFIRM_DELETION, FINALIZER};
use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

/// Whether the object is held.
pub fn is_held<K: Resource>(object: &K) -> bool {
    object.meta().finalizers.as_ref().is_some_and(|all| all.iter().any(|one| one == FINALIZER))
}

/// Whether somebody has confirmed that the object is to go whatever belongs to it.
pub fn is_confirmed<K: Resource>(object: &K) -> bool {
    object.annotations().get(CONFIRM_DELETION).is_some_and(|confirmed| *confirmed == object.name_any())
}

/// Holds it from now on. The uid goes along, so that no other object of the name is held, or made.
///
/// # Errors
/// When the API server does not take it.
pub async fn hold<K>(client: &Client, manager: &str, object: &K) -> Result<(), kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
    K::DynamicType: Default,
{
    let name = object.name_any();
    let patch = json!({
        "apiVersion": K::api_version(&K::DynamicType::default()),
        "kind": K::kind(&K::DynamicType::default()),
        "metadata": { "name": name, "uid": object.uid(), "finalizers": [FINALIZER] },
    });
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    api.patch(&name, &PatchParams::apply(manager).force(), &Patch::Apply(&patch)).await?;
    Ok(())
}

/// Lets it go. One that is gone already is let go.
///
/// # Errors
/// When the API server does not take it.
pub async fn release<K>(client: &Client, object: &K) -> Result<(), kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
    K::DynamicType: Default,
{
    let others: Vec<&String> = object.finalizers().iter().filter(|one| *one != FINALIZER).collect();
    // Whoever adds or removes another finalizer meanwhile changes the version, and this is tried again.
    let patch = json!({
        "metadata": { "resourceVersion": object.resource_version(), "uid": object.uid(), "finalizers": others },
    });
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    match api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        answer => answer.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    #[test]
    fn a_deletion_is_confirmed_by_the_name_of_the_object_alone() {
        let mut object = ConfigMap::default();
        object.metadata.name = Some("demo".to_owned());
        for (value, confirmed) in
            [(None, false), (Some("true"), false), (Some("demo2"), false), (Some("demo"), true)]
        {
            object.metadata.annotations =
                value.map(|value| [(CONFIRM_DELETION.to_owned(), value.to_owned())].into());
            assert_eq!(is_confirmed(&object), confirmed, "{value:?}");
        }
        assert!(!is_held(&object));
        object.metadata.finalizers = Some(vec!["other".to_owned(), FINALIZER.to_owned()]);
        assert!(is_held(&object));
    }
}
