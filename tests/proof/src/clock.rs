//! The time of a world: it passes only when everything waits.

use records::EpochMillis;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// 2026-01-01T00:00:00Z, when every world begins.
pub const BEGIN: EpochMillis = EpochMillis(1_767_225_600_000);

/// Tokio's paused clock, as streams and mappings count time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    /// A clock that stands at the begin of every world now.
    #[must_use]
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> EpochMillis {
        EpochMillis(BEGIN.0 + self.elapsed_ms())
    }

    /// Milliseconds since the world began.
    #[must_use]
    pub fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Waits until `time`.
    pub async fn sleep_until(&self, time: EpochMillis) {
        let after_ms = u64::try_from(time.0.saturating_sub(BEGIN.0)).unwrap_or(0);
        sleep_until(self.began + Duration::from_millis(after_ms)).await;
    }

    /// Waits for so many milliseconds.
    pub async fn pause(&self, ms: i64) {
        tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
    }
}
