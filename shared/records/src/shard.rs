//! Shards, and ranges of records in them.

use crate::{SequenceNumber, StreamArn};
use std::fmt;
use thiserror::Error;

/// The name of a shard, such as `shardId-000000000001` or `shardId-00000001573689847184-864758bb`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(Box<str>);

/// Why a text is no shard id.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected a shard id of 1 to 128 letters, digits, `_`, `.` and `-`, got {0:?}")]
pub struct ShardIdError(String);

impl ShardId {
    /// Parses a shard id, by the character set of the Kinesis API reference.
    ///
    /// # Errors
    ///
    /// When the text is empty, longer than 128 characters or holds another character.
    pub fn parse(text: &str) -> Result<Self, ShardIdError> {
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if text.is_empty() || text.len() > 128 || !text.chars().all(known) {
            return Err(ShardIdError(text.to_owned()));
        }
        Ok(Self(text.into()))
    }

    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an on-failure message names: the records of one shard from `start` to `end`, both inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardRange {
    stream: StreamArn,
    shard: ShardId,
    start: SequenceNumber,
    end: SequenceNumber,
}

/// The end of a range lies before its start.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected a range that ends at or after its start, got start {start} and end {end}")]
pub struct ShardRangeError {
    start: SequenceNumber,
    end: SequenceNumber,
}

impl ShardRange {
    /// Builds the range `[start, end]`.
    ///
    /// # Errors
    ///
    /// When `end` is smaller than `start`.
    pub fn new(
        stream: StreamArn,
        shard: ShardId,
        start: SequenceNumber,
        end: SequenceNumber,
    ) -> Result<Self, ShardRangeError> {
        if end < start {
            return Err(ShardRangeError { start, end });
        }
        Ok(Self { stream, shard, start, end })
    }

    /// The stream that holds the shard.
    #[must_use]
    pub fn stream(&self) -> &StreamArn {
        &self.stream
    }

    /// The shard that holds the records.
    #[must_use]
    pub fn shard(&self) -> &ShardId {
        &self.shard
    }

    /// The first record's position.
    #[must_use]
    pub fn start(&self) -> &SequenceNumber {
        &self.start
    }

    /// The last record's position.
    #[must_use]
    pub fn end(&self) -> &SequenceNumber {
        &self.end
    }
}

impl fmt::Display for ShardRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}] of `{}` in `{}`", self.start, self.end, self.shard, self.stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_runs_backwards_is_refused() {
        let stream = StreamArn::parse("arn:aws:kinesis:us-east-1:111122223333:stream/orders").unwrap();
        let number = |text| SequenceNumber::parse(text).unwrap();
        let range = |start, end| {
            ShardRange::new(stream.clone(), ShardId::parse("shardId-0").unwrap(), number(start), number(end))
        };
        assert!(range("9", "10").is_ok(), "9 and 10 are compared as numbers");
        assert!(range("10", "10").is_ok(), "one record is a range");
        assert!(range("10", "9").is_err());
    }

    #[test]
    fn a_shard_id_with_foreign_characters_is_refused() {
        assert!(ShardId::parse("shardId-00000001573689847184-864758bb").is_ok());
        for bad in ["", "shard id", "a/b", "a\nb"] {
            assert!(ShardId::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
