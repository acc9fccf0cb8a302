//! What became of each record: the books in which everything has to add up.
//!
//! The books are kept from outside: what the producer put in, what the mappings saw, what arrived in the recovered
//! queue. No function is asked.

use crate::recorder::Recorder;
use crate::report::{Report, SourceReport};
use crate::workload::{KinesisPayload, TableChange, TableWrite};
use event_source_mapping::{Action, FunctionResult, Shard};
use records::{AttributeValue, Item, SequenceNumber, ShardId, StreamKind, StreamRecord};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use timeline::Timeline;

/// The books of both sources.
#[derive(Debug, Default)]
pub struct Books {
    ledgers: Mutex<Ledgers>,
    recorder: Option<Recorder>,
}

#[derive(Debug, Default)]
struct Ledgers {
    kinesis: Ledger,
    dynamodb: Ledger,
    hydrator_invocations: u64,
    waiting_messages: u64,
}

#[derive(Debug, Default)]
struct Ledger {
    entries: HashMap<Identity, Entry>,
    /// Records that were put in under the identity of another one.
    ambiguous: u64,
    tally: Tally,
}

/// How far a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Records put in.
    pub produced: u64,
    /// Records that a function handled.
    pub handled: u64,
    /// Records that an on-failure message speaks of.
    pub dead_lettered: u64,
    /// Records that are back with their payload.
    pub recovered: u64,
    /// Records that a loss report speaks of.
    pub lost: u64,
    /// Records that a mapping gave up without being able to tell anybody.
    pub dropped: u64,
    /// Invocations of the processor that reached it.
    pub invocations: u64,
}

/// What names a record for the producer and for the stream alike: shard and sequence number on Kinesis, the item and the
/// kind of change on DynamoDB, whose writes do not say where they end up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity(String);

/// What a record holds, as one text of bytes that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Content(Vec<u8>);

/// One record's page.
#[derive(Debug, Default)]
struct Entry {
    produced: Option<Content>,
    position: Option<(ShardId, SequenceNumber)>,
    handled: u32,
    dead_lettered: u32,
    recovered: Vec<Content>,
    lost: bool,
    dropped: bool,
    /// The producer made it so that no processor should handle it.
    poison: bool,
}

impl Entry {
    fn is_identical(&self) -> bool {
        let produced = self.produced.as_ref();
        !self.recovered.is_empty() && self.recovered.iter().all(|content| Some(content) == produced)
    }

    fn is_accounted_for(&self) -> bool {
        self.handled > 0 || !self.recovered.is_empty() || self.lost
    }
}

/// A record of the recovered queue, as far as the books need it.
pub(crate) struct RecoveredEvent {
    pub kind: StreamKind,
    pub identity: String,
    pub content: Vec<u8>,
}

impl Books {
    /// Books that tell a recorder what they are told.
    #[must_use]
    pub fn with_recorder(recorder: Recorder) -> Self {
        Self { recorder: Some(recorder), ..Self::default() }
    }

    /// What was recorded, if there is a recorder.
    #[must_use]
    pub fn timeline(&self) -> Option<Timeline> {
        self.recorder.as_ref().map(Recorder::timeline)
    }

    /// A Kinesis record is in its stream.
    pub(crate) fn produced_on_kinesis(&self, shard: &ShardId, number: &SequenceNumber, payload: &KinesisPayload) {
        let identity = Identity(kinesis_identity(shard.as_str(), number.as_str()));
        let content = Content(kinesis_content(&payload.partition_key, &payload.data));
        self.produced(StreamKind::Kinesis, identity, content, payload.poison);
    }

    /// A write to the table is done.
    pub(crate) fn produced_on_dynamodb(&self, write: &TableWrite) {
        let (name, new, old) = match &write.change {
            TableChange::Insert { new } => ("INSERT", Some(new), None),
            TableChange::Modify { old, new } => ("MODIFY", Some(new), Some(old)),
            TableChange::Remove { old } => ("REMOVE", None, Some(old)),
        };
        let identity = Identity(dynamodb_identity(new.or(old), name));
        self.produced(StreamKind::DynamoDb, identity, Content(dynamodb_content(new, old)), write.poison);
    }

    fn produced(&self, kind: StreamKind, identity: Identity, content: Content, poison: bool) {
        let mut ledgers = self.ledgers();
        let ledger = ledgers.of(kind);
        let entry = ledger.entries.entry(identity).or_default();
        let twice = entry.produced.replace(content).is_some();
        entry.poison = poison;
        ledger.tally.produced += 1;
        ledger.ambiguous += u64::from(twice);
    }

    /// A mapping read the record.
    pub(crate) fn polled(&self, kind: StreamKind, shard: &ShardId, record: &StreamRecord) {
        let position = (shard.clone(), record.sequence_number().clone());
        self.ledgers().of(kind).entry(shard, record).position = Some(position);
        if let Some(recorder) = &self.recorder {
            recorder.polled(kind, shard, record.sequence_number(), record.arrival());
        }
    }

    /// A shard of a mapping begins something, or is done with something.
    pub(crate) fn acts<R: event_source_mapping::StreamRecord>(
        &self,
        kind: StreamKind,
        shard: &Shard<R>,
        action: &Action,
    ) {
        if let Some(recorder) = &self.recorder {
            recorder.acts(kind, shard, action);
        }
    }

    /// An invocation has ended.
    pub(crate) fn responded(&self, kind: StreamKind, shard: &ShardId, slot: usize, result: &FunctionResult) {
        if let Some(recorder) = &self.recorder {
            recorder.responded(kind, shard, slot, result);
        }
    }

    /// A mapping invoked a function.
    pub(crate) fn invoked(&self, kind: StreamKind) {
        self.ledgers().of(kind).tally.invocations += 1;
    }

    /// The queue's mapping invoked the hydrator.
    pub(crate) fn hydrator_invoked(&self) {
        self.ledgers().hydrator_invocations += 1;
    }

    /// A function said that it handled the record.
    pub(crate) fn handled(&self, kind: StreamKind, shard: &ShardId, record: &StreamRecord) {
        let mut ledgers = self.ledgers();
        let ledger = ledgers.of(kind);
        ledger.entry(shard, record).handled += 1;
        ledger.tally.handled += 1;
    }

    /// The on-failure queue took a message that speaks of the record.
    pub(crate) fn dead_lettered(&self, kind: StreamKind, shard: &ShardId, record: &StreamRecord) {
        let mut ledgers = self.ledgers();
        let ledger = ledgers.of(kind);
        ledger.entry(shard, record).dead_lettered += 1;
        ledger.tally.dead_lettered += 1;
    }

    /// A mapping gave the record up and could tell nobody: nothing accounts for it.
    pub(crate) fn dropped(&self, kind: StreamKind, shard: &ShardId, record: &StreamRecord) {
        let mut ledgers = self.ledgers();
        let ledger = ledgers.of(kind);
        ledger.entry(shard, record).dropped = true;
        ledger.tally.dropped += 1;
    }

    /// The recovered queue held the record.
    pub(crate) fn recovered(&self, event: RecoveredEvent) {
        let mut ledgers = self.ledgers();
        let ledger = ledgers.of(event.kind);
        let entry = ledger.entries.entry(Identity(event.identity)).or_default();
        let first = entry.recovered.is_empty();
        let content = Content(event.content);
        // A second delivery of the same is the right of a standard queue; only what differs is worth keeping.
        if !entry.recovered.contains(&content) {
            entry.recovered.push(content);
        }
        if let (Some(recorder), Some((shard, number))) = (&self.recorder, &entry.position) {
            recorder.accounted(event.kind, shard, number, false);
        }
        ledger.tally.recovered += u64::from(first);
    }

    /// The recovered queue held a loss report over `[start, end]` of the shard: what was dead-lettered there and has not
    /// come back is lost.
    pub(crate) fn lost(&self, kind: StreamKind, shard: &ShardId, start: &SequenceNumber, end: &SequenceNumber) {
        let mut ledgers = self.ledgers();
        let ledger = ledgers.of(kind);
        for entry in ledger.entries.values_mut() {
            let inside =
                entry.position.as_ref().is_some_and(|(at, number)| at == shard && start <= number && number <= end);
            if inside && !entry.is_accounted_for() && entry.dead_lettered > 0 {
                entry.lost = true;
                ledger.tally.lost += 1;
                if let (Some(recorder), Some((shard, number))) = (&self.recorder, &entry.position) {
                    recorder.accounted(kind, shard, number, true);
                }
            }
        }
    }

    /// Messages that the hydrator could not finish wait in its dead-letter queue.
    pub(crate) fn messages_waiting(&self, count: u64) {
        self.ledgers().waiting_messages = count;
    }

    /// How far a source is.
    #[must_use]
    pub fn tally(&self, kind: StreamKind) -> Tally {
        self.ledgers().of(kind).tally
    }

    /// Whether every record that is in so far has ended.
    pub(crate) fn are_closed(&self) -> bool {
        let ledgers = self.ledgers();
        let ledgers = [&ledgers.kinesis, &ledgers.dynamodb];
        ledgers.into_iter().all(|ledger| ledger.entries.values().all(Entry::is_accounted_for))
    }

    /// Closes the books.
    #[must_use]
    pub fn report(&self, duration: Duration) -> Report {
        let ledgers = self.ledgers();
        Report {
            kinesis: ledgers.kinesis.report(),
            dynamodb: ledgers.dynamodb.report(),
            hydrator_invocations: ledgers.hydrator_invocations,
            waiting_messages: ledgers.waiting_messages,
            seconds: duration.as_secs_f64(),
        }
    }

    fn ledgers(&self) -> MutexGuard<'_, Ledgers> {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledgers {
    fn of(&mut self, kind: StreamKind) -> &mut Ledger {
        match kind {
            StreamKind::Kinesis => &mut self.kinesis,
            StreamKind::DynamoDb => &mut self.dynamodb,
        }
    }
}

impl Ledger {
    fn entry(&mut self, shard: &ShardId, record: &StreamRecord) -> &mut Entry {
        let identity = match record {
            StreamRecord::Kinesis(record) => kinesis_identity(shard.as_str(), record.sequence_number.as_str()),
            StreamRecord::DynamoDb(record) => dynamodb_identity(Some(&record.keys), event_name(record.event_name)),
        };
        self.entries.entry(Identity(identity)).or_default()
    }

    fn report(&self) -> SourceReport {
        let count = |is: fn(&Entry) -> bool| self.entries.values().filter(|entry| is(entry)).count() as u64;
        SourceReport {
            produced: count(|entry| entry.produced.is_some()),
            handled: count(|entry| entry.handled > 0),
            dead_lettered: count(|entry| entry.dead_lettered > 0),
            recovered: count(|entry| !entry.recovered.is_empty()),
            identical: count(Entry::is_identical),
            lost: count(|entry| entry.lost && entry.recovered.is_empty()),
            duplicates: count(|entry| entry.handled > 1 || (entry.handled > 0 && entry.dead_lettered > 0)),
            invocations: self.tally.invocations,
            unaccounted: count(|entry| !entry.is_accounted_for()),
            unknown: count(|entry| entry.produced.is_none()) + self.ambiguous,
            poison_handled: count(|entry| entry.poison && entry.handled > 0),
        }
    }
}

pub(crate) fn kinesis_identity(shard: &str, sequence_number: &str) -> String {
    format!("{shard}:{sequence_number}")
}

pub(crate) fn dynamodb_identity(item: Option<&Item>, event_name: &str) -> String {
    match item.and_then(|item| item.get(crate::stack::TABLE_KEY)) {
        Some(AttributeValue::S(key)) => format!("{event_name}:{key}"),
        _ => format!("{event_name}:"),
    }
}

fn event_name(name: records::EventName) -> &'static str {
    match name {
        records::EventName::Insert => "INSERT",
        records::EventName::Modify => "MODIFY",
        records::EventName::Remove => "REMOVE",
    }
}

/// Key and data, told apart by the key's length.
pub(crate) fn kinesis_content(partition_key: &str, data: &[u8]) -> Vec<u8> {
    [&partition_key.len().to_be_bytes(), partition_key.as_bytes(), data].concat()
}

/// Both images as typed JSON, attributes in the order of their names.
pub(crate) fn dynamodb_content(new: Option<&Item>, old: Option<&Item>) -> Vec<u8> {
    serde_json::to_vec(&(new, old)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::{EpochMillis, KinesisRecord};

    fn shard() -> ShardId {
        ShardId::parse("shardId-0").unwrap()
    }

    fn number(text: &str) -> SequenceNumber {
        SequenceNumber::parse(text).unwrap()
    }

    fn record(text: &str) -> StreamRecord {
        StreamRecord::Kinesis(KinesisRecord {
            sequence_number: number(text),
            partition_key: "key".to_owned(),
            data: text.as_bytes().to_vec(),
            approximate_arrival: Some(EpochMillis(0)),
            encryption_type: None,
        })
    }

    fn books_with(numbers: &[&str]) -> Books {
        let books = Books::default();
        for text in numbers {
            let payload =
                KinesisPayload { partition_key: "key".to_owned(), data: (*text).into(), poison: *text == "666" };
            books.produced_on_kinesis(&shard(), &number(text), &payload);
            books.polled(StreamKind::Kinesis, &shard(), &record(text));
        }
        books
    }

    fn recover(books: &Books, text: &str, data: &[u8]) {
        books.recovered(RecoveredEvent {
            kind: StreamKind::Kinesis,
            identity: kinesis_identity("shardId-0", text),
            content: kinesis_content("key", data),
        });
    }

    fn report(books: &Books) -> SourceReport {
        books.report(Duration::ZERO).kinesis
    }

    #[test]
    fn a_record_that_nobody_saw_again_is_unaccounted_for() {
        let books = books_with(&["1", "2", "3"]);
        books.handled(StreamKind::Kinesis, &shard(), &record("1"));
        books.dead_lettered(StreamKind::Kinesis, &shard(), &record("2"));
        assert_eq!(report(&books).unaccounted, 2, "a message alone brings no record back");
        recover(&books, "2", b"2");
        assert!(!books.are_closed());
        assert_eq!((report(&books).unaccounted, report(&books).identical), (1, 1));
    }

    #[test]
    fn one_byte_more_or_less_is_not_identical() {
        let books = books_with(&["1"]);
        recover(&books, "1", b"1 ");
        assert_eq!((report(&books).recovered, report(&books).identical), (1, 0));
        recover(&books, "1", b"1");
        assert_eq!(report(&books).identical, 0, "one wrong copy is one too many");
    }

    #[test]
    fn a_loss_report_covers_what_was_dead_lettered_in_its_range_only() {
        let books = books_with(&["9", "10", "11"]);
        for text in ["9", "10"] {
            books.dead_lettered(StreamKind::Kinesis, &shard(), &record(text));
        }
        books.lost(StreamKind::Kinesis, &shard(), &number("9"), &number("11"));
        assert_eq!((report(&books).lost, report(&books).unaccounted), (2, 1));
    }

    #[test]
    fn a_record_handled_twice_or_handled_and_dead_lettered_is_a_duplicate() {
        let books = books_with(&["1", "2", "3"]);
        for text in ["1", "1", "2", "3"] {
            books.handled(StreamKind::Kinesis, &shard(), &record(text));
        }
        books.dead_lettered(StreamKind::Kinesis, &shard(), &record("2"));
        assert_eq!(report(&books).duplicates, 2);
    }

    #[test]
    fn a_dropped_record_is_unaccounted_for_since_nobody_was_told() {
        let books = books_with(&["1"]);
        books.dropped(StreamKind::Kinesis, &shard(), &record("1"));
        assert_eq!((report(&books).lost, report(&books).unaccounted), (0, 1));
        assert!(!books.report(Duration::ZERO).holds());
    }

    #[test]
    fn poison_that_a_processor_handled_does_not_pass() {
        let books = books_with(&["666"]);
        books.handled(StreamKind::Kinesis, &shard(), &record("666"));
        assert_eq!(report(&books).poison_handled, 1);
        assert!(!books.report(Duration::ZERO).holds());
    }

    #[test]
    fn two_records_under_one_identity_do_not_count_as_one() {
        let books = books_with(&["1", "1"]);
        assert_eq!(report(&books).unknown, 1);
    }

    #[test]
    fn a_record_that_nobody_produced_is_unknown() {
        let books = books_with(&[]);
        recover(&books, "5", b"5");
        assert_eq!(report(&books).unknown, 1);
    }
}
