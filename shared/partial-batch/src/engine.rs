//! The loop: records in order, until the first failure or the deadline.

use crate::{BatchError, BatchResponse, Deadline, Handler, Record, RecordContext, RecordError, Source};
use futures_util::FutureExt;
use records::SequenceNumber;
use std::panic::AssertUnwindSafe;

/// What became of a batch.
#[derive(Debug)]
pub struct BatchReport {
    /// Number of records in the batch.
    pub records: usize,
    /// Number of records handled: the ones before the first that was not.
    pub handled: usize,
    /// The first record that was not handled.
    pub failed: Option<FailedRecord>,
    /// What to answer, or why the function has to fail.
    pub response: Result<BatchResponse, BatchError>,
}

/// A record that was not handled.
#[derive(Debug, Clone)]
pub struct FailedRecord {
    /// Its index in the batch, counted from 0.
    pub index: usize,
    /// Its position, where it has one.
    pub sequence_number: Option<SequenceNumber>,
    /// Why.
    pub error: RecordError,
}

/// Handles the batch in `event` and decides what to answer.
///
/// Records are handled in order, one at a time. The first that fails ends the batch: Lambda retries from there, so
/// whatever was done behind it would be done twice. A panic is one record's failure. No record is started after the
/// deadline, and one that runs over it is cancelled.
pub async fn process<S, H>(event: &[u8], source: &S, handler: &H, deadline: Deadline) -> BatchReport
where
    S: Source,
    H: Handler<S::Payload>,
{
    let records = match records::split_records(event) {
        Ok(records) => records,
        Err(error) => return BatchReport { records: 0, handled: 0, failed: None, response: Err(error.into()) },
    };
    let mut last_handled = None;
    for (index, raw) in records.iter().enumerate() {
        let record = source.decode(raw);
        let position = record.sequence_number.clone();
        let Err(error) = handle_one(record, handler, deadline).await else {
            last_handled = position.ok();
            continue;
        };
        let failed = FailedRecord { index, sequence_number: position.clone().ok(), error };
        let response = BatchResponse::from_open_record(index, position, last_handled);
        return BatchReport { records: records.len(), handled: index, failed: Some(failed), response };
    }
    BatchReport { records: records.len(), handled: records.len(), failed: None, response: Ok(BatchResponse::success()) }
}

async fn handle_one<P, H: Handler<P>>(record: Record<P>, handler: &H, deadline: Deadline) -> Result<(), RecordError> {
    if deadline.is_reached() {
        return Err(RecordError::not_started());
    }
    // A record that cannot be named is not handled: if it failed later, nothing could be said of it.
    let sequence_number = record.sequence_number?;
    let payload = record.payload?;
    let context = RecordContext { sequence_number, key: record.key, arrival: record.arrival, deadline };
    // The call itself may panic as well as the future it returns.
    let handled = AssertUnwindSafe(async { handler.handle(payload, context).await }).catch_unwind();
    match tokio::time::timeout_at(deadline.stop_at(), handled).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(RecordError::panicked()),
        Err(_elapsed) => Err(RecordError::overran()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RawPayload, RecordErrorKind};
    use std::cell::RefCell;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);

    fn event(numbers: &[&str]) -> String {
        let record = |number: &&str| format!(r#"{{"kinesis":{{"sequenceNumber":"{number}","data":"AA=="}}}}"#);
        format!(r#"{{"Records":[{}]}}"#, numbers.iter().map(record).collect::<Vec<_>>().join(","))
    }

    /// Runs a batch and returns the report, its response as JSON, and the positions that reached the handler.
    async fn run(
        event: &str,
        deadline: Deadline,
        outcome: impl AsyncFn(&str) -> Result<(), RecordError>,
    ) -> (BatchReport, String, Vec<String>) {
        let seen = RefCell::new(Vec::new());
        let handler = |_: Vec<u8>, context: RecordContext| {
            seen.borrow_mut().push(context.sequence_number().to_string());
            let outcome = &outcome;
            async move { outcome(context.sequence_number().as_str()).await }
        };
        let report = process(event.as_bytes(), &RawPayload, &handler, deadline).await;
        let response = match &report.response {
            Ok(response) => serde_json::to_string(response).unwrap(),
            Err(error) => error.to_string(),
        };
        (report, response, seen.into_inner())
    }

    fn far() -> Deadline {
        Deadline::after(LONG, Duration::ZERO)
    }

    #[tokio::test]
    async fn a_good_batch_is_handled_in_order_and_names_nothing() {
        let (report, response, seen) = run(&event(&["1", "2", "3"]), far(), async |_| Ok(())).await;
        assert_eq!((report.handled, response.as_str()), (3, r#"{"batchItemFailures":[]}"#));
        assert_eq!(seen, ["1", "2", "3"]);
    }

    #[tokio::test]
    async fn a_poison_record_stops_the_checkpoint_before_it() {
        let fails = async |number: &str| match number {
            "2" => Err(RecordError::invalid("bad")),
            _ => Ok(()),
        };
        let (report, response, seen) = run(&event(&["1", "2", "3"]), far(), fails).await;
        assert_eq!((report.handled, response.as_str()), (1, r#"{"batchItemFailures":[{"itemIdentifier":"2"}]}"#));
        assert_eq!(seen, ["1", "2"], "nothing behind the failure is started");
    }

    #[tokio::test]
    async fn a_panic_is_one_records_failure() {
        let fails = async |number: &str| {
            assert!(number != "2", "a bug");
            Ok(())
        };
        let (report, response, _) = run(&event(&["1", "2"]), far(), fails).await;
        assert_eq!(report.failed.unwrap().error.kind(), RecordErrorKind::Panicked);
        assert_eq!(response, r#"{"batchItemFailures":[{"itemIdentifier":"2"}]}"#);
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_that_runs_over_the_deadline_is_cancelled_and_named() {
        let slow = async |number: &str| {
            let seconds = if number == "2" { 100 } else { 1 };
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(())
        };
        let deadline = Deadline::after(Duration::from_secs(10), Duration::from_secs(1));
        let started = tokio::time::Instant::now();
        let (report, response, _) = run(&event(&["1", "2", "3"]), deadline, slow).await;
        assert_eq!(report.failed.unwrap().error.kind(), RecordErrorKind::DeadlineExceeded);
        assert_eq!(response, r#"{"batchItemFailures":[{"itemIdentifier":"2"}]}"#);
        assert_eq!(started.elapsed().as_secs(), 9, "one second before Lambda's deadline");
    }

    #[tokio::test(start_paused = true)]
    async fn no_record_is_started_after_the_deadline() {
        let slow = async |_: &str| {
            tokio::time::sleep(Duration::from_secs(9)).await;
            Ok(())
        };
        let deadline = Deadline::after(Duration::from_secs(10), Duration::from_secs(1));
        let (report, response, seen) = run(&event(&["1", "2"]), deadline, slow).await;
        assert_eq!((report.handled, seen.len()), (1, 1), "the second was not started");
        assert_eq!(response, r#"{"batchItemFailures":[{"itemIdentifier":"2"}]}"#);
    }

    #[tokio::test]
    async fn a_record_without_a_sequence_number_keeps_the_progress_before_it() {
        let event = event(&["1", "2"]).replace(r#""2""#, "null");
        let (report, response, seen) = run(&event, far(), async |_| Ok(())).await;
        assert_eq!((report.handled, seen.len()), (1, 1), "what cannot be named is not handled");
        assert_eq!(response, r#"{"batchItemFailures":[{"itemIdentifier":"1"}]}"#);
    }

    #[tokio::test]
    async fn a_batch_in_which_nothing_can_be_named_is_a_function_error() {
        let event = event(&["1", "2"]).replace(r#""1""#, r#""""#);
        let (_, error, seen) = run(&event, far(), async |_| Ok(())).await;
        assert!(error.contains("record 0") && error.contains("kinesis.sequenceNumber"), "{error}");
        assert!(seen.is_empty());
    }

    #[tokio::test]
    async fn an_event_that_is_no_batch_is_a_function_error() {
        for event in ["", "not json", "{}", "[]", r#"{"Records":{}}"#] {
            let (report, error, _) = run(event, far(), async |_| Ok(())).await;
            assert!(report.response.is_err(), "{event:?} was taken for a batch");
            assert!(error.contains(r#"expected a JSON event `{"Records":[...]}`"#), "{error}");
        }
        let (report, _, _) = run(r#"{"Records":[]}"#, far(), async |_| Ok(())).await;
        assert!(report.response.is_ok(), "an empty batch is handled");
    }
}
