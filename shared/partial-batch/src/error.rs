//! What can be wrong with one record.

use std::fmt;

/// Why a record was not handled.
///
/// The message goes into the logs: say which field and which rule, never a value of the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    kind: RecordErrorKind,
    message: Box<str>,
}

/// What kind of failure it was, and with it whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordErrorKind {
    /// Something around the record failed; the next attempt may succeed.
    Retryable,
    /// The record itself is wrong; no attempt will succeed. `ON_INVALID` says what becomes of it.
    Invalid,
    /// The handler panicked, or the reading of its payload did.
    Panicked,
    /// The deadline guard cancelled it after others had taken their time: the next attempt begins with it.
    DeadlineExceeded,
    /// The record had a whole invocation and did not finish: it takes longer than the function's time-out.
    TooSlow,
}

impl RecordError {
    /// A failure that another attempt may not meet: a throttled table, a closed connection.
    pub fn retryable(message: impl fmt::Display) -> Self {
        Self::new(RecordErrorKind::Retryable, message)
    }

    /// A record that no attempt will handle: malformed, incomplete, against a rule of the business.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::new(RecordErrorKind::Invalid, message)
    }

    pub(crate) fn panicked() -> Self {
        Self::new(RecordErrorKind::Panicked, "the handler, or the reading of its payload, panicked")
    }

    pub(crate) fn deadline_exceeded() -> Self {
        let message = "the record was not finished before the deadline guard; the next attempt begins with it";
        Self::new(RecordErrorKind::DeadlineExceeded, message)
    }

    pub(crate) fn too_slow() -> Self {
        let message = "the record alone did not finish within a whole invocation: it needs a longer time-out";
        Self::new(RecordErrorKind::TooSlow, message)
    }

    fn new(kind: RecordErrorKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string().into() }
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> RecordErrorKind {
        self.kind
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RecordError {}

impl fmt::Display for RecordErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retryable => "retryable",
            Self::Invalid => "invalid",
            Self::Panicked => "panicked",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::TooSlow => "too_slow",
        })
    }
}
