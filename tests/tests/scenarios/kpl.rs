//! Records that the Kinesis Producer Library has packed into one, and the real processor of Kinesis.

use md5::{Digest, Md5};
use partial_batch::testkit;
use records::StreamKind;
use records::kpl::{MAGIC, SubRecord, aggregate};
use scenarios::{Observed, named, order, order_record, packed_orders, processor, processor_with};
use serde_json::{Value, json};

const GOOD: f64 = 20.0;
const BAD: f64 = 20.01;

const ALL_GOOD: [(&str, f64); 3] = [("customer-1", GOOD), ("customer-2", GOOD), ("customer-1", GOOD)];

/// A good order, then a record with this data, then another good order: 1, 2 and 3.
fn around(data: &[u8]) -> String {
    let plain = |number| order_record(StreamKind::Kinesis, number, "customer-1", GOOD);
    testkit::event(vec![plain("1"), testkit::kinesis_record("2", "packed", data), plain("3")])
}

/// The one line that stands for a record.
fn only_failure(observed: &Observed) -> &Value {
    let [failure] = &observed.failures[..] else { panic!("expected one failing record: {:#?}", observed.lines) };
    failure
}

/// The record as a whole was refused, for its data is no order.
fn assert_refused_whole(observed: &Observed) {
    assert_eq!(observed.response, Ok(named(&["2"])));
    let failure = only_failure(observed);
    assert_eq!((&failure["record.sequence_number"], &failure["error.kind"]), (&json!("2"), &json!("invalid")));
    assert_eq!(failure.get("record.sub_sequence_number"), None, "{failure}");
    assert!(failure["error"].as_str().unwrap().contains("malformed JSON"), "{failure}");
    assert_eq!(observed.done["RecordsHandled"], 1, "{}", observed.done);
}

#[tokio::test]
async fn an_aggregate_of_good_orders_is_handled_part_by_part() {
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    let observed = processor.observe(around(&packed_orders(&ALL_GOOD))).await.unwrap();
    assert_eq!(observed.response, Ok(named(&[])));
    assert_eq!((&observed.done["RecordsHandled"], &observed.done["batch.records"]), (&json!(5), &json!(3)));
    assert!(observed.failures.is_empty(), "{:#?}", observed.lines);
    let observed = processor.observe(around(&packed_orders(&ALL_GOOD[..1]))).await.unwrap();
    assert_eq!((observed.response, &observed.done["RecordsHandled"]), (Ok(named(&[])), &json!(3)), "one is packed too");
}

#[tokio::test]
async fn a_part_that_fails_fails_its_record_and_is_named_in_the_log() {
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    for (bad, sub_sequence_number) in [(0, 0), (1, 1), (2, 2)] {
        let mut orders = ALL_GOOD;
        orders[bad].1 = BAD;
        let fresh =
            around(&packed_orders(&orders)).replace("shardId-000000000006", &format!("shardId-00000000000{bad}"));
        let observed = processor.observe(fresh).await.unwrap();
        assert_eq!(observed.response, Ok(named(&["2"])), "a part has no number of its own");
        let failure = only_failure(&observed);
        assert_eq!(failure["record.sequence_number"], "2");
        assert_eq!(failure["record.sub_sequence_number"], sub_sequence_number, "{failure}");
        assert_eq!((&failure["error.kind"], &failure["record.index"]), (&json!("invalid"), &json!(1)));
        assert!(failure["error"].as_str().unwrap().contains("the sum of the items"), "{failure}");
        assert_eq!(observed.done["RecordsHandled"], 1 + bad, "the parts before it were handled, none behind it");
        assert_eq!((&observed.done["batch.passed"], &observed.done["RecordsFailed"]), (&json!(1), &json!(1)));
    }
}

#[tokio::test]
async fn with_kpl_off_an_aggregate_is_a_payload_like_any_other() {
    let off = vec![("KPL".to_owned(), "off".to_owned())];
    let processor = processor_with(StreamKind::Kinesis, off).await.unwrap();
    assert_refused_whole(&processor.observe(around(&packed_orders(&ALL_GOOD))).await.unwrap());
}

#[tokio::test]
async fn a_damaged_aggregate_is_handed_through_as_it_is() {
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    let whole = packed_orders(&ALL_GOOD);
    let last = whole.len() - 1;
    // In the MD5, in the message, in the magic.
    for place in [last, whole.len() / 2, 3] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        assert_refused_whole(&processor.observe(around(&damaged)).await.unwrap());
    }
    // Cut short, and with nothing between magic and MD5.
    assert_refused_whole(&processor.observe(around(&whole[..last])).await.unwrap());
    assert_refused_whole(&processor.observe(around(&packed_orders(&[]))).await.unwrap());
}

#[tokio::test]
async fn an_aggregate_within_an_aggregate_is_not_taken_apart() {
    let inner = packed_orders(&ALL_GOOD);
    let good = order("o-1", GOOD).to_string();
    let part = |data| SubRecord { partition_key: "customer-1", explicit_hash_key: None, data };
    let outer = aggregate(&[part(good.as_bytes()), part(&inner)]);
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    let observed = processor.observe(around(&outer)).await.unwrap();
    assert_eq!(observed.response, Ok(named(&["2"])));
    let failure = only_failure(&observed);
    assert_eq!(failure["record.sub_sequence_number"], 1, "{failure}");
    assert!(failure["error"].as_str().unwrap().contains("malformed JSON"), "{failure}");
}

/// Two good orders, undamaged by the MD5, of which the second is under key 7. There is one key.
fn with_a_key_that_is_not_there() -> Vec<u8> {
    let mut packed = packed_orders(&[("customer-1", GOOD), ("customer-1", GOOD)]);
    let end = packed.len() - 16;
    // Within a record: field 1, the key's index; field 3, the data.
    let index = packed[..end].windows(3).rposition(|bytes| bytes == [0x08, 0, 0x1a]).unwrap() + 1;
    packed[index] = 7;
    let digest = Md5::digest(&packed[MAGIC.len()..end]);
    packed[end..].copy_from_slice(&digest);
    packed
}

#[tokio::test]
async fn parts_that_cannot_be_placed_fail_their_record_and_are_not_dropped() {
    // The Kinesis Client Library would drop it without a word.
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    let observed = processor.observe(around(&with_a_key_that_is_not_there())).await.unwrap();
    assert_eq!(observed.response, Ok(named(&["2"])));
    let failure = only_failure(&observed);
    assert_eq!((&failure["record.sub_sequence_number"], &failure["error.kind"]), (&json!(1), &json!("invalid")));
    assert!(failure["error"].as_str().unwrap().contains("names partition key 7 of 1"), "{failure}");
    assert_eq!(observed.done["RecordsHandled"], 2);
}
