//! A stream, a sink and surroundings in memory: the honest twins of the services, for tests and simulations.
//!
//! The stream behaves as the services do where it hurts: short pages, empty pages with more behind them, iterators that
//! expire, trimming that Kinesis keeps to itself and DynamoDB reports.

mod surroundings;

pub use surroundings::MemorySurroundings;

use crate::{
    Page, Position, ReadError, ReadErrorKind, ShardIterator, Sink, SinkEntry, SinkError, StreamReader, StreamSummary,
};
#[cfg(test)]
use records::ShardRange;
use records::{EpochMillis, KinesisRecord, SequenceNumber, ShardId, StreamArn, StreamRecord};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long the stream in memory says it keeps records.
pub const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// One shard of a Kinesis stream.
#[derive(Debug)]
pub struct MemoryStream {
    records: Vec<StreamRecord>,
    trimmed: usize,
    trim_later: Option<(u32, usize)>,
    page_size: usize,
    empty_pages: u32,
    expire_after_pages: Option<u32>,
    trimming_is_an_error: bool,
    closed: bool,
    tip_hint: bool,
    created: Option<EpochMillis>,
    failing: Option<ReadErrorKind>,
    iterators: AtomicU32,
    pages: AtomicU32,
}

impl MemoryStream {
    /// A shard with records at these sequence numbers; each holds one byte.
    #[must_use]
    pub fn with(sequence_numbers: &[&str]) -> Self {
        Self {
            records: sequence_numbers.iter().filter_map(|text| record(text, 1)).collect(),
            trimmed: 0,
            trim_later: None,
            page_size: usize::MAX,
            empty_pages: 0,
            expire_after_pages: None,
            trimming_is_an_error: false,
            closed: false,
            tip_hint: true,
            created: None,
            failing: None,
            iterators: AtomicU32::new(0),
            pages: AtomicU32::new(0),
        }
    }

    /// Every record holds this many bytes.
    #[must_use]
    pub fn payload_bytes(mut self, bytes: usize) -> Self {
        self.records = self.records.iter().filter_map(|old| record(old.sequence_number().as_str(), bytes)).collect();
        self
    }

    /// Pages hold at most this many records, whatever was asked for.
    #[must_use]
    pub fn page_size(mut self, records: usize) -> Self {
        self.page_size = records;
        self
    }

    /// This many empty pages come before each page with records.
    #[must_use]
    pub fn empty_pages_between(mut self, pages: u32) -> Self {
        self.empty_pages = pages;
        self
    }

    /// An iterator gives this many pages and then expires.
    #[must_use]
    pub fn expire_after_pages(mut self, pages: u32) -> Self {
        self.expire_after_pages = Some(pages);
        self
    }

    /// The oldest records are trimmed.
    #[must_use]
    pub fn trim(mut self, records: usize) -> Self {
        self.trimmed = records;
        self
    }

    /// The oldest records are trimmed once this many pages were read; iterators in use fail where trimming is an error.
    #[must_use]
    pub fn trim_after_pages(mut self, pages: u32, records: usize) -> Self {
        self.trim_later = Some((pages, records));
        self
    }

    /// A trimmed position is an error, as on DynamoDB; otherwise reading begins at the oldest record left.
    #[must_use]
    pub fn trimming_is_an_error(mut self) -> Self {
        self.trimming_is_an_error = true;
        self
    }

    /// The shard is closed: after its last record there is no next iterator.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.closed = true;
        self
    }

    /// Pages do not say when they are the newest.
    #[must_use]
    pub fn without_tip_hint(mut self) -> Self {
        self.tip_hint = false;
        self
    }

    /// The stream was created then: it may be another one of the same name.
    #[must_use]
    pub fn created(mut self, moment: EpochMillis) -> Self {
        self.created = Some(moment);
        self
    }

    /// Every page fails.
    #[must_use]
    pub fn failing(mut self, kind: ReadErrorKind) -> Self {
        self.failing = Some(kind);
        self
    }

    /// How many iterators and pages were asked for.
    #[must_use]
    pub fn calls(&self) -> (u32, u32) {
        (self.iterators.load(Relaxed), self.pages.load(Relaxed))
    }

    /// How many of the oldest records are gone by now.
    fn trimmed(&self, pages_read: u32) -> usize {
        match self.trim_later {
            Some((pages, records)) if pages_read >= pages => records,
            _ => self.trimmed,
        }
    }

    fn index_of(&self, position: &Position) -> Result<usize, ReadError> {
        let first_not_before = |number: &SequenceNumber| self.records.partition_point(|r| r.sequence_number() < number);
        let trimmed = self.trimmed(self.pages.load(Relaxed));
        let index = match position {
            Position::TrimHorizon => return Ok(trimmed),
            Position::Latest => self.records.len(),
            Position::At(number) => first_not_before(number),
            Position::After(number) => self.records.partition_point(|r| r.sequence_number() <= number),
        };
        if index < trimmed && self.trimming_is_an_error {
            return Err(error(ReadErrorKind::Trimmed));
        }
        Ok(index.max(trimmed))
    }

    fn page_at(&self, token: Token, limit: u32) -> Result<Page, ReadError> {
        if self.expire_after_pages.is_some_and(|pages| token.pages >= pages) {
            return Err(error(ReadErrorKind::ExpiredIterator));
        }
        let trimmed = self.trimmed(self.pages.load(Relaxed) - 1);
        if token.index < trimmed && self.trimming_is_an_error {
            return Err(error(ReadErrorKind::Trimmed));
        }
        let token = Token { index: token.index.max(trimmed), ..token };
        let at_tip = |index: usize| self.tip_hint && index >= self.records.len();
        if token.empty_pages < self.empty_pages {
            let next = Token { empty_pages: token.empty_pages + 1, ..token };
            return Ok(Page { records: Vec::new(), next: Some(next.write()), at_tip: at_tip(token.index) });
        }
        let end = token.index.saturating_add(self.page_size.min(limit as usize)).min(self.records.len());
        let records = self.records[token.index.min(end)..end].to_vec();
        let next = Token { index: end, empty_pages: 0, pages: token.pages + 1 };
        let next = (!self.closed || end < self.records.len()).then(|| next.write());
        Ok(Page { records, next, at_tip: at_tip(end) })
    }
}

impl StreamReader for MemoryStream {
    async fn iterator(
        &self,
        _stream: &StreamArn,
        _shard: &ShardId,
        position: &Position,
    ) -> Result<ShardIterator, ReadError> {
        self.iterators.fetch_add(1, Relaxed);
        Ok(Token { index: self.index_of(position)?, empty_pages: 0, pages: 0 }.write())
    }

    async fn summary(&self, _stream: &StreamArn) -> Result<StreamSummary, ReadError> {
        Ok(StreamSummary { retention: RETENTION, created: self.created })
    }

    async fn page(&self, _stream: &StreamArn, iterator: &ShardIterator, limit: u32) -> Result<Page, ReadError> {
        self.pages.fetch_add(1, Relaxed);
        match self.failing {
            Some(kind) => Err(error(kind)),
            None => self.page_at(Token::read(iterator).ok_or_else(|| error(ReadErrorKind::Other))?, limit),
        }
    }
}

/// What an iterator of the twin says.
#[derive(Clone, Copy)]
struct Token {
    index: usize,
    empty_pages: u32,
    pages: u32,
}

impl Token {
    fn write(self) -> ShardIterator {
        ShardIterator(format!("{}:{}:{}", self.index, self.empty_pages, self.pages))
    }

    fn read(iterator: &ShardIterator) -> Option<Self> {
        let mut parts = iterator.0.split(':');
        Some(Self {
            index: parts.next()?.parse().ok()?,
            empty_pages: parts.next()?.parse().ok()?,
            pages: parts.next()?.parse().ok()?,
        })
    }
}

fn error(kind: ReadErrorKind) -> ReadError {
    ReadError { kind, message: format!("the stream in memory answers {kind:?}") }
}

fn record(sequence_number: &str, bytes: usize) -> Option<StreamRecord> {
    Some(StreamRecord::Kinesis(KinesisRecord {
        sequence_number: SequenceNumber::parse(sequence_number).ok()?,
        partition_key: "key".to_owned(),
        data: vec![b'x'; bytes],
        approximate_arrival: Some(EpochMillis(1_767_225_600_000)),
        encryption_type: None,
    }))
}

/// Keeps what is written to it.
#[derive(Debug, Default)]
pub struct MemorySink {
    entries: Mutex<Vec<SinkEntry>>,
    failing: bool,
    too_large: Option<&'static str>,
}

impl MemorySink {
    /// A sink that takes nothing.
    #[must_use]
    pub fn failing() -> Self {
        Self { failing: true, ..Self::default() }
    }

    /// A sink for which entries are too large whose id ends so.
    #[must_use]
    pub fn refusing(id_ending: &'static str) -> Self {
        Self { too_large: Some(id_ending), ..Self::default() }
    }

    /// What was written, in order.
    #[must_use]
    pub fn entries(&self) -> Vec<SinkEntry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sink for MemorySink {
    async fn write(&self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        if self.failing {
            let (count, of) = (entries.len(), entries.len());
            return Err(SinkError::Failed { count, of, sink: "memory".to_owned(), reason: "told to fail".to_owned() });
        }
        let is_too_large = |entry: &&SinkEntry| self.too_large.is_some_and(|ending| entry.id.ends_with(ending));
        let (too_large, fitting): (Vec<&SinkEntry>, Vec<&SinkEntry>) = entries.iter().partition(is_too_large);
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).extend(fitting.into_iter().cloned());
        match too_large.iter().map(|entry| entry.body.len()).max() {
            None => Ok(()),
            Some(largest) => {
                let (count, of, limit) = (too_large.len(), entries.len(), largest.saturating_sub(1));
                Err(SinkError::TooLarge { count, of, limit, largest })
            }
        }
    }
}

#[cfg(test)]
pub(crate) fn number(text: &str) -> SequenceNumber {
    SequenceNumber::parse(text).unwrap()
}

#[cfg(test)]
pub(crate) fn records(numbers: &[&str]) -> Vec<StreamRecord> {
    numbers.iter().filter_map(|number| record(number, 1)).collect()
}

#[cfg(test)]
pub(crate) fn numbers(records: &[StreamRecord]) -> Vec<String> {
    records.iter().map(|record| record.sequence_number().to_string()).collect()
}

#[cfg(test)]
pub(crate) fn range(start: &str, end: &str) -> ShardRange {
    let stream = StreamArn::parse("arn:aws:kinesis:us-east-1:111122223333:stream/orders").unwrap();
    ShardRange::new(stream, ShardId::parse("shardId-0").unwrap(), number(start), number(end)).unwrap()
}
