//! What an invocation knows of its tumbling window.

use jiff::Timestamp;
use records::EpochMillis;

/// The bound on a window's state, in bytes: 1 MB for each shard (documented). Above it the window ends early.
pub const STATE_BYTES_MAX: usize = 1024 * 1024;

/// The tumbling window of an invocation. Windows lie at multiples of their length (inferred).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When it begins.
    pub start: EpochMillis,
    /// When it ends; not itself part of it.
    pub end: EpochMillis,
    /// Whether this is the last invocation of the window, which has no records (inferred).
    pub is_final: bool,
    /// Whether the window ends before its time, for its state is too large.
    pub is_terminated_early: bool,
}

impl Window {
    /// The bounds as Lambda writes them into an event: RFC 3339, whole seconds.
    #[must_use]
    pub fn bounds(&self) -> [String; 2] {
        [self.start, self.end].map(|time| {
            let time = Timestamp::from_millisecond(time.0).unwrap_or(Timestamp::MAX);
            format!("{time:.0}")
        })
    }
}
