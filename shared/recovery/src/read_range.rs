//! From `start` to `end`, through pages, empty pages and expired iterators.

use crate::{Page, Position, ReadError, ReadErrorKind, ShardIterator, StreamReader};
use records::{SequenceNumber, ShardRange, StreamRecord};
use std::time::Duration;
use thiserror::Error;

/// How far reading may go. Whatever is beyond is an error, never a silent end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Pages without a record in a row before reading gives up.
    pub empty_pages: u32,
    /// Empty pages in a row, each with the hint that the reader is at the tip, before the tip is believed.
    ///
    /// Only a range that the stream has trimmed, with nothing written since, ends this way. It is no proof yet.
    pub empty_pages_at_tip: u32,
    /// Bytes of records held in memory.
    pub range_bytes: usize,
    /// How often reading may begin anew: an iterator expired, or the position was trimmed on the way.
    pub restarts: u32,
    /// Pages in all. Reading from the trim horizon may pass a day of records.
    pub pages: u32,
    /// How long to wait after an empty page, so that waiting for the shard leaves the mapping its five reads a second.
    pub empty_page_pause: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            empty_pages: 500,
            empty_pages_at_tip: 10,
            range_bytes: 64 * 1024 * 1024,
            restarts: 10,
            pages: 10_000,
            empty_page_pause: Duration::from_millis(250),
        }
    }
}

/// The records of a range that the stream still has.
#[derive(Debug)]
pub struct RangeReading {
    /// Records from `start` to `end`, in order.
    pub records: Vec<StreamRecord>,
    /// Why reading ended.
    pub end: ReadEnd,
    /// Where records were trimmed between two that were read. Their number is not known.
    pub gaps: Vec<Gap>,
}

/// Records between these two may have been there, and were trimmed before they could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The last record read in front of the gap.
    pub after: SequenceNumber,
    /// The first record read behind it.
    pub before: SequenceNumber,
}

/// Why reading ended. Each but [`ReadEnd::TipReached`] proves that no record of the range is left unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadEnd {
    /// A record at or behind `end` was seen.
    EndSeen,
    /// The shard is closed, and its last record was before `end`.
    ShardClosed,
    /// The service hints that nothing newer is in the shard, again and again, and its last record was before `end`.
    TipReached,
    /// The service says that the shard or the stream is gone.
    Gone,
}

/// A range that could not be read to a provable end. Another attempt may succeed.
#[derive(Debug, Error)]
pub enum RangeError {
    /// A call failed.
    #[error("failed to read {range}: {error}")]
    Read {
        /// The range.
        range: ShardRange,
        /// What the service said.
        error: ReadError,
    },
    /// A bound was met.
    #[error("gave up reading {range}: more than {count} {what}")]
    Bound {
        /// The range.
        range: ShardRange,
        /// The bound.
        count: usize,
        /// What it counts.
        what: &'static str,
    },
}

/// Records asked for in one GetRecords call: all that DynamoDB gives, and on Kinesis what leaves room for the mapping.
const PAGE_LIMIT: u32 = 1_000;

/// Reads all records from the range's start to its end, both inclusive.
///
/// `expected` is the number of records that the range should hold; the first call asks for just as many, because the
/// mapping reads from the same quota. It decides nothing: reading goes on until a record at or behind `end` is seen, or
/// until the service proves that there is none.
///
/// # Errors
///
/// When a call fails or a bound is met.
pub async fn read_range<R: StreamReader>(
    reader: &R,
    range: &ShardRange,
    expected: u64,
    bounds: Bounds,
) -> Result<RangeReading, RangeError> {
    let mut reading = Reading::new(range, bounds);
    let mut limit = u32::try_from(expected).unwrap_or(PAGE_LIMIT).clamp(1, PAGE_LIMIT);
    for _ in 0..bounds.pages {
        let step = reading.next_page(reader, limit).await;
        if let Some(end) = reading.absorb(step)? {
            return Ok(RangeReading { records: reading.records, end, gaps: reading.gaps });
        }
        limit = PAGE_LIMIT;
        if reading.empty_pages > 0 {
            tokio::time::sleep(bounds.empty_page_pause).await;
        }
    }
    Err(reading.bound(bounds.pages as usize, "pages"))
}

struct Reading<'a> {
    range: &'a ShardRange,
    bounds: Bounds,
    records: Vec<StreamRecord>,
    bytes: usize,
    iterator: Option<ShardIterator>,
    empty_pages: u32,
    empty_pages_at_tip: u32,
    restarts: u32,
    start_is_trimmed: bool,
    /// After a restart: the last record that was read before it. Until it is seen again, what follows it may be missing.
    unconfirmed: Option<SequenceNumber>,
    gaps: Vec<Gap>,
}

impl<'a> Reading<'a> {
    fn new(range: &'a ShardRange, bounds: Bounds) -> Self {
        Self {
            range,
            bounds,
            records: Vec::new(),
            bytes: 0,
            iterator: None,
            empty_pages: 0,
            empty_pages_at_tip: 0,
            restarts: 0,
            start_is_trimmed: false,
            unconfirmed: None,
            gaps: Vec::new(),
        }
    }

    async fn next_page<R: StreamReader>(&mut self, reader: &R, limit: u32) -> Result<Page, ReadError> {
        let stream = self.range.stream();
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => reader.iterator(stream, self.range.shard(), &self.position()).await?,
        };
        reader.page(stream, &iterator, limit).await
    }

    /// At the start, or once more at the last record read: seeing it again proves that nothing behind it was trimmed in
    /// the meantime, which Kinesis does without a word. At the oldest record left once DynamoDB said that it trimmed that.
    fn position(&self) -> Position {
        match self.records.last() {
            _ if self.start_is_trimmed => Position::TrimHorizon,
            Some(record) => Position::At(record.sequence_number().clone()),
            None => Position::At(self.range.start().clone()),
        }
    }

    /// Takes the outcome of a call in, and says whether it was the last one.
    fn absorb(&mut self, step: Result<Page, ReadError>) -> Result<Option<ReadEnd>, RangeError> {
        match step {
            Ok(page) => self.absorb_page(page),
            Err(error) => self.absorb_error(error),
        }
    }

    fn absorb_page(&mut self, page: Page) -> Result<Option<ReadEnd>, RangeError> {
        let empty = page.records.is_empty();
        for record in page.records {
            let position = record.sequence_number();
            let read_before = self.records.last().is_some_and(|last| position <= last.sequence_number());
            if position < self.range.start() || read_before {
                self.unconfirmed.take_if(|last| position == last);
                continue;
            }
            if let Some(after) = self.unconfirmed.take() {
                self.gaps.push(Gap { after, before: position.clone() });
            }
            let is_end = position == self.range.end();
            if position > self.range.end() {
                return Ok(Some(ReadEnd::EndSeen));
            }
            self.keep(record)?;
            if is_end {
                return Ok(Some(ReadEnd::EndSeen));
            }
        }
        self.iterator = page.next;
        if self.iterator.is_none() {
            return Ok(Some(ReadEnd::ShardClosed));
        }
        self.count_empty(empty, page.at_tip)
    }

    /// Holds the record in memory.
    fn keep(&mut self, record: StreamRecord) -> Result<(), RangeError> {
        self.bytes += record.payload_bytes();
        if self.bytes > self.bounds.range_bytes {
            return Err(self.bound(self.bounds.range_bytes, "bytes in memory"));
        }
        self.records.push(record);
        Ok(())
    }

    /// An empty page alone ends nothing.
    fn count_empty(&mut self, empty: bool, at_tip: bool) -> Result<Option<ReadEnd>, RangeError> {
        self.empty_pages = if empty { self.empty_pages + 1 } else { 0 };
        self.empty_pages_at_tip = if empty && at_tip { self.empty_pages_at_tip + 1 } else { 0 };
        if self.empty_pages_at_tip >= self.bounds.empty_pages_at_tip {
            return Ok(Some(ReadEnd::TipReached));
        }
        if self.empty_pages >= self.bounds.empty_pages {
            return Err(self.bound(self.bounds.empty_pages as usize, "empty pages in a row"));
        }
        Ok(None)
    }

    fn absorb_error(&mut self, error: ReadError) -> Result<Option<ReadEnd>, RangeError> {
        match error.kind {
            ReadErrorKind::ExpiredIterator => self.restart(),
            ReadErrorKind::Trimmed => {
                self.start_is_trimmed = true;
                self.restart()
            }
            ReadErrorKind::Gone => Ok(Some(ReadEnd::Gone)),
            // Nothing is proven lost by these: the message stays.
            ReadErrorKind::ForeignPosition
            | ReadErrorKind::Throttled
            | ReadErrorKind::Transient
            | ReadErrorKind::Other => Err(RangeError::Read { range: self.range.clone(), error }),
        }
    }

    fn restart(&mut self) -> Result<Option<ReadEnd>, RangeError> {
        self.restarts += 1;
        if self.restarts > self.bounds.restarts {
            return Err(self.bound(self.bounds.restarts as usize, "restarts"));
        }
        self.unconfirmed = self.records.last().map(|record| record.sequence_number().clone());
        Ok(None)
    }

    fn bound(&self, count: usize, what: &'static str) -> RangeError {
        RangeError::Bound { range: self.range.clone(), count, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryStream, numbers, range};

    fn bounds() -> Bounds {
        Bounds {
            empty_pages: 20,
            empty_pages_at_tip: 3,
            range_bytes: 1_000,
            restarts: 3,
            pages: 100,
            empty_page_pause: Duration::ZERO,
        }
    }

    async fn read(
        stream: &MemoryStream,
        start: &str,
        end: &str,
        expected: u64,
    ) -> Result<(Vec<String>, ReadEnd), String> {
        match read_range(stream, &range(start, end), expected, bounds()).await {
            Ok(reading) => Ok((numbers(&reading.records), reading.end)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn found(numbers: &[&str], end: ReadEnd) -> Result<(Vec<String>, ReadEnd), String> {
        Ok((numbers.iter().map(ToString::to_string).collect(), end))
    }

    #[tokio::test]
    async fn a_range_is_read_to_its_end_and_no_further() {
        let stream = MemoryStream::with(&["8", "9", "10", "11", "12"]);
        assert_eq!(read(&stream, "9", "11", 3).await, found(&["9", "10", "11"], ReadEnd::EndSeen));
        assert_eq!(stream.calls(), (1, 1), "one iterator and one page for a batch of the expected size");
    }

    #[tokio::test]
    async fn a_range_with_more_records_than_expected_is_read_whole() {
        let stream = MemoryStream::with(&["1", "2", "3", "4"]);
        assert_eq!(read(&stream, "1", "4", 2).await, found(&["1", "2", "3", "4"], ReadEnd::EndSeen));
    }

    #[tokio::test]
    async fn short_and_empty_pages_end_nothing() {
        let stream = MemoryStream::with(&["1", "2", "3"]).page_size(1).empty_pages_between(5);
        assert_eq!(read(&stream, "1", "3", 3).await, found(&["1", "2", "3"], ReadEnd::EndSeen));
    }

    #[tokio::test]
    async fn an_expired_iterator_is_replaced_at_the_last_record() {
        let stream = MemoryStream::with(&["1", "2", "3"]).page_size(2).expire_after_pages(1);
        assert_eq!(read(&stream, "1", "3", 3).await, found(&["1", "2", "3"], ReadEnd::EndSeen));
    }

    #[tokio::test]
    async fn what_is_trimmed_half_way_leaves_a_gap() {
        let numbers = ["1", "2", "3", "4", "5", "6"];
        // Pages of two; after the first, records up to 4 are trimmed.
        let dynamodb = MemoryStream::with(&numbers).page_size(2).trim_after_pages(1, 4).trimming_is_an_error();
        let kinesis = MemoryStream::with(&numbers).page_size(2).trim_after_pages(1, 4).expire_after_pages(1);
        for stream in [dynamodb, kinesis] {
            let reading = read_range(&stream, &range("1", "6"), 4, bounds()).await.unwrap();
            assert_eq!(crate::memory::numbers(&reading.records), ["1", "2", "5", "6"]);
            let gap = Gap { after: crate::memory::number("2"), before: crate::memory::number("5") };
            assert_eq!(reading.gaps, [gap], "{stream:?}");
        }
    }

    #[tokio::test]
    async fn a_restart_without_trimming_leaves_no_gap() {
        let stream = MemoryStream::with(&["1", "2", "3", "4"]).page_size(2).expire_after_pages(1);
        let reading = read_range(&stream, &range("1", "4"), 4, bounds()).await.unwrap();
        assert_eq!((reading.records.len(), reading.gaps), (4, vec![]));
    }

    #[tokio::test]
    async fn a_trimmed_start_leaves_the_rest() {
        let kinesis = MemoryStream::with(&["1", "2", "3", "4"]).trim(2);
        assert_eq!(read(&kinesis, "1", "3", 3).await, found(&["3"], ReadEnd::EndSeen));
        let dynamodb = MemoryStream::with(&["1", "2", "3", "4"]).trim(2).trimming_is_an_error();
        assert_eq!(read(&dynamodb, "1", "3", 3).await, found(&["3"], ReadEnd::EndSeen));
    }

    #[tokio::test]
    async fn a_range_that_is_trimmed_whole_ends_at_the_next_record_or_the_tip() {
        let followed = MemoryStream::with(&["1", "2", "9"]).trim(2);
        assert_eq!(read(&followed, "1", "2", 2).await, found(&[], ReadEnd::EndSeen));
        let idle = MemoryStream::with(&["1", "2"]).trim(2);
        assert_eq!(read(&idle, "1", "2", 2).await, found(&[], ReadEnd::TipReached));
        let closed = MemoryStream::with(&["1", "2"]).trim(2).closed();
        assert_eq!(read(&closed, "1", "2", 2).await, found(&[], ReadEnd::ShardClosed));
    }

    #[tokio::test]
    async fn without_the_hint_empty_pages_are_an_error_and_no_loss() {
        let stream = MemoryStream::with(&["1", "2"]).trim(2).without_tip_hint();
        let error = read(&stream, "1", "2", 2).await.unwrap_err();
        assert!(error.contains("more than 20 empty pages"), "{error}");
    }

    #[tokio::test]
    async fn what_proves_nothing_is_an_error() {
        for kind in [ReadErrorKind::Throttled, ReadErrorKind::ForeignPosition, ReadErrorKind::Other] {
            let error = read(&MemoryStream::with(&["1"]).failing(kind), "1", "1", 1).await.unwrap_err();
            assert!(error.contains("failed to read [1, 1]"), "{error}");
        }
        let gone = MemoryStream::with(&["1"]).failing(ReadErrorKind::Gone);
        assert_eq!(read(&gone, "1", "1", 1).await, found(&[], ReadEnd::Gone));
        let always_expired = MemoryStream::with(&["1"]).failing(ReadErrorKind::ExpiredIterator);
        assert!(read(&always_expired, "1", "1", 1).await.unwrap_err().contains("more than 3 restarts"));
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let stream = MemoryStream::with(&["1", "2", "3"]).payload_bytes(400);
        let error = read(&stream, "1", "3", 3).await.unwrap_err();
        assert!(error.contains("more than 1000 bytes in memory"), "{error}");
    }

    #[tokio::test]
    async fn numbers_of_unequal_length_are_compared_as_numbers() {
        let stream = MemoryStream::with(&["99", "100", "101"]);
        assert_eq!(read(&stream, "99", "100", 2).await, found(&["99", "100"], ReadEnd::EndSeen));
    }
}
