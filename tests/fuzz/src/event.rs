//! Any bytes as an event: the engine beside one record after the other.

use crate::verdict::{ByVerdict, Told, Verdict};
use partial_batch::{
    BatchError, BatchReport, BatchResponse, Config, Deadline, DynamoDb, Engine, InvocationContext, Kinesis, Record,
    Source,
};
use records::split_records;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// An event from Kinesis.
pub fn kinesis_event(event: &[u8]) {
    check(event, Kinesis::raw);
    check(event, Kinesis::json::<Value>);
}

/// An event from a table's stream.
pub fn dynamodb_event(event: &[u8]) {
    check(event, DynamoDb::<Value>::new);
}

/// Reads the event both ways, and lets the engine handle it; then again from the checkpoint on, as Lambda does.
pub fn check<S: Source>(event: &[u8], source: impl Fn() -> S)
where
    for<'e> S::Body<'e>: PartialEq + Debug,
    for<'p> S::Payload<'p>: Told,
{
    let handler = ByVerdict::default();
    let engine = Engine::new(source(), &handler, &config());
    let report = block_on(engine.process(event, &invocation()));
    let source = source();
    let Some(records) = read_both_ways(event, &source) else {
        assert!(matches!(report.response, Err(BatchError::Event(_))), "{:?}", report.response);
        return;
    };
    let expected = Expected::of(&records, &source);
    expected.check(event, &records, &report);
    assert_eq!(report.remembered, 0, "a new engine remembers nothing");
    // Of records that say that they are one another, the second is taken for handled when the first was.
    if expected.open.is_none() || !are_told_apart(&records) {
        return;
    }
    handler.forget();
    let again = from(event, expected.comes_again_from);
    let report_again = block_on(engine.process(&again, &invocation()));
    assert_eq!(names(&report_again.response), names(&report.response), "another checkpoint in the next attempt");
    assert!(report_again.failures.iter().all(|failure| failure.attempt > 1 || failure.sequence_number.is_none()));
}

/// The records of the event as the careful way reads them. What the quick way takes, it has to read as well.
pub fn read_both_ways<'e, S: Source>(event: &'e [u8], source: &S) -> Option<Vec<Record<'e, S::Body<'e>>>>
where
    S::Body<'e>: PartialEq + Debug,
{
    let careful = split_records(event).map(|records| records.into_iter().map(|record| source.read_record(record)));
    let careful: Option<Vec<_>> = careful.ok().map(Iterator::collect);
    if let Some(quick) = source.read_event(event) {
        assert_eq!(Some(&quick), careful.as_ref(), "the two ways of reading differ");
    }
    careful
}

/// What has to become of a batch whose records are handled one after the other.
pub struct Expected {
    /// The first record that is not done.
    pub open: Option<usize>,
    /// The record that the response names, where there is one that can be.
    comes_again_from: usize,
    /// What the units before the open record are told by, in order.
    pub handled: Vec<Vec<u8>>,
}

impl Expected {
    /// Handles the records.
    pub fn of<'e, S: Source>(records: &[Record<'e, S::Body<'e>>], source: &S) -> Self
    where
        for<'p> S::Payload<'p>: Told,
    {
        let mut handled = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let Some(units) = units(record, source) else {
                let before = index.saturating_sub(1);
                let comes_again_from = if record.sequence_number.is_ok() { index } else { before };
                return Self { open: Some(index), comes_again_from, handled };
            };
            handled.extend(units);
        }
        Self { open: None, comes_again_from: records.len(), handled }
    }

    /// Whether it is what the engine reports.
    pub fn check<B, R>(&self, event: &[u8], records: &[Record<'_, B>], report: &BatchReport<R>)
    where
        R: Named,
    {
        assert_eq!((report.records, report.quarantined), (records.len(), 0));
        assert_eq!(report.passed, self.open.unwrap_or(records.len()));
        assert_eq!(report.failures.first().map(|failure| failure.index), self.open);
        let number = records.get(self.comes_again_from).map(|record| record.sequence_number.as_deref().ok());
        match (names(&report.response), number) {
            (Some(names), None) => assert_eq!(names, [""; 0]),
            (Some(names), Some(number)) => {
                assert_eq!(names, number.as_slice(), "the response names another record");
                let literally =
                    names.iter().all(|name| event.windows(name.len()).any(|piece| piece == name.as_bytes()));
                assert!(literally || event.contains(&b'\\'), "{names:?} is not in the event");
            }
            (None, number) => {
                assert_eq!((number, self.open), (Some(None), Some(0)), "the response could have named it")
            }
        }
    }
}

/// What the units of the record are told by; `None` when one of them fails.
fn units<'e, S: Source>(record: &Record<'e, S::Body<'e>>, source: &S) -> Option<Vec<Vec<u8>>>
where
    for<'p> S::Payload<'p>: Told,
{
    fn handled(payload: &impl Told) -> Option<Vec<u8>> {
        let bytes = payload.bytes().into_owned();
        matches!(Verdict::of(&bytes), Verdict::Handled { .. }).then_some(bytes)
    }
    let (Ok(_), Ok(body)) = (&record.sequence_number, &record.body) else { return None };
    let Some(parts) = source.parts(body) else {
        let mut buffer = Vec::new();
        let payload = source.payload(body, &mut buffer).ok()?;
        return Some(vec![handled(&payload)?]);
    };
    let units =
        (0..source.part_count(&parts)).map(|index| handled(&source.part_payload(&parts, index)?.ok()?)).collect();
    if source.left_out(&parts).is_some() { None } else { units }
}

/// The records from `index` on, in an event of their own.
fn from(event: &[u8], index: usize) -> Vec<u8> {
    let records = split_records(event).unwrap_or_default();
    let records: Vec<&str> = records.into_iter().skip(index).map(RawValue::get).collect();
    format!("{{\"Records\":[{}]}}", records.join(",")).into_bytes()
}

/// Whether no two records have the same stream, shard and sequence number.
fn are_told_apart<B>(records: &[Record<'_, B>]) -> bool {
    let mut seen = BTreeSet::new();
    let mut numbered = records.iter().filter_map(|record| Some((record, record.sequence_number.as_ref().ok()?)));
    numbered.all(|(record, number)| seen.insert((&record.stream, &record.origin, number)))
}

/// A response, with or without a state beside.
pub trait Named {
    /// The sequence numbers that it names.
    fn names(&self) -> Vec<&str>;
}

impl Named for BatchResponse {
    fn names(&self) -> Vec<&str> {
        self.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
    }
}

/// The sequence numbers that a response names; `None` where the function fails, and Lambda retries everything.
fn names<R: Named>(response: &Result<R, BatchError>) -> Option<Vec<&str>> {
    response.as_ref().ok().map(Named::names)
}

/// Three at once, so that the order is the schedule's to keep.
fn config() -> Config {
    Config { concurrency: NonZeroUsize::MIN.saturating_add(2), ..Config::default() }
}

/// An invocation with more time than any input takes.
pub fn invocation() -> InvocationContext<'static> {
    InvocationContext::until(Deadline::after(Duration::from_secs(600), Duration::ZERO))
}

/// Runs to the end, on one runtime for all inputs.
pub fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_current_thread().enable_time().build().expect("a runtime")).block_on(future)
}
