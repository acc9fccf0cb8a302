//! Our reading of the message beside that of `prost`.

use super::{MAGIC, SubRecord, aggregate, disaggregate};
use md5::{Digest, Md5};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;

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

type Owned = (String, Option<String>, Vec<u8>);

fn owned(record: SubRecord<'_>) -> Owned {
    (record.partition_key.to_owned(), record.explicit_hash_key.map(str::to_owned), record.data.to_vec())
}

fn sealed(message: &[u8]) -> Vec<u8> {
    [&MAGIC, message, Md5::digest(message).as_slice()].concat()
}

/// The sub-records up to the first with a key that is not there; `None` when it is no message of that shape.
fn as_prost_reads(message: &[u8]) -> Option<Vec<Owned>> {
    let read = AggregatedRecord::decode(message).ok()?;
    if read.records.iter().any(|record| record.partition_key_index.is_none() || record.data.is_none()) {
        return None;
    }
    let key = |table: &[String], index: u64| table.get(usize::try_from(index).ok()?).cloned();
    let sub_record = |record: Record| {
        let partition_key = key(&read.partition_key_table, record.partition_key_index?)?;
        let explicit = match record.explicit_hash_key_index {
            Some(index) => Some(key(&read.explicit_hash_key_table, index)?),
            None => None,
        };
        Some((partition_key, explicit, record.data?))
    };
    Some(read.records.into_iter().map_while(sub_record).collect())
}

fn message() -> impl Strategy<Value = AggregatedRecord> {
    let index = || prop_oneof![9 => 0..3_u64, 1 => any::<u64>()];
    let record = (option::weighted(0.98, index()), option::of(index()), option::weighted(0.98, vec(any::<u8>(), 0..9)));
    let record = record.prop_map(|(partition_key_index, explicit_hash_key_index, data)| Record {
        partition_key_index,
        explicit_hash_key_index,
        data,
    });
    (vec(".{0,4}", 0..4), vec("[0-9]{1,30}", 0..4), vec(record, 0..6)).prop_map(
        |(partition_key_table, explicit_hash_key_table, records)| AggregatedRecord {
            partition_key_table,
            explicit_hash_key_table,
            records,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_prost_writes_is_read_as_prost_reads_it(message in message()) {
        let message = message.encode_to_vec();
        let expected = if message.is_empty() { None } else { as_prost_reads(&message) };
        let read = disaggregate(sealed(&message), None).ok();
        prop_assert_eq!(read.map(|read| read.records().map(owned).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn what_we_write_is_read_by_prost(records in vec((".{0,4}", option::of("[0-9]{1,30}"), vec(any::<u8>(), 0..9)), 1..6)) {
        let sub_records: Vec<_> = records
            .iter()
            .map(|(key, explicit, data)| SubRecord {
                partition_key: key,
                explicit_hash_key: explicit.as_deref(),
                data,
            })
            .collect();
        let packed = aggregate(&sub_records);
        let message = &packed[MAGIC.len()..packed.len() - 16];
        prop_assert_eq!(as_prost_reads(message), Some(records));
        prop_assert_eq!(AggregatedRecord::decode(message).unwrap().encode_to_vec(), message);
    }

    #[test]
    fn bytes_of_any_kind_neither_panic_nor_hand_out_what_is_not_there(
        message in message(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        tail in vec(any::<u8>(), 0..8),
    ) {
        let mut message = [message.encode_to_vec(), tail].concat();
        for (place, byte) in flips {
            if !message.is_empty() {
                *place.get_mut(&mut message) = byte;
            }
        }
        if let Ok(read) = disaggregate(sealed(&message), None) {
            prop_assert_eq!(read.records().count(), read.len());
            prop_assert!(read.records().map(|record| record.data.len()).sum::<usize>() <= message.len());
            // Prost is stricter on wire types and on UTF-8; what it takes, it reads as we do.
            if let Some(expected) = as_prost_reads(&message).filter(|_| read.left_out().is_none()) {
                prop_assert_eq!(read.records().map(owned).collect::<Vec<_>>(), expected);
            }
        }
    }
}
