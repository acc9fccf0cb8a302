//! Which hash keys belong to a shard.

use std::ops::RangeInclusive;
use thiserror::Error;

/// The hash keys of a shard, from the first to the last, both inclusive. A record goes to the shard in whose range the MD5
/// of its partition key lies, or the explicit hash key that its producer gave instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashKeyRange(RangeInclusive<u128>);

/// Two texts are no range of hash keys.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "expected two hash keys, decimal numbers below 2^128 of which the first is not larger, got {start:?} and {end:?}"
)]
pub struct HashKeyRangeError {
    start: String,
    end: String,
}

impl HashKeyRange {
    /// All hash keys: the range of a stream's only shard.
    pub const ALL: Self = Self(0..=u128::MAX);

    /// Parses the decimal numbers that `ListShards` gives: `StartingHashKey` and `EndingHashKey`.
    ///
    /// # Errors
    ///
    /// When one of the texts is no decimal number below 2^128, or the range ends before its start.
    pub fn parse(start: &str, end: &str) -> Result<Self, HashKeyRangeError> {
        match (parse_hash_key(start), parse_hash_key(end)) {
            (Some(first), Some(last)) if first <= last => Ok(Self(first..=last)),
            _ => Err(HashKeyRangeError { start: start.to_owned(), end: end.to_owned() }),
        }
    }

    /// Whether a hash key lies in the range.
    #[must_use]
    pub fn contains(&self, hash_key: u128) -> bool {
        self.0.contains(&hash_key)
    }
}

fn parse_hash_key(text: &str) -> Option<u128> {
    // Rust takes a plus sign for a part of the number.
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_belong_to_the_range() {
        let range = HashKeyRange::parse("1", "340282366920938463463374607431768211455").unwrap();
        assert!(range.contains(1) && range.contains(u128::MAX) && !range.contains(0));
        assert!(HashKeyRange::parse("7", "7").unwrap().contains(7));
        assert_eq!(HashKeyRange::parse("0", "340282366920938463463374607431768211455"), Ok(HashKeyRange::ALL));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for (start, end) in
            [("", "1"), ("0", "-1"), ("2", "1"), ("+1", "2"), ("0", "340282366920938463463374607431768211456")]
        {
            let error = HashKeyRange::parse(start, end).unwrap_err().to_string();
            assert!(error.ends_with(&format!("got {start:?} and {end:?}")), "{error}");
        }
    }
}
