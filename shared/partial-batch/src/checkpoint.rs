//! The decision: which record the response names.

use crate::RecordError;
use records::SequenceNumber;
use serde::Serialize;
use std::borrow::Cow;
use thiserror::Error;

/// A partial batch response: `{"batchItemFailures":[]}`, or one failure at which the checkpoint stops.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// Empty when every record was handled.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// The position from which Lambda retries. It is never empty, for Lambda would take that for a failed batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// The sequence number, exactly as it stood in the event.
    pub item_identifier: SequenceNumber,
}

/// No response can keep the promise, so the function has to fail: Lambda then retries the whole batch.
#[derive(Debug, Error)]
pub enum BatchError {
    /// The event is no batch of records.
    #[error(transparent)]
    Event(#[from] records::EventError),
    /// The first open record cannot be named, and neither can any record before it.
    #[error("record {index} of the batch cannot be named in a response, and no record before it either: {reason}")]
    Unnameable {
        /// Its index in `Records`, counted from 0.
        index: usize,
        /// What is wrong with its sequence number.
        reason: RecordError,
    },
    /// The event is none of a tumbling window.
    #[error("expected an event of a tumbling window: {reason}. Is TumblingWindowInSeconds set on the mapping?")]
    NoWindow {
        /// What is missing or malformed, and where.
        reason: String,
    },
    /// The window's state cannot be read, written or added to.
    #[error("the state of the tumbling window {problem}")]
    State {
        /// What went wrong.
        problem: String,
    },
    /// The window could not be closed.
    #[error("failed to close the tumbling window: {0}")]
    Close(RecordError),
}

/// How far the batch has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// What to answer.
    pub response: BatchResponse,
    /// Index of the first record that Lambda delivers again; `usize::MAX` where none is.
    pub comes_again_from: usize,
}

impl Checkpoint {
    /// The checkpoint of a batch of which the record at `open` is the first that is not handled.
    ///
    /// Where that record has no usable sequence number, the one before it is named in its place, which was handled: one
    /// handled record comes again, and the progress before it stands.
    pub fn decide<'e>(
        open: Option<usize>,
        sequence_number: impl Fn(usize) -> Result<Cow<'e, str>, RecordError>,
    ) -> Result<Self, BatchError> {
        let Some(open) = open else {
            return Ok(Self { response: BatchResponse::default(), comes_again_from: usize::MAX });
        };
        let (index, number) = match (sequence_number(open), open.checked_sub(1)) {
            (Ok(number), _) => (open, Ok(number)),
            (Err(reason), Some(before)) => (before, sequence_number(before).map_err(|_| reason)),
            (Err(reason), None) => (open, Err(reason)),
        };
        let parse = |number: Cow<'_, str>| SequenceNumber::parse(&number).map_err(RecordError::invalid);
        let item_identifier =
            number.and_then(parse).map_err(|reason| BatchError::Unnameable { index: open, reason })?;
        let response = BatchResponse { batch_item_failures: vec![ItemFailure { item_identifier }] };
        Ok(Self { response, comes_again_from: index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checkpoint of a batch with these numbers; an empty one cannot be used.
    fn check(open: Option<usize>, numbers: &[&'static str], json: &str, comes_again_from: usize) {
        let number = |index: usize| match numbers[index] {
            "" => Err(RecordError::invalid("the record has no `kinesis.sequenceNumber`")),
            number => Ok(Cow::Borrowed(number)),
        };
        let checkpoint = Checkpoint::decide(open, number).unwrap();
        assert_eq!(serde_json::to_string(&checkpoint.response).unwrap(), json);
        assert_eq!(checkpoint.comes_again_from, comes_again_from);
    }

    #[test]
    fn the_open_record_is_named_verbatim() {
        check(Some(1), &["6", "007"], r#"{"batchItemFailures":[{"itemIdentifier":"007"}]}"#, 1);
        check(None, &["6", "007"], r#"{"batchItemFailures":[]}"#, usize::MAX);
    }

    #[test]
    fn an_open_record_without_a_name_falls_back_to_the_one_before_it() {
        check(Some(2), &["5", "6", ""], r#"{"batchItemFailures":[{"itemIdentifier":"6"}]}"#, 1);
        let nameless = |_| Err(RecordError::invalid("the record has no `kinesis.sequenceNumber`"));
        let error = Checkpoint::decide(Some(0), nameless).unwrap_err().to_string();
        assert_eq!(
            error,
            "record 0 of the batch cannot be named in a response, and no record before it either: \
             the record has no `kinesis.sequenceNumber`"
        );
    }
}
