//! The decision: which record the response names.

use crate::RecordError;
use records::SequenceNumber;
use serde::Serialize;
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
}

impl BatchResponse {
    /// Every record was handled.
    #[must_use]
    pub fn success() -> Self {
        Self::default()
    }

    /// The response for a batch of which the record at `open_index` is the first that is not handled.
    ///
    /// `last_handled` is the last position that was handled before it. Where the open record has no usable sequence
    /// number that position is named in its place: one handled record comes again, and the progress before it stands.
    pub(crate) fn from_open_record(
        open_index: usize,
        open: Result<SequenceNumber, RecordError>,
        last_handled: Option<SequenceNumber>,
    ) -> Result<Self, BatchError> {
        let item_identifier = match (open, last_handled) {
            (Ok(open), _) => open,
            (Err(_), Some(handled)) => handled,
            (Err(reason), None) => return Err(BatchError::Unnameable { index: open_index, reason }),
        };
        Ok(Self { batch_item_failures: vec![ItemFailure { item_identifier }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> SequenceNumber {
        SequenceNumber::parse(text).unwrap()
    }

    fn named(response: Result<BatchResponse, BatchError>) -> String {
        serde_json::to_string(&response.unwrap()).unwrap()
    }

    #[test]
    fn the_open_record_is_named_verbatim() {
        let response = BatchResponse::from_open_record(1, Ok(number("007")), Some(number("6")));
        assert_eq!(named(response), r#"{"batchItemFailures":[{"itemIdentifier":"007"}]}"#);
        assert_eq!(serde_json::to_string(&BatchResponse::success()).unwrap(), r#"{"batchItemFailures":[]}"#);
    }

    #[test]
    fn an_open_record_without_a_name_falls_back_to_the_last_handled_one() {
        let nameless = || Err(RecordError::invalid("the record has no `kinesis.sequenceNumber`"));
        let response = BatchResponse::from_open_record(3, nameless(), Some(number("6")));
        assert_eq!(named(response), r#"{"batchItemFailures":[{"itemIdentifier":"6"}]}"#);
        let error = BatchResponse::from_open_record(0, nameless(), None).unwrap_err().to_string();
        assert!(error.contains("record 0") && error.contains("kinesis.sequenceNumber"), "{error}");
    }
}
