//! The protobuf message of an aggregated record.
//!
//! ```proto
//! message AggregatedRecord {
//!   repeated string partition_key_table = 1;
//!   repeated string explicit_hash_key_table = 2;
//!   repeated Record records = 3;
//! }
//! message Record {
//!   required uint64 partition_key_index = 1;
//!   optional uint64 explicit_hash_key_index = 2;
//!   required bytes data = 3;
//!   repeated Tag tags = 4;
//! }
//! message Tag {
//!   required string key = 1;
//!   optional string value = 2;
//! }
//! ```

use super::wire::{Fields, Malformed, Value};
use std::ops::Range;

/// A message that has that shape, with its keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    place: Range<usize>,
    count: usize,
    pub(super) partition_keys: Table,
    pub(super) explicit_hash_keys: Table,
}

/// A table of keys: their texts one behind the other, and where each ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    text: String,
    ends: Vec<u32>,
}

/// A sub-record as the message has it: positions in the tables, which may be beyond their ends, and where its data is.
pub(super) struct Record {
    pub(super) partition_key: u64,
    pub(super) explicit_hash_key: Option<u64>,
    pub(super) data: Range<usize>,
}

impl Message {
    /// Reads the message at `place` in the data. `None` when it is no message of that shape.
    pub(super) fn parse(data: &[u8], place: Range<usize>) -> Option<Self> {
        // Places are kept in 32 bits; a Kinesis record has 10 MiB at most.
        u32::try_from(data.len()).ok()?;
        let mut message = Self { place: place.clone(), ..Self::default() };
        let mut fields = Fields::new(data, place);
        while let Some(field) = fields.next().ok()? {
            match field {
                (1, Value::Bytes(key)) => message.partition_keys.push(data.get(key)?)?,
                (2, Value::Bytes(key)) => message.explicit_hash_keys.push(data.get(key)?)?,
                (3, Value::Bytes(record)) => {
                    Record::parse(data, record).ok()??;
                    message.count += 1;
                }
                _ => {}
            }
        }
        Some(message)
    }

    /// How many sub-records there are. Each takes six bytes of the message or more.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The sub-records, read once more: their keys may come behind them.
    pub(super) fn records<'a>(&self, data: &'a [u8]) -> impl Iterator<Item = Record> + use<'a> {
        let mut fields = Fields::new(data, self.place.clone());
        std::iter::from_fn(move || {
            loop {
                if let (3, Value::Bytes(record)) = fields.next().ok()?? {
                    return Record::parse(data, record).ok()?;
                }
            }
        })
    }
}

impl Record {
    /// `None` when something is missing that is required.
    fn parse(data: &[u8], place: Range<usize>) -> Result<Option<Self>, Malformed> {
        let (mut partition_key, mut explicit_hash_key, mut payload) = (None, None, None);
        let mut has_whole_tags = true;
        let mut fields = Fields::new(data, place);
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Varint(index)) => partition_key = Some(index),
                (2, Value::Varint(index)) => explicit_hash_key = Some(index),
                (3, Value::Bytes(place)) => payload = Some(place),
                (4, Value::Bytes(tag)) => has_whole_tags &= has_key(data, tag)?,
                _ => {}
            }
        }
        let required = partition_key.zip(payload).filter(|_| has_whole_tags);
        Ok(required.map(|(partition_key, data)| Self { partition_key, explicit_hash_key, data }))
    }
}

/// Whether a tag has its key.
fn has_key(data: &[u8], place: Range<usize>) -> Result<bool, Malformed> {
    let mut has_key = false;
    let mut fields = Fields::new(data, place);
    while let Some(field) = fields.next()? {
        has_key |= matches!(field, (1, Value::Bytes(_)));
    }
    Ok(has_key)
}

impl Table {
    /// Bytes that are no UTF-8 become replacement characters, as they do in Java.
    fn push(&mut self, key: &[u8]) -> Option<()> {
        self.text.push_str(&String::from_utf8_lossy(key));
        self.ends.push(u32::try_from(self.text.len()).ok()?);
        Some(())
    }

    /// The position, when there is a key.
    pub(super) fn position(&self, index: u64) -> Option<u32> {
        u32::try_from(index).ok().filter(|index| (*index as usize) < self.ends.len())
    }

    pub(super) fn get(&self, position: u32) -> Option<&str> {
        let position = position as usize;
        let end = *self.ends.get(position)?;
        let start = position.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start as usize..end as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes of memory it takes.
    #[cfg(test)]
    pub(super) fn memory_bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}
