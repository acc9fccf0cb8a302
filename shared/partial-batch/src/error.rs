//! What can be wrong with one record.

use std::fmt;

/// Why a record was not handled.
///
/// The message goes into the logs: say which field and which rule, never a value of the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    kind: RecordErrorKind,
    message: String,
}

/// What kind of failure it was, and with it whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordErrorKind {
    /// Something around the record failed; the next attempt may succeed.
    Retryable,
    /// The record itself is wrong; no attempt will succeed.
    Invalid,
    /// The handler panicked, or the reading of its payload did.
    Panicked,
    /// The record could not be finished, or not be started, before the deadline.
    DeadlineExceeded,
}

impl RecordError {
    /// A failure that another attempt may not meet: a throttled table, a closed connection.
    pub fn retryable(message: impl fmt::Display) -> Self {
        Self { kind: RecordErrorKind::Retryable, message: message.to_string() }
    }

    /// A record that no attempt will handle: malformed, incomplete, against a rule of the business.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self { kind: RecordErrorKind::Invalid, message: message.to_string() }
    }

    pub(crate) fn panicked() -> Self {
        Self {
            kind: RecordErrorKind::Panicked,
            message: "the handler, or the reading of its payload, panicked".to_owned(),
        }
    }

    pub(crate) fn overran() -> Self {
        let message = "the record was not finished before the deadline guard".to_owned();
        Self { kind: RecordErrorKind::DeadlineExceeded, message }
    }

    pub(crate) fn not_started() -> Self {
        let message = "the record was not started: the deadline guard was reached".to_owned();
        Self { kind: RecordErrorKind::DeadlineExceeded, message }
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
        })
    }
}
