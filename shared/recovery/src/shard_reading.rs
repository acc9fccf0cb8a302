//! Which call comes next on a shard, and what its answer means: the ranges of one shard, read in as few calls as the service
//! allows. It decides only; who calls it asks the service, waits, and writes.
//!
//! Ranges are read from the lowest position on. A GetRecords call that begins at a position which is wanted, and takes all
//! that the service gives, is as good as a call can be: so reading goes on from page to page while something that is
//! wanted is close, and jumps over what is not.

use crate::{Page, Position, ReadEnd, ReadError, ReadErrorKind, ShardIterator};
use records::{SequenceNumber, StreamKind, StreamRecord};
use std::sync::Arc;

/// How far reading may go. Whatever is beyond is an error, never a silent end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Pages without a record in a row before reading gives up.
    pub empty_pages: u32,
    /// Empty pages in a row, each with the hint that the reader is at the tip, before the tip is believed.
    ///
    /// Only a range that the stream has trimmed, with nothing written since, ends this way. It is no proof yet.
    pub empty_pages_at_tip: u32,
    /// How often reading may begin anew: an iterator expired, or the position was trimmed on the way.
    pub restarts: u32,
    /// Pages in all. Reading from the trim horizon may pass a day of records.
    pub pages: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { empty_pages: 500, empty_pages_at_tip: 10, restarts: 10, pages: 10_000 }
    }
}

/// Records that one GetRecords call gives at most.
const fn page_max(kind: StreamKind) -> u32 {
    match kind {
        StreamKind::Kinesis => 10_000,
        StreamKind::DynamoDb => 1_000,
    }
}

/// Records asked for where it is not known how many are needed. It leaves the mapping, which reads from the same two
/// megabytes a second, the larger share.
pub(crate) const PAGE_MODEST: u32 = 1_000;

/// About what a record takes in memory beside its payload.
const RECORD_BYTES: usize = 300;

/// Ranges of one shard from which on a page is asked for whole, before anything is known of what lies between them.
const MANY_RANGES: usize = 10;

/// A call to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Ask for an iterator.
    Iterator(Position),
    /// Read a page of at most `limit` records.
    Page {
        /// Where.
        iterator: ShardIterator,
        /// How many records at most.
        limit: u32,
    },
}

/// Why a range was not read to a provable end. Another attempt may succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeFailure {
    /// A call failed.
    Call(ReadError),
    /// A bound was met.
    Bound {
        /// The bound.
        count: u32,
        /// What it counts.
        what: &'static str,
    },
}

/// Records between these two may have been there, and were trimmed before they could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The last record read in front of the gap.
    pub after: SequenceNumber,
    /// The first record read behind it.
    pub before: SequenceNumber,
}

/// One range, as far as it is read.
#[derive(Debug)]
pub struct RangeReading {
    /// First position, inclusive. Of the rest of a range it is the last one that is safe already.
    pub start: SequenceNumber,
    /// Last position, inclusive.
    pub end: SequenceNumber,
    /// Records that the range should hold, at least.
    pub expected: u64,
    /// Records found and not yet taken.
    pub records: Vec<Arc<StreamRecord>>,
    /// Bytes in them.
    pub held_bytes: usize,
    /// Number of records found.
    pub found: u64,
    /// The first one's position.
    pub first: Option<SequenceNumber>,
    /// The last one's position.
    pub last: Option<SequenceNumber>,
    /// Where records were trimmed between two that were read. Their number is not known.
    pub gaps: Vec<Gap>,
    /// Why reading ended.
    pub ended: Option<Result<ReadEnd, RangeFailure>>,
    /// Of the rest of a range: `start` has not been seen again yet.
    unseen_start: bool,
}

impl RangeReading {
    /// A range of which nothing is read.
    #[must_use]
    pub fn new(start: SequenceNumber, end: SequenceNumber, expected: u64) -> Self {
        Self {
            start,
            end,
            expected,
            records: Vec::new(),
            held_bytes: 0,
            found: 0,
            first: None,
            last: None,
            gaps: Vec::new(),
            ended: None,
            unseen_start: false,
        }
    }

    /// The rest of a range that began at `first`, and of which `found` records up to `start`, inclusive, are safe.
    #[must_use]
    pub fn resumed(self, first: SequenceNumber, found: u64) -> Self {
        Self { found, first: Some(first), last: Some(self.start.clone()), unseen_start: true, ..self }
    }

    /// Takes the records found since the last time.
    pub fn take_records(&mut self) -> Vec<Arc<StreamRecord>> {
        self.held_bytes = 0;
        std::mem::take(&mut self.records)
    }

    fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    fn absorb(&mut self, record: &Arc<StreamRecord>, gap_after: Option<&SequenceNumber>) {
        let position = record.sequence_number();
        if *position <= self.end {
            self.keep(record, gap_after);
        }
        if *position >= self.end {
            self.ended = Some(Ok(ReadEnd::EndSeen));
        }
    }

    fn keep(&mut self, record: &Arc<StreamRecord>, gap_after: Option<&SequenceNumber>) {
        let position = record.sequence_number();
        let resumed = std::mem::take(&mut self.unseen_start);
        if resumed && *position == self.start {
            return;
        }
        // A restart has lost what was behind the last record; so has a rest whose first record is not the one it names.
        let after = gap_after.filter(|after| **after >= self.start).or(resumed.then_some(&self.start));
        if let Some(after) = after {
            self.gaps.push(Gap { after: after.clone(), before: position.clone() });
        }
        self.found += 1;
        self.held_bytes += record.payload_bytes() + RECORD_BYTES;
        self.first.get_or_insert_with(|| position.clone());
        self.last = Some(position.clone());
        self.records.push(Arc::clone(record));
    }
}

/// Reads the ranges of one shard.
#[derive(Debug)]
pub struct ShardReading {
    /// By their starts.
    pub ranges: Vec<RangeReading>,
    /// No range before this one is open.
    open_from: usize,
    kind: StreamKind,
    bounds: Bounds,
    iterator: Option<ShardIterator>,
    /// The last record that the service gave, wanted or not.
    last_seen: Option<SequenceNumber>,
    /// After a restart: the last record before it. Until it is seen again, what follows it may be missing.
    unconfirmed: Option<SequenceNumber>,
    /// The last page with more than one record: how far it went, and how many they were.
    density: Option<(f64, f64)>,
    next_is_horizon: bool,
    /// The stream may trim while it is read: each page is joined to the one before it.
    is_expiring: bool,
    /// After the service said that a position is trimmed: the range whose end is asked for next. If that is trimmed too,
    /// nothing of the range is left.
    probing: Option<usize>,
    pages: u32,
    empty_pages: u32,
    empty_pages_at_tip: u32,
    restarts: u32,
}

impl ShardReading {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(kind: StreamKind, mut ranges: Vec<RangeReading>, bounds: Bounds) -> Self {
        ranges.sort_by(|one, other| one.start.cmp(&other.start).then_with(|| one.end.cmp(&other.end)));
        Self {
            ranges,
            open_from: 0,
            kind,
            bounds,
            iterator: None,
            last_seen: None,
            unconfirmed: None,
            density: None,
            next_is_horizon: false,
            is_expiring: false,
            probing: None,
            pages: 0,
            empty_pages: 0,
            empty_pages_at_tip: 0,
            restarts: 0,
        }
    }

    /// The stream may trim its records while they are read. Kinesis leaves them out of the next page without a word, and
    /// where a range holds more than its batch, first, last and count do not show it. So each page begins at the last
    /// record of the one before, which costs an iterator more and no read.
    #[must_use]
    pub fn of_expiring_records(mut self) -> Self {
        // DynamoDB says so.
        self.is_expiring = self.kind == StreamKind::Kinesis;
        self
    }

    /// The next call; `None` when every range has ended.
    pub fn next_call(&mut self) -> Option<Call> {
        let next = self.lowest_open()?;
        if let Some(iterator) = self.iterator.take() {
            let limit = if self.probing.is_some() { 1 } else { self.limit() };
            return Some(Call::Page { iterator, limit });
        }
        Some(Call::Iterator(match self.probing {
            Some(range) => Position::At(self.ranges[range].end.clone()),
            None if std::mem::take(&mut self.next_is_horizon) => Position::TrimHorizon,
            // At the last record and not behind it: seeing it again proves that nothing behind it was trimmed in the
            // meantime, which Kinesis does without a word.
            None => Position::At(self.active_at().unwrap_or(&self.ranges[next].start).clone()),
        }))
    }

    /// Whether the last page was empty, so that it is better to wait.
    #[must_use]
    pub fn was_empty(&self) -> bool {
        self.empty_pages > 0
    }

    /// Takes an iterator in.
    pub fn absorb_iterator(&mut self, iterator: ShardIterator) {
        self.iterator = Some(iterator);
    }

    /// Takes a page in.
    pub fn absorb_page(&mut self, page: Page) {
        if self.probing.take().is_some() {
            // The end of the range is there: what is left of it is behind the trim horizon.
            self.next_is_horizon = true;
            self.restart();
            return;
        }
        self.pages += 1;
        let seen_before = self.last_seen.clone();
        let (is_empty, at_tip) = (page.records.is_empty(), page.at_tip);
        self.measure(&page.records);
        page.records.into_iter().for_each(|record| self.absorb_record(record));
        self.iterator = page.next;
        if self.iterator.is_none() {
            return self.end_all(Ok(ReadEnd::ShardClosed));
        }
        if self.pages >= self.bounds.pages {
            return self.end_all(bound(self.bounds.pages, "pages"));
        }
        self.count_empty(is_empty, at_tip);
        if is_empty {
            return;
        }
        match self.active_at() {
            None if !self.is_next_close() => self.iterator = None,
            // A page that brought nothing new would begin there again.
            Some(last) if self.is_expiring && self.last_seen != seen_before => {
                self.unconfirmed = Some(last.clone());
                self.iterator = None;
            }
            _ => {}
        }
    }

    /// Takes a failure in that asking again does not help.
    pub fn absorb_error(&mut self, error: ReadError) {
        match error.kind {
            ReadErrorKind::ExpiredIterator => self.restart(),
            ReadErrorKind::Trimmed => match self.probing.take() {
                None => self.probing = self.lowest_open(),
                Some(range) => self.end_trimmed(range),
            },
            ReadErrorKind::Gone => self.end_all(Ok(ReadEnd::Gone)),
            ReadErrorKind::ForeignPosition => self.fail_at_position(&error),
            ReadErrorKind::Throttled | ReadErrorKind::Transient | ReadErrorKind::Other => {
                self.end_all(Err(RangeFailure::Call(error)));
            }
        }
        self.iterator = None;
    }

    fn lowest_open(&self) -> Option<usize> {
        let open = self.ranges.iter().skip(self.open_from).position(RangeReading::is_open);
        open.map(|index| index + self.open_from)
    }

    /// The last record seen, if a range that is open holds its position.
    fn active_at(&self) -> Option<&SequenceNumber> {
        let last = self.last_seen.as_ref()?;
        let mut begun = self.ranges.iter().skip(self.open_from).take_while(|range| range.start <= *last);
        begun.any(RangeReading::is_open).then_some(last)
    }

    fn absorb_record(&mut self, record: StreamRecord) {
        let position = record.sequence_number();
        if let Some(last) = self.last_seen.as_ref().filter(|last| position <= *last) {
            self.unconfirmed.take_if(|_| position == last);
            return;
        }
        let gap_after = self.unconfirmed.take();
        let record = Arc::new(record);
        let position = record.sequence_number();
        let begun = self.ranges.iter_mut().skip(self.open_from).take_while(|range| range.start <= *position);
        begun.filter(|range| range.is_open()).for_each(|range| range.absorb(&record, gap_after.as_ref()));
        self.open_from = self.lowest_open().unwrap_or(self.ranges.len());
        self.last_seen = Some(position.clone());
    }

    fn measure(&mut self, records: &[StreamRecord]) {
        if let [first, .., last] = records {
            let distance = first.sequence_number().distance_to(last.sequence_number());
            self.density = Some((distance, records.len() as f64)).filter(|(distance, _)| *distance > 0.0);
        }
    }

    /// Whether the next page is likely to hold the next position that is wanted. Then an iterator of its own would cost a
    /// call and save nothing.
    fn is_next_close(&self) -> bool {
        let (Some(next), Some(last), Some((distance, _))) = (self.lowest_open(), &self.last_seen, self.density) else {
            return false;
        };
        last.distance_to(&self.ranges[next].start) <= distance
    }

    fn limit(&self) -> u32 {
        let max = page_max(self.kind);
        let mut open = self.ranges.iter().skip(self.open_from).filter(|range| range.is_open());
        let Some(first) = open.next() else { return 1 };
        let others = open.clone().count();
        let last = open.next_back().unwrap_or(first);
        // The last record of what is safe already is read again.
        let missing = first.expected.saturating_sub(first.found).max(1) + u64::from(first.unseen_start);
        let missing = u32::try_from(missing).unwrap_or(max).min(max);
        if self.pages == 0 && others == 0 {
            // The batch alone, if it is as it should be.
            return missing;
        }
        let from = self.last_seen.as_ref().unwrap_or(&first.start);
        let needed = match self.density {
            // A quarter more than it should take, for records do not come evenly.
            Some((distance, records)) => (1.25 * from.distance_to(&last.end) / distance * records) as u32,
            None if others + 1 >= MANY_RANGES => max,
            None => PAGE_MODEST,
        };
        needed.max(missing).max(PAGE_MODEST).min(max)
    }

    /// An empty page alone ends nothing.
    fn count_empty(&mut self, is_empty: bool, at_tip: bool) {
        self.empty_pages = if is_empty { self.empty_pages + 1 } else { 0 };
        self.empty_pages_at_tip = if is_empty && at_tip { self.empty_pages_at_tip + 1 } else { 0 };
        if self.empty_pages_at_tip >= self.bounds.empty_pages_at_tip {
            self.end_all(Ok(ReadEnd::TipReached));
        } else if self.empty_pages >= self.bounds.empty_pages {
            self.end_all(bound(self.bounds.empty_pages, "empty pages in a row"));
        }
    }

    fn restart(&mut self) {
        self.iterator = None;
        self.restarts += 1;
        if self.restarts > self.bounds.restarts {
            self.end_all(bound(self.bounds.restarts, "restarts"));
        }
        self.unconfirmed = self.active_at().cloned();
    }

    /// The end of a range is trimmed, and so is everything before it.
    fn end_trimmed(&mut self, range: usize) {
        let trimmed = self.ranges[range].end.clone();
        let gone = self.ranges.iter_mut().filter(|range| range.is_open() && range.end <= trimmed);
        gone.for_each(|range| range.ended = Some(Ok(ReadEnd::Trimmed)));
    }

    /// The position asked for is none of this shard's: that is said of the ranges it was asked for, and of no other.
    fn fail_at_position(&mut self, error: &ReadError) {
        let Some(next) = self.lowest_open() else { return };
        let asked = self.active_at().unwrap_or(&self.ranges[next].start).clone();
        let begun = self.ranges.iter_mut().filter(|range| range.is_open() && range.start <= asked);
        begun.for_each(|range| range.ended = Some(Err(RangeFailure::Call(error.clone()))));
        self.probing = None;
    }

    fn end_all(&mut self, end: Result<ReadEnd, RangeFailure>) {
        let open = self.ranges.iter_mut().filter(|range| range.is_open());
        open.for_each(|range| range.ended = Some(end.clone()));
    }
}

fn bound(count: u32, what: &'static str) -> Result<ReadEnd, RangeFailure> {
    Err(RangeFailure::Bound { count, what })
}

#[cfg(test)]
mod tests;
