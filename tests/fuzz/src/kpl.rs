//! Any bytes as an aggregated record: beside what prost makes of them.

use crate::event;
use md5::{Digest, Md5};
use partial_batch::{Kinesis, RecordContext, RecordError, testkit};
use prost::Message;
use records::HashKeyRange;
use records::kpl::{Aggregate, MAGIC, SubRecord, aggregate, disaggregate};

/// Bytes as they are; and with magic and MD5, as the message of an aggregated record.
pub fn kpl(data: &[u8]) {
    let sealed = [&MAGIC, data, Md5::digest(data).as_slice()].concat();
    check(data);
    check(&sealed);
    let event = testkit::event(vec![
        testkit::kinesis_record("49500", "customer-1", &sealed),
        testkit::kinesis_record("49501", "customer-2", data),
    ]);
    event::check(event.as_bytes(), Kinesis::raw);
    nothing_is_lost(&sealed);
}

/// With a handler that takes everything, the record comes again when some of it was left out, and only then.
fn nothing_is_lost(sealed: &[u8]) {
    async fn handle(_: &[u8], _: RecordContext<'_>) -> Result<(), RecordError> {
        Ok(())
    }
    let event = testkit::event(vec![testkit::kinesis_record("49500", "customer-1", sealed)]);
    let report = event::block_on(testkit::run(Kinesis::raw(), handle, &event));
    let named = report.response.is_ok_and(|response| !response.batch_item_failures.is_empty());
    let left_out = disaggregate(sealed, None).is_ok_and(|packed| packed.left_out().is_some());
    assert_eq!(named, left_out);
}

/// Fewest bytes that a sub-record takes: its own tag and length, and a tag and a byte each for key and data.
const SUB_RECORD_BYTES_MIN: usize = 6;

fn check(data: &[u8]) {
    let packed = match disaggregate(data, None) {
        Ok(packed) => packed,
        Err(back) => {
            assert_eq!(back, data, "what is no aggregated record is given back as it is");
            return;
        }
    };
    let records: Vec<SubRecord<'_>> = packed.records().collect();
    assert_eq!((records.len(), packed.is_empty()), (packed.len(), records.is_empty()));
    assert_eq!(packed.get(records.len()), None);
    assert!(records.len() * SUB_RECORD_BYTES_MIN <= data.len(), "{} of {} bytes", records.len(), data.len());
    against_prost(data, &packed);
    if packed.left_out().is_none() && !records.is_empty() {
        let again = disaggregate(aggregate(&records), None).expect("what was packed can be taken apart");
        assert!(again.records().eq(records.iter().copied()) && again.left_out().is_none());
    }
    let range = HashKeyRange::parse("0", "170141183460469231731687303715884105727").expect("a range");
    let in_shard = disaggregate(data, Some(&range)).expect("the shard does not matter to the message");
    assert!(in_shard.is_empty() || in_shard.records().eq(records.iter().copied()));
    assert!(in_shard.len() == records.len() || in_shard.left_out().is_some());
}

#[derive(Clone, PartialEq, Message)]
struct AggregatedRecord {
    #[prost(bytes = "vec", repeated, tag = "1")]
    partition_keys: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    explicit_hash_keys: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "3")]
    records: Vec<Record>,
}

#[derive(Clone, PartialEq, Message)]
struct Record {
    #[prost(uint64, required, tag = "1")]
    partition_key: u64,
    #[prost(uint64, optional, tag = "2")]
    explicit_hash_key: Option<u64>,
    #[prost(bytes = "vec", required, tag = "3")]
    data: Vec<u8>,
}

/// All of the sub-records, or as many as say that others are left out.
fn against_prost(data: &[u8], packed: &Aggregate<&[u8]>) {
    let message = &data[MAGIC.len()..data.len() - Md5::output_size()];
    let Ok(expected) = AggregatedRecord::decode(message) else { return };
    for (record, expected_record) in packed.records().zip(&expected.records) {
        let key = |keys: &[Vec<u8>], index: u64| String::from_utf8_lossy(&keys[index as usize]).into_owned();
        // Java spells one broken key with more replacement characters than Rust, or with fewer.
        let spelt = |text: &str| text.replace('\u{fffd}', "");
        assert_eq!(record.data, expected_record.data);
        assert_eq!(spelt(record.partition_key), spelt(&key(&expected.partition_keys, expected_record.partition_key)));
        let hash_key = expected_record.explicit_hash_key.map(|index| key(&expected.explicit_hash_keys, index));
        assert_eq!(record.explicit_hash_key.map(spelt), hash_key.as_deref().map(spelt));
    }
    match packed.left_out() {
        None => assert_eq!(packed.len(), expected.records.len(), "sub-records are left out without a word"),
        Some(_) => assert!(packed.len() < expected.records.len()),
    }
}
