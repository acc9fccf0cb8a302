//! Whether a sub-record is where it belongs: its keys in their tables, its hash key in the shard.

use super::LeftOut;
use super::Slot;
use super::message::{Message, Record, Table};
use crate::HashKeyRange;
use md5::{Digest, Md5};

/// What is known of a message's keys. A key is looked at once: many sub-records can name one key, and in a hostile message
/// it would be a long one.
pub(super) struct Placement<'a> {
    message: &'a Message,
    shard: &'a HashKeyRange,
    partition_keys: Vec<Option<Place>>,
    explicit_hash_keys: Vec<Option<Place>>,
}

/// Where the hash key of a key lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Inside,
    Outside,
    /// The explicit hash key is no number.
    Nowhere,
}

impl<'a> Placement<'a> {
    pub(super) fn new(message: &'a Message, shard: Option<&'a HashKeyRange>) -> Self {
        let explicit_hash_keys = vec![None; message.explicit_hash_keys.len()];
        // Every MD5 lies in the range of all hash keys: it need not be made.
        let unknown = if shard.is_some() { None } else { Some(Place::Inside) };
        let partition_keys = vec![unknown; message.partition_keys.len()];
        Self { message, shard: shard.unwrap_or(&HashKeyRange::ALL), partition_keys, explicit_hash_keys }
    }

    /// Finds the place of a sub-record, looking at its parts in the order of the Kinesis Client Library.
    pub(super) fn of(&mut self, position: usize, record: &Record) -> Result<Slot, LeftOut> {
        let count = self.message.count();
        let find = |table, keys: &Table, index| {
            let missing = LeftOut::NoSuchKey { position, count, table, index, keys: keys.len() };
            keys.position(index).ok_or(missing)
        };
        let partition_keys = &self.message.partition_keys;
        let partition_key = find("partition", partition_keys, record.partition_key)?;
        let explicit_keys = &self.message.explicit_hash_keys;
        let explicit = record.explicit_hash_key.map(|index| find("explicit hash", explicit_keys, index)).transpose()?;
        let place = match explicit {
            Some(key) => known(&mut self.explicit_hash_keys, explicit_keys, key, |key| explicit_place(key, self.shard)),
            None => known(&mut self.partition_keys, partition_keys, partition_key, |key| hashed_place(key, self.shard)),
        };
        match place {
            Place::Inside => Ok(Slot::new(partition_key, explicit, &record.data)),
            Place::Outside => Err(LeftOut::OutsideOfShard { position, count }),
            Place::Nowhere => Err(LeftOut::NoHashKey { position, count }),
        }
    }
}

fn known(places: &mut [Option<Place>], keys: &Table, key: u32, find: impl FnOnce(&str) -> Place) -> Place {
    let text = || keys.get(key).unwrap_or_default();
    match places.get_mut(key as usize) {
        Some(place) => *place.get_or_insert_with(|| find(text())),
        None => find(text()),
    }
}

fn hashed_place(partition_key: &str, shard: &HashKeyRange) -> Place {
    let hash_key = u128::from_be_bytes(Md5::digest(partition_key).into());
    if shard.contains(hash_key) { Place::Inside } else { Place::Outside }
}

/// By the rules of Java's `BigInteger`: a sign may be there, and no number is too large for it.
fn explicit_place(text: &str, shard: &HashKeyRange) -> Place {
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Place::Nowhere;
    }
    let value =
        digits.iter().try_fold(0_u128, |value, digit| value.checked_mul(10)?.checked_add((digit - b'0').into()));
    match value {
        Some(value) if shard.contains(value) && !(is_negative && value > 0) => Place::Inside,
        _ => Place::Outside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explicit_hash_keys_are_numbers_as_java_reads_them() {
        let half = HashKeyRange::parse("0", "170141183460469231731687303715884105727").unwrap();
        let check = |text: &str, in_half, in_all| {
            assert_eq!(
                (explicit_place(text, &half), explicit_place(text, &HashKeyRange::ALL)),
                (in_half, in_all),
                "{text}"
            );
        };
        check("0", Place::Inside, Place::Inside);
        check("-0", Place::Inside, Place::Inside);
        check("+0005", Place::Inside, Place::Inside);
        check("170141183460469231731687303715884105727", Place::Inside, Place::Inside);
        check("170141183460469231731687303715884105728", Place::Outside, Place::Inside);
        check("340282366920938463463374607431768211455", Place::Outside, Place::Inside);
        check("340282366920938463463374607431768211456", Place::Outside, Place::Outside);
        check("-1", Place::Outside, Place::Outside);
        for no_number in ["", "-", "+", "+-1", "1.0", "1e3", " 1", "abc", "0x1"] {
            check(no_number, Place::Nowhere, Place::Nowhere);
        }
    }

    #[test]
    fn a_partition_key_lies_where_its_md5_does() {
        // MD5("a") is 0cc175b9c0f1b6a831c399e269772661.
        let around = |start: u128, end: u128| HashKeyRange::parse(&start.to_string(), &end.to_string()).unwrap();
        let hash = 0x0cc1_75b9_c0f1_b6a8_31c3_99e2_6977_2661;
        assert_eq!(hashed_place("a", &around(hash, hash)), Place::Inside);
        assert_eq!(hashed_place("a", &around(0, hash - 1)), Place::Outside);
        assert_eq!(hashed_place("a", &around(hash + 1, u128::MAX)), Place::Outside);
    }
}
