//! Aggregated records: what the Kinesis Producer Library packs into one Kinesis record.
//!
//! Four bytes of magic, a protobuf message, and the MD5 of the message. Sub-records count from 0 and share the sequence
//! number of the outer record, so whoever fails one of them can only name the outer one.

use md5::{Digest, Md5};
use prost::Message;
use thiserror::Error;

/// The first bytes of an aggregated record.
pub const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

/// Length of the MD5 behind the message, in bytes.
const DIGEST_BYTES: usize = 16;

/// One record that a producer put, out of an aggregated one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubRecord {
    /// The key that the producer gave.
    pub partition_key: String,
    /// The hash key that the producer gave in the partition key's place, a decimal number.
    pub explicit_hash_key: Option<String>,
    /// The payload. If it looks like an aggregated record it is none: there is no recursion.
    pub data: Vec<u8>,
}

/// An aggregated record, undamaged by its MD5, that names a key which is not in its tables.
///
/// The Kinesis Client Library logs this and drops the sub-records from the bad one on. Here it is an error of the record,
/// so that they are retried and dead-lettered like anything else that cannot be handled.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("sub-record {sub_sequence_number} of the aggregated record names {table} key {index} of {count}")]
pub struct KplError {
    sub_sequence_number: usize,
    table: &'static str,
    index: u64,
    count: usize,
}

#[derive(Clone, PartialEq, Message)]
struct AggregatedRecord {
    #[prost(string, repeated, tag = "1")]
    partition_key_table: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    explicit_hash_key_table: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    records: Vec<Record>,
}

/// Optional fields, so that a required one that is missing can be told from an empty one.
#[derive(Clone, PartialEq, Message)]
struct Record {
    #[prost(uint64, optional, tag = "1")]
    partition_key_index: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    explicit_hash_key_index: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "3")]
    data: Option<Vec<u8>>,
}

/// Takes an aggregated record apart, or says with `None` that the data is to be handed through as it is: another magic,
/// nothing between magic and MD5, a bad MD5, or a message that is no protobuf of that shape.
///
/// # Errors
///
/// When a sub-record names a key that is not there.
pub fn disaggregate(data: &[u8]) -> Result<Option<Vec<SubRecord>>, KplError> {
    let Some(AggregatedRecord { partition_key_table, explicit_hash_key_table, records }) = decode(data) else {
        return Ok(None);
    };
    let sub_record = |(sub_sequence_number, record): (usize, Record)| {
        let key = |table: &'static str, keys: &[String], index: u64| {
            let key = usize::try_from(index).ok().and_then(|index| keys.get(index));
            key.cloned().ok_or(KplError { sub_sequence_number, table, index, count: keys.len() })
        };
        let explicit = record.explicit_hash_key_index;
        Ok(SubRecord {
            partition_key: key("partition", &partition_key_table, record.partition_key_index.unwrap_or_default())?,
            explicit_hash_key: explicit
                .map(|index| key("explicit hash", &explicit_hash_key_table, index))
                .transpose()?,
            data: record.data.unwrap_or_default(),
        })
    };
    records.into_iter().enumerate().map(sub_record).collect::<Result<_, _>>().map(Some)
}

fn decode(data: &[u8]) -> Option<AggregatedRecord> {
    let packed = data.strip_prefix(&MAGIC)?;
    let length = packed.len().checked_sub(DIGEST_BYTES).filter(|length| *length > 0)?;
    let (message, digest) = packed.split_at(length);
    if Md5::digest(message).as_slice() != digest {
        return None;
    }
    let decoded = AggregatedRecord::decode(message).ok()?;
    let complete = |record: &Record| record.partition_key_index.is_some() && record.data.is_some();
    decoded.records.iter().all(complete).then_some(decoded)
}

/// Packs records as the producer library does: for tests and for whoever writes a producer.
#[must_use]
pub fn aggregate(records: &[SubRecord]) -> Vec<u8> {
    let mut packed = AggregatedRecord::default();
    for record in records {
        let partition_key_index = index_of(&mut packed.partition_key_table, &record.partition_key);
        let explicit = record.explicit_hash_key.as_ref();
        let explicit_hash_key_index = explicit.map(|key| index_of(&mut packed.explicit_hash_key_table, key));
        let partition_key_index = Some(partition_key_index);
        packed.records.push(Record { partition_key_index, explicit_hash_key_index, data: Some(record.data.clone()) });
    }
    let message = packed.encode_to_vec();
    [&MAGIC, message.as_slice(), Md5::digest(&message).as_slice()].concat()
}

fn index_of(table: &mut Vec<String>, key: &str) -> u64 {
    let index = table.iter().position(|known| known == key).unwrap_or_else(|| {
        table.push(key.to_owned());
        table.len() - 1
    });
    index as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sub_record(key: &str, hash_key: Option<&str>, data: &[u8]) -> SubRecord {
        SubRecord { partition_key: key.to_owned(), explicit_hash_key: hash_key.map(str::to_owned), data: data.to_vec() }
    }

    fn sealed(message: &[u8]) -> Vec<u8> {
        [&MAGIC, message, Md5::digest(message).as_slice()].concat()
    }

    #[test]
    fn what_was_packed_comes_apart_in_order() {
        let records = [
            sub_record("a", None, b"one"),
            sub_record("b", Some("340282366920938463463374607431768211455"), b""),
            sub_record("a", None, &[0, 0xff]),
        ];
        assert_eq!(disaggregate(&aggregate(&records)), Ok(Some(records.to_vec())));
    }

    #[test]
    fn the_layout_on_the_wire_is_the_documented_one() {
        // Key table "k"; one record of key 0 with data "d".
        let message = [0x0a, 1, b'k', 0x1a, 5, 0x08, 0, 0x1a, 1, b'd'];
        assert_eq!(disaggregate(&sealed(&message)), Ok(Some(vec![sub_record("k", None, b"d")])));
        assert_eq!(aggregate(&[sub_record("k", None, b"d")]), sealed(&message));
    }

    #[test]
    fn a_payload_that_is_aggregated_itself_is_not_taken_apart() {
        let inner = aggregate(&[sub_record("a", None, b"one")]);
        let outer = [sub_record("b", None, &inner)];
        assert_eq!(disaggregate(&aggregate(&outer)), Ok(Some(outer.to_vec())));
    }

    #[test]
    fn what_is_not_aggregated_is_handed_through() {
        let good = aggregate(&[sub_record("a", None, b"one")]);
        let mut other_magic = good.clone();
        other_magic[3] ^= 1;
        let mut bad_digest = good.clone();
        *bad_digest.last_mut().unwrap() ^= 1;
        let trailing = [good.as_slice(), &[0]].concat();
        let missing_data = sealed(&[0x0a, 1, b'k', 0x1a, 2, 0x08, 0]);
        let no_protobuf = sealed(&[0xff, 0xff, 0xff]);
        let no_message = sealed(&[]);
        for data in [&other_magic, &bad_digest, &trailing, &missing_data, &no_protobuf, &no_message] {
            assert_eq!(disaggregate(data), Ok(None), "{data:x?}");
        }
        for data in [&b""[..], b"{}", &MAGIC, &good[..3], &good[..good.len() - 1]] {
            assert_eq!(disaggregate(data), Ok(None), "{data:x?}");
        }
    }

    #[test]
    fn a_key_that_is_not_in_its_table_is_an_error_and_drops_nothing_in_silence() {
        let message = [0x0a, 1, b'k', 0x1a, 5, 0x08, 3, 0x1a, 1, b'd'];
        let error = disaggregate(&sealed(&message)).unwrap_err().to_string();
        assert_eq!(error, "sub-record 0 of the aggregated record names partition key 3 of 1");
        let message = [0x0a, 1, b'k', 0x1a, 7, 0x08, 0, 0x10, 2, 0x1a, 1, b'd'];
        assert!(disaggregate(&sealed(&message)).unwrap_err().to_string().contains("explicit hash key 2 of 0"));
    }

    #[test]
    fn an_aggregate_of_nothing_holds_nothing() {
        assert_eq!(disaggregate(&sealed(&[0x0a, 1, b'k'])), Ok(Some(Vec::new())));
    }
}
