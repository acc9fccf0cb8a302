//! Answers of a service that are believed for a while.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer about a stream or a mapping is believed.
const ANSWERS_LAST: Duration = Duration::from_secs(10 * 60);

/// By what was asked.
#[derive(Debug)]
pub(super) struct Answers<K, V>(Mutex<HashMap<K, (Instant, V)>>);

impl<K, V> Default for Answers<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// An environment serves one queue, and so few streams.
const ANSWERS_MAX: usize = 1_000;

impl<K: Hash + Eq, V: Clone> Answers<K, V> {
    pub fn get(&self, key: &K) -> Option<V> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(key).filter(|(until, _)| *until > Instant::now()).map(|(_, value)| value.clone())
    }

    /// Keeps the answer, and hands it back.
    pub fn put(&self, key: K, value: V) -> V {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= ANSWERS_MAX {
            answers.clear();
        }
        answers.insert(key, (Instant::now() + ANSWERS_LAST, value.clone()));
        value
    }
}
