//! What this environment remembers between invocations: which records behind a checkpoint are handled already, and how
//! often one has failed.
//!
//! A batch that fails comes again from the checkpoint on. With records side by side, and with records that a producer
//! packed together, some behind the checkpoint are done. They are remembered, so that a retry in the same environment
//! does not do them twice. It saves work and promises nothing: another environment knows nothing of it.

use crate::RecordId;
use lru::LruCache;
use std::num::NonZeroUsize;

/// Most records remembered. Five of the largest batches; about 200 bytes each.
pub const RECORDS_MAX: usize = 50_000;

/// Most streams remembered. An environment serves one mapping, and so one stream.
const STREAMS_MAX: usize = 100;

/// Records by their ids, the least recently used forgotten first.
#[derive(Debug)]
pub struct Memory {
    records: LruCache<Box<[u8]>, Fate>,
    /// A stream's ARN is written once; records hold its index.
    streams: Vec<Box<str>>,
    skip_handled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Handled,
    Failed { times: u32 },
}

impl Memory {
    /// A memory of at most [`RECORDS_MAX`] records. Without `skip_handled` it only counts failures.
    #[must_use]
    pub fn new(skip_handled: bool) -> Self {
        Self::with_capacity(skip_handled, NonZeroUsize::new(RECORDS_MAX).unwrap_or(NonZeroUsize::MIN))
    }

    fn with_capacity(skip_handled: bool, capacity: NonZeroUsize) -> Self {
        // Grows with what is put in: most environments never remember anything.
        let mut records = LruCache::unbounded();
        records.resize(capacity);
        Self { records, streams: Vec::new(), skip_handled }
    }

    /// Whether nothing is remembered, so that nobody has to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether the record was handled.
    pub fn is_handled(&mut self, id: &RecordId<'_>) -> bool {
        self.fate(id) == Some(Fate::Handled)
    }

    /// How often the record failed since it was last handled; 0 when that is not known.
    pub fn failures(&mut self, id: &RecordId<'_>) -> u32 {
        match self.fate(id) {
            Some(Fate::Failed { times }) => times,
            _ => 0,
        }
    }

    /// Remembers that a record is handled which will be delivered again.
    pub fn handled(&mut self, id: &RecordId<'_>) {
        if self.skip_handled {
            self.put(id, Fate::Handled);
        }
    }

    /// Remembers that a record failed.
    pub fn failed(&mut self, id: &RecordId<'_>) {
        let times = self.failures(id).saturating_add(1);
        self.put(id, Fate::Failed { times });
    }

    /// Forgets how often a record failed that is done for good.
    pub fn forget_failures(&mut self, id: &RecordId<'_>) {
        if self.failures(id) > 0
            && let Some(stream) = self.stream(id)
        {
            self.records.pop(key(stream, id).as_slice());
        }
    }

    fn fate(&mut self, id: &RecordId<'_>) -> Option<Fate> {
        let stream = self.stream(id)?;
        self.records.get(key(stream, id).as_slice()).copied()
    }

    fn put(&mut self, id: &RecordId<'_>, fate: Fate) {
        let stream = self.stream(id).unwrap_or_else(|| self.add_stream(id));
        self.records.put(key(stream, id).into(), fate);
    }

    fn stream(&self, id: &RecordId<'_>) -> Option<usize> {
        self.streams.iter().position(|stream| **stream == *id.stream)
    }

    fn add_stream(&mut self, id: &RecordId<'_>) -> usize {
        if self.streams.len() == STREAMS_MAX {
            // To forget costs some work done twice, to grow without end costs the environment.
            self.streams.clear();
            self.records.clear();
        }
        self.streams.push(id.stream.into());
        self.streams.len() - 1
    }
}

/// Exact, and no hash: a collision would hide a record that nobody has handled.
fn key(stream: usize, id: &RecordId<'_>) -> Vec<u8> {
    let digits = id.sequence_number.trim_start_matches('0');
    // Counted from 1, with 0 for a record that is one record.
    let sub = id.sub_sequence_number.map_or(0, |sub| u64::from(sub) + 1);
    let mut key = Vec::with_capacity(24 + digits.len() + id.origin.len());
    for number in [stream as u64, sub, digits.len() as u64] {
        key.extend_from_slice(&number.to_le_bytes());
    }
    key.extend_from_slice(digits.as_bytes());
    key.extend_from_slice(id.origin.as_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<'a>(origin: &'a str, number: &'a str, sub: Option<u32>) -> RecordId<'a> {
        RecordId { stream: "stream", origin, sequence_number: number, sub_sequence_number: sub }
    }

    #[test]
    fn a_record_is_known_by_all_of_its_id_and_by_its_number_not_its_text() {
        let mut memory = Memory::new(true);
        assert!(memory.is_empty());
        memory.handled(&id("shard-1", "0012", None));
        memory.handled(&id("shard-1", "13", Some(0)));
        assert!(memory.is_handled(&id("shard-1", "12", None)), "the same number");
        assert!(memory.is_handled(&id("shard-1", "13", Some(0))));
        let others =
            [("shard-2", "12", None), ("shard-1", "12", Some(0)), ("shard-1", "13", None), ("shard-1", "1", None)];
        for (origin, number, sub) in others.into_iter().chain([("shard-1", "13", Some(1))]) {
            assert!(!memory.is_handled(&id(origin, number, sub)), "{origin} {number} {sub:?}");
        }
        let other_stream = RecordId { stream: "other", ..id("shard-1", "12", None) };
        assert!(!memory.is_handled(&other_stream));
    }

    #[test]
    fn failures_are_counted_until_the_record_is_handled() {
        let mut memory = Memory::new(true);
        memory.failed(&id("s", "1", None));
        memory.failed(&id("s", "1", None));
        assert_eq!((memory.failures(&id("s", "1", None)), memory.failures(&id("s", "2", None))), (2, 0));
        assert!(!memory.is_handled(&id("s", "1", None)), "a failure is not handled");
        memory.handled(&id("s", "1", None));
        assert_eq!(memory.failures(&id("s", "1", None)), 0);
    }

    #[test]
    fn who_wants_every_delivery_gets_it() {
        let mut memory = Memory::new(false);
        memory.handled(&id("s", "1", None));
        assert!(!memory.is_handled(&id("s", "1", None)));
        memory.failed(&id("s", "1", None));
        assert_eq!(memory.failures(&id("s", "1", None)), 1, "attempts are known all the same");
    }

    #[test]
    fn the_least_recently_used_is_forgotten_first_and_nothing_grows_without_end() {
        let mut memory = Memory::with_capacity(true, NonZeroUsize::new(2).unwrap());
        memory.handled(&id("s", "1", None));
        memory.handled(&id("s", "2", None));
        assert!(memory.is_handled(&id("s", "1", None)), "asked for, and so used");
        memory.handled(&id("s", "3", None));
        assert!(!memory.is_handled(&id("s", "2", None)));
        assert!(memory.is_handled(&id("s", "1", None)) && memory.is_handled(&id("s", "3", None)));
        for origin in 0..3 {
            memory.handled(&id(&origin.to_string(), "1", None));
        }
        assert_eq!(memory.records.len(), 2);
        let of = |stream| RecordId { stream, ..id("s", "1", None) };
        let names: Vec<String> = (0..=STREAMS_MAX).map(|stream| stream.to_string()).collect();
        names.iter().for_each(|name| memory.handled(&of(name)));
        assert!(memory.streams.len() <= STREAMS_MAX);
        assert!(!memory.is_handled(&of("0")), "an index must not come to mean another stream");
        assert!(memory.is_handled(&of(&names[STREAMS_MAX])));
    }

    #[test]
    fn thousands_of_origins_are_remembered() {
        let mut memory = Memory::new(true);
        let origins: Vec<String> = (0..5_000).map(|n| format!("event-{n}")).collect();
        origins.iter().for_each(|origin| memory.handled(&id(origin, "1", None)));
        assert!(
            origins.iter().all(|origin| memory.is_handled(&id(origin, "1", None))),
            "each change has an id of its own"
        );
    }
}
