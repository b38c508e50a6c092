//! A copy of objects of one kind, kept up to date by a watch and shared by all controllers.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures::StreamExt;
use k8s_openapi::NamespaceResourceScope;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::controller::{Key, chain};

/// The API of a kind in the namespace, or in all of them.
pub fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope>,
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

type Listener<K> = Box<dyn Fn(&K) + Send + Sync>;

/// A copy of objects; clones share it.
pub struct Mirror<K> {
    inner: Arc<Inner<K>>,
}

struct Inner<K> {
    api: Api<K>,
    config: watcher::Config,
    strip: fn(&mut K),
    objects: RwLock<BTreeMap<Key, Arc<K>>>,
    listeners: Mutex<Vec<Listener<K>>>,
    complete: watch::Sender<bool>,
}

impl<K> Clone for Mirror<K> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<K> fmt::Debug for Mirror<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Mirror").finish_non_exhaustive()
    }
}

impl<K> Mirror<K>
where
    K: Resource + Clone + DeserializeOwned + fmt::Debug + Send + Sync + 'static,
    K::DynamicType: Default,
{
    /// A mirror of what `config` selects. It is empty until [`Mirror::follow`] runs.
    pub fn new(api: Api<K>, config: watcher::Config) -> Self {
        Self::with(api, config, |_| {})
    }

    /// The same, but `strip` takes out of each object what nobody looks at.
    #[must_use]
    pub fn keeping(self, strip: fn(&mut K)) -> Self {
        Self::with(self.inner.api.clone(), self.inner.config.clone(), strip)
    }

    fn with(api: Api<K>, config: watcher::Config, strip: fn(&mut K)) -> Self {
        let (complete, _) = watch::channel(false);
        let inner =
            Inner { api, config, strip, objects: RwLock::default(), listeners: Mutex::default(), complete };
        Self { inner: Arc::new(inner) }
    }

    /// Calls `listener` with each object that appears, changes or goes. It must return at once: push to a queue.
    pub fn on_change(&self, listener: impl Fn(&K) + Send + Sync + 'static) {
        self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    /// One object.
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.read(|objects| objects.get(key).cloned())
    }

    /// The objects of a namespace, by name.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<K>> {
        let first = Key::new(namespace, "");
        self.read(|objects| {
            let those = objects.range(first..).take_while(|(key, _)| key.namespace == namespace);
            those.map(|(_, object)| Arc::clone(object)).collect()
        })
    }

    /// All objects.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.read(|objects| objects.values().cloned().collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.read(BTreeMap::len)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read<T>(&self, look: impl FnOnce(&BTreeMap<Key, Arc<K>>) -> T) -> T {
        look(&self.inner.objects.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether all objects have been seen once.
    pub fn is_complete(&self) -> bool {
        *self.inner.complete.borrow()
    }

    /// Waits until all objects have been seen once.
    pub async fn completed(&self) {
        // The sender lives as long as `self`.
        let _ = self.inner.complete.subscribe().wait_for(|complete| *complete).await;
    }

    /// Keeps it up to date; runs until dropped.
    pub async fn follow(self) {
        let config = self.inner.config.clone();
        let mut events = watcher(self.inner.api.clone(), config).default_backoff().boxed();
        let mut listed = BTreeMap::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(watcher::Event::Apply(object)) => self.put(object),
                Ok(watcher::Event::Delete(object)) => self.take(&object),
                Ok(watcher::Event::Init) => listed = BTreeMap::new(),
                Ok(watcher::Event::InitApply(object)) => {
                    let object = self.stripped(object);
                    listed.insert(Key::of(&object), Arc::new(object));
                }
                Ok(watcher::Event::InitDone) => self.replace(std::mem::take(&mut listed)),
                Err(error) => {
                    let kind = K::kind(&K::DynamicType::default()).into_owned();
                    tracing::warn!(kind, error = %chain(&error), "The watch broke off; it is taken up again.");
                }
            }
        }
    }

    fn stripped(&self, mut object: K) -> K {
        object.meta_mut().managed_fields = None;
        if let Some(annotations) = &mut object.meta_mut().annotations {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        (self.inner.strip)(&mut object);
        object
    }

    fn put(&self, object: K) {
        let object = Arc::new(self.stripped(object));
        self.write(|objects| objects.insert(Key::of(&*object), Arc::clone(&object)));
        self.tell(&object);
    }

    fn take(&self, object: &K) {
        self.write(|objects| objects.remove(&Key::of(object)));
        self.tell(object);
    }

    fn replace(&self, listed: BTreeMap<Key, Arc<K>>) {
        let before = self.write(|objects| std::mem::replace(objects, listed));
        self.inner.complete.send_replace(true);
        let now = self.all();
        let gone = before.iter().filter(|(key, _)| self.get(key).is_none()).map(|(_, object)| object);
        let changed = now.iter().filter(|object| {
            let known = before.get(&Key::of(&***object));
            known.is_none_or(|known| known.resource_version() != object.resource_version())
        });
        for object in gone.chain(changed) {
            self.tell(object);
        }
    }

    fn write<T>(&self, change: impl FnOnce(&mut BTreeMap<Key, Arc<K>>) -> T) -> T {
        change(&mut self.inner.objects.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, object: &K) {
        for listener in &*self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner) {
            listener(object);
        }
    }
}

/// Tells of changes of objects of which there may be many that are none of ours, such as Secrets: only metadata
/// travels, and nothing is kept.
pub struct Notices<K> {
    api: Api<PartialObjectMeta<K>>,
    listeners: Mutex<Vec<KeyListener>>,
}

type KeyListener = Box<dyn Fn(&Key) + Send + Sync>;

impl<K> fmt::Debug for Notices<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Notices").finish_non_exhaustive()
    }
}

impl<K> Notices<K>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + fmt::Debug + Send + 'static,
    K::DynamicType: Default,
{
    /// Of all objects in the namespace, or in all of them.
    pub fn new(client: &Client, namespace: Option<&str>) -> Self {
        Self { api: api(client, namespace), listeners: Mutex::default() }
    }

    /// Calls `listener` with the key of each object that appears, changes or goes. It must return at once.
    pub fn on_change(&self, listener: impl Fn(&Key) + Send + Sync + 'static) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    /// Listens; runs until dropped.
    pub async fn follow(&self) {
        let mut events = watcher(self.api.clone(), watcher::Config::default()).default_backoff().boxed();
        while let Some(event) = events.next().await {
            match event {
                Ok(
                    watcher::Event::Apply(object)
                    | watcher::Event::InitApply(object)
                    | watcher::Event::Delete(object),
                ) => {
                    let key = Key::of(&object);
                    for listener in &*self.listeners.lock().unwrap_or_else(PoisonError::into_inner) {
                        listener(&key);
                    }
                }
                Ok(watcher::Event::Init | watcher::Event::InitDone) => {}
                Err(error) => {
                    let kind = K::kind(&K::DynamicType::default()).into_owned();
                    tracing::warn!(kind, error = %chain(&error), "The watch broke off; it is taken up again.");
                }
            }
        }
    }
}
