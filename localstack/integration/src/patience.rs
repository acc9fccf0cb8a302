//! Waits that end, and say what they waited for.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(250);

/// Looks again and again until there is something, or until the time is over.
///
/// # Errors
///
/// When a look fails, or nothing came in time: the error says what was waited for.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        anyhow::ensure!(start.elapsed() < limit, "waited {} s for {what}", limit.as_secs());
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_ends_and_says_what_it_was_for() {
        let found = until("a number", Duration::from_secs(5), async || Ok(Some(7))).await.unwrap();
        assert_eq!(found, 7);
        let error = until("nothing", Duration::ZERO, async || Ok(None::<()>)).await.unwrap_err();
        assert_eq!(error.to_string(), "waited 0 s for nothing");
    }
}
