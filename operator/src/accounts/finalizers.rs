//! Holding objects until what belongs to them is put away, and letting them go.

use std::fmt;
use std::sync::Arc;

use api::kubernetes::labels::FINALIZER;
use futures::{StreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::newest::Newest;
use super::write::{self, AT_ONCE, Rest, WriteError};

/// More are left for the next round, so that nobody waits long.
const MOST: usize = 256;

/// Whether the object stays until it is let go.
pub(super) fn is_held<K: ResourceExt>(object: &K) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

/// Holds those that are not held and not being deleted. Says what is left.
pub(super) async fn hold<K>(client: &Client, objects: &mut [Arc<K>], newest: &mut Newest<K>) -> Rest
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + fmt::Debug + Send + Sync,
    K::DynamicType: Default,
{
    let wanted: Vec<usize> = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| !is_held(&***object) && object.meta().deletion_timestamp.is_none())
        .map(|(place, _)| place)
        .collect();
    let now: Vec<(usize, Arc<K>)> = wanted
        .iter()
        .take(MOST)
        .filter_map(|place| Some((*place, Arc::clone(objects.get(*place)?))))
        .collect();
    let mut rest = Rest::left(wanted.len() > now.len());
    let answers: Vec<(usize, Result<K, WriteError>)> = stream::iter(now)
        .map(
            |(place, object)| async move { (place, write::finalizers(client, &*object, &[FINALIZER]).await) },
        )
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    for (place, answer) in answers {
        match (answer, objects.get_mut(place)) {
            (Ok(mut object), Some(slot)) => {
                object.meta_mut().managed_fields = None;
                *slot = Arc::new(object.clone());
                newest.wrote(object);
            }
            (Ok(_), None) => {}
            (Err(WriteError::Changed), _) | (Err(_), None) => rest = Rest::Failed,
            (Err(error), Some(slot)) => {
                tracing::warn!(object = slot.name_any(), %error, "An object could not be held; it is tried again.");
                rest = Rest::Failed;
            }
        }
    }
    rest
}

/// Lets objects go. Says what is left.
pub(super) async fn let_go<K>(client: &Client, objects: Vec<Arc<K>>, newest: &mut Newest<K>) -> Rest
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + fmt::Debug + Send + Sync,
    K::DynamicType: Default,
{
    let wanted: Vec<Arc<K>> = objects.into_iter().filter(|object| is_held(&**object)).collect();
    let mut rest = Rest::left(wanted.len() > MOST);
    let answers: Vec<(Arc<K>, Result<K, WriteError>)> = stream::iter(wanted.into_iter().take(MOST))
        .map(|object| async move {
            let answer = write::finalizers(client, &*object, &[]).await;
            (object, answer)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    for (object, answer) in answers {
        match answer {
            // The API server knows no such object any more, or one that is another.
            Ok(_) | Err(WriteError::Changed) => newest.let_go(&object),
            Err(error) => {
                tracing::warn!(object = object.name_any(), %error, "An object could not be let go; it is tried again.");
                rest = Rest::Failed;
            }
        }
    }
    rest
}
