//! What several tests need, and what is tried once for all of them.

use anyhow::anyhow;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::OnceCell;

/// Something that is begun by whoever comes first, and never again: a build that failed fails the same way, and what a
/// test made before it was cut off still has its names.
#[derive(Debug)]
pub struct OneAttempt<T> {
    is_begun: AtomicBool,
    outcome: OnceCell<Result<T, String>>,
}

impl<T> OneAttempt<T> {
    /// Nothing has begun.
    #[must_use]
    pub const fn new() -> Self {
        Self { is_begun: AtomicBool::new(false), outcome: OnceCell::const_new() }
    }

    /// What came of the attempt, which is begun if it has not been.
    ///
    /// # Errors
    ///
    /// When the attempt failed, for whoever asks, or was cut off.
    pub async fn get(&self, attempt: impl AsyncFnOnce() -> anyhow::Result<T>) -> anyhow::Result<&T> {
        let begin = async || {
            if self.is_begun.swap(true, Ordering::Relaxed) {
                return Err("it was begun by another test, and cut off with it".to_owned());
            }
            attempt().await.map_err(|error| format!("{error:#}"))
        };
        self.outcome.get_or_init(begin).await.as_ref().map_err(|error| anyhow!(error.clone()))
    }
}

impl<T> Default for OneAttempt<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;
    use std::time::Duration;

    #[tokio::test]
    async fn what_failed_fails_the_same_way_for_all() {
        let one = OneAttempt::<u32>::new();
        assert_eq!(one.get(async || bail!("no compiler")).await.unwrap_err().to_string(), "no compiler");
        assert_eq!(one.get(async || Ok(1)).await.unwrap_err().to_string(), "no compiler");
    }

    #[tokio::test]
    async fn what_was_done_is_not_done_again() {
        let one = OneAttempt::new();
        assert_eq!(one.get(async || Ok(1)).await.unwrap(), &1);
        assert_eq!(one.get(async || Ok(2)).await.unwrap(), &1);
    }

    #[tokio::test]
    async fn what_was_cut_off_is_not_begun_again() {
        let one = OneAttempt::<u32>::new();
        let endless = one.get(async || std::future::pending().await);
        assert!(tokio::time::timeout(Duration::from_millis(10), endless).await.is_err());
        let error = one.get(async || Ok(2)).await.unwrap_err();
        assert_eq!(error.to_string(), "it was begun by another test, and cut off with it");
    }
}
