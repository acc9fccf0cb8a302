//! A handler that succeeds or fails by the bytes of the payload alone, so that what it does can be foretold.

use partial_batch::{Arrived, Change, Handler, RecordContext, RecordError};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// A payload that can be told by bytes.
pub trait Told {
    /// The bytes: the same for the same payload.
    fn bytes(&self) -> Cow<'_, [u8]>;
}

impl Told for &[u8] {
    fn bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self)
    }
}

impl Told for Value {
    fn bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.to_string().into_bytes())
    }
}

impl<T: Debug> Told for Change<T> {
    fn bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(format!("{self:?}").into_bytes())
    }
}

impl<T: Debug> Told for Arrived<T> {
    fn bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(format!("{self:?}").into_bytes())
    }
}

/// What becomes of a payload. One in eight fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is handled, after so many turns in which others may run.
    Handled { turns: u64 },
    /// It fails, and may succeed another time.
    Retryable,
    /// It is wrong for good.
    Invalid,
}

impl Verdict {
    /// By the sum of the bytes: one bit more or less makes it another verdict.
    pub fn of(bytes: &[u8]) -> Self {
        match bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>() % 16 {
            5 => Self::Retryable,
            9 => Self::Invalid,
            other => Self::Handled { turns: other % 3 },
        }
    }

    /// Takes its turns, and says what became of the payload.
    pub async fn come_true(self) -> Result<(), RecordError> {
        match self {
            Self::Handled { turns } => {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            Self::Retryable => Err(RecordError::retryable("the verdict is so")),
            Self::Invalid => Err(RecordError::invalid("the verdict is so")),
        }
    }
}

/// Handles each payload by its verdict, and sees to it that the records of one key come one after the other, and none
/// behind one that failed.
#[derive(Default)]
pub struct ByVerdict(RefCell<Keys>);

#[derive(Default)]
struct Keys {
    running: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl ByVerdict {
    /// Another delivery: what failed may come again.
    pub fn forget(&self) {
        self.0.take();
    }
}

impl<P: Told> Handler<P> for &ByVerdict {
    async fn handle(&self, payload: P, context: RecordContext<'_>) -> Result<(), RecordError> {
        let key = context.key();
        assert!(!self.0.borrow().failed.contains(key), "a record is handled behind one of its key that failed");
        assert!(self.0.borrow_mut().running.insert(key.to_owned()), "two records of one key at once");
        let result = Verdict::of(&payload.bytes()).come_true().await;
        let mut keys = self.0.borrow_mut();
        keys.running.remove(key);
        if result.is_err() {
            keys.failed.insert(key.to_owned());
        }
        result
    }
}
