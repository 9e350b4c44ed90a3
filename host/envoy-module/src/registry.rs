//! Values that are shared by key and dropped with their last user.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

pub(crate) struct Registry<K, V> {
    entries: Mutex<Option<HashMap<K, Weak<V>>>>,
}

impl<K: Hash + Eq, V> Registry<K, V> {
    pub(crate) const fn new() -> Self {
        Self { entries: Mutex::new(None) }
    }

    /// The value of this key: a live one if it exists, or a new one.
    ///
    /// The lock is held while a value is made, so that concurrent calls with one key share it. Only
    /// Envoy's main thread calls this, not requests.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn get<E>(&self, key: K, make: impl FnOnce(&K) -> Result<V, E>) -> Result<Arc<V>, E> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = entries.get_or_insert_default();
        entries.retain(|_, value| value.strong_count() > 0);
        if let Some(value) = entries.get(&key).and_then(Weak::upgrade) {
            return Ok(value);
        }
        let value = Arc::new(make(&key)?);
        entries.insert(key, Arc::downgrade(&value));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn get(registry: &Registry<&'static str, String>, key: &'static str) -> Arc<String> {
        registry.get(key, |key| Ok::<_, Infallible>(key.to_string())).unwrap()
    }

    #[test]
    fn calls_with_one_key_share_a_value() {
        let registry = Registry::new();
        let (a, b, other) = (get(&registry, "a"), get(&registry, "a"), get(&registry, "b"));
        assert!(Arc::ptr_eq(&a, &b) && !Arc::ptr_eq(&a, &other));
    }

    #[test]
    fn a_value_lives_as_long_as_a_user_and_is_then_made_anew() {
        let registry = Registry::new();
        let first = get(&registry, "a");
        let reloaded = get(&registry, "a");
        let gone = Arc::downgrade(&first);
        drop(first);
        assert!(Arc::ptr_eq(&get(&registry, "a"), &reloaded));
        drop(reloaded);
        assert!(gone.upgrade().is_none());
        get(&registry, "b");
        assert_eq!(registry.entries.lock().unwrap().as_ref().unwrap().len(), 1, "the entry of what is gone is gone");
    }

    #[test]
    fn a_value_that_could_not_be_made_is_tried_again() {
        let registry: Registry<_, String> = Registry::new();
        assert_eq!(registry.get("a", |_| Err("no")), Err("no"));
        assert_eq!(*get(&registry, "a"), "a");
    }
}
