//! The moment at which a batch has to stop.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Longer than any invocation lasts, so that a deadline in the far future is one that can be counted to.
const INVOCATION_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// When Lambda kills the invocation, and when the engine stops before that.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    stop_at: Instant,
}

impl Deadline {
    /// From Lambda's deadline header: milliseconds since the Unix epoch.
    #[must_use]
    pub fn from_epoch_ms(deadline_ms: u64, margin: Duration) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::after(Duration::from_millis(deadline_ms).saturating_sub(now), margin)
    }

    /// `remaining` from now, less `margin`.
    ///
    /// The margin takes at most half of what remains: a function whose time-out is shorter than the margin still has
    /// time to handle something, instead of giving every batch back untouched.
    #[must_use]
    pub fn after(remaining: Duration, margin: Duration) -> Self {
        let remaining = remaining.min(INVOCATION_MAX);
        Self { stop_at: Instant::now() + (remaining - margin.min(remaining / 2)) }
    }

    /// When the engine stops: no record is started after it, and what still runs is cancelled at it.
    #[must_use]
    pub fn stop_at(&self) -> Instant {
        self.stop_at
    }

    /// Whether the moment to stop has come.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        Instant::now() >= self.stop_at
    }
}
