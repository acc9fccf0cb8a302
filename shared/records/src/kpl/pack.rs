//! Packing records, as the producer library does.

use super::wire::{put_bytes, put_number};
use super::{MAGIC, SubRecord};
use md5::{Digest, Md5};
use std::collections::HashMap;

/// Packs records into one: for tests and for whoever writes a producer.
#[must_use]
pub fn aggregate(records: &[SubRecord<'_>]) -> Vec<u8> {
    let mut packed = MAGIC.to_vec();
    let (mut partition_keys, mut explicit_hash_keys) = (Keys::default(), Keys::default());
    for record in records {
        partition_keys.number(&mut packed, 1, record.partition_key);
    }
    for key in records.iter().filter_map(|record| record.explicit_hash_key) {
        explicit_hash_keys.number(&mut packed, 2, key);
    }
    let mut message = Vec::new();
    for record in records {
        message.clear();
        put_number(&mut message, 1, partition_keys.number(&mut packed, 1, record.partition_key));
        if let Some(key) = record.explicit_hash_key {
            put_number(&mut message, 2, explicit_hash_keys.number(&mut packed, 2, key));
        }
        put_bytes(&mut message, 3, record.data);
        put_bytes(&mut packed, 3, &message);
    }
    let digest = Md5::digest(&packed[MAGIC.len()..]);
    packed.extend_from_slice(&digest);
    packed
}

/// The keys of a table, by their positions in it.
#[derive(Default)]
struct Keys<'a>(HashMap<&'a str, u64>);

impl<'a> Keys<'a> {
    /// The position of a key, which is written into the table when it is new.
    fn number(&mut self, packed: &mut Vec<u8>, table: u8, key: &'a str) -> u64 {
        let next = self.0.len() as u64;
        *self.0.entry(key).or_insert_with(|| {
            put_bytes(packed, table, key.as_bytes());
            next
        })
    }
}
