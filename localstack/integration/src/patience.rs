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

/// Tries again and again until it succeeds, or until the time is over.
///
/// # Errors
///
/// When it did not succeed in time: the error says what was waited for, and why the last attempt failed.
pub(crate) async fn until_ok<T>(
    what: &str,
    limit: Duration,
    mut attempt: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut last = None;
    let waited = until(what, limit, async || match attempt().await {
        Ok(done) => Ok(Some(done)),
        Err(error) => {
            last = Some(error);
            Ok(None)
        }
    });
    let waited = waited.await;
    waited.map_err(|timeout| match last {
        Some(error) => error.context(timeout),
        None => timeout,
    })
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
    #[tokio::test]
    async fn a_wait_for_success_ends_with_it_or_says_why_the_last_attempt_failed() {
        let mut attempts = 0;
        let mut attempt = async || {
            attempts += 1;
            anyhow::ensure!(attempts == 2, "attempt {attempts} was denied");
            Ok(attempts)
        };
        assert_eq!(until_ok("success", Duration::from_secs(5), &mut attempt).await.unwrap(), 2);
        let error = until_ok("success", Duration::ZERO, attempt).await.unwrap_err();
        assert_eq!(format!("{error:#}"), "waited 0 s for success: attempt 3 was denied");
    }
}
