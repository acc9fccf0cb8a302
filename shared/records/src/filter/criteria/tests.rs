use super::*;
use serde_json::json;

const DATA_IS_BUY: &str = r#"{"data":{"order":{"type":["buy"]}}}"#;

fn kinesis(data: &[u8]) -> Value {
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "customer-1",
            "sequenceNumber": "0495",
            "data": base64_simd::STANDARD.encode_to_string(data),
            "approximateArrivalTimestamp": 1_545_084_650.987,
        },
        "eventSource": "aws:kinesis",
        "eventID": "shardId-000000000006:0495",
    })
}

/// Whether a Kinesis record with this payload passes a mapping with this pattern.
fn passes(pattern: &str, data: &[u8]) -> bool {
    FilterCriteria::from_patterns([pattern]).unwrap().passes(StreamKind::Kinesis, &kinesis(data))
}

#[test]
fn without_patterns_every_record_passes() {
    for text in ["{}", r#"{"Filters":[]}"#, r#"{"Filters":null}"#] {
        let criteria = FilterCriteria::parse(text).unwrap();
        assert!(criteria.is_empty());
        assert!(criteria.passes(StreamKind::Kinesis, &kinesis(b"\xff")));
        assert!(criteria.passes(StreamKind::DynamoDb, &Value::Null));
    }
}

#[test]
fn a_record_passes_that_matches_one_of_the_patterns() {
    let patterns = [r#"{"eventName":["INSERT"]}"#, r#"{"dynamodb":{"NewImage":{"state":{"S":["paid"]}}}}"#];
    let criteria = FilterCriteria::from_patterns(patterns).unwrap();
    let passes = |record| criteria.passes(StreamKind::DynamoDb, &record);
    assert!(passes(json!({"eventName": "INSERT", "dynamodb": {}})));
    assert!(passes(json!({"eventName": "MODIFY", "dynamodb": {"NewImage": {"state": {"S": "paid"}}}})));
    assert!(!passes(json!({"eventName": "MODIFY", "dynamodb": {"NewImage": {"state": {"S": "new"}}}})));
}

#[test]
fn numbers_of_dynamodb_are_texts() {
    let record = json!({"dynamodb": {"Keys": {"id": {"N": "101"}}}});
    let passes = |id: &str| {
        let pattern = format!(r#"{{"dynamodb":{{"Keys":{{"id":{{"N":[{id}]}}}}}}}}"#);
        FilterCriteria::from_patterns([pattern.as_str()]).unwrap().passes(StreamKind::DynamoDb, &record)
    };
    assert!(passes(r#""101""#));
    assert!(!passes("101"));
    assert!(!passes(r#"{"numeric":["=",101]}"#));
}

#[test]
fn an_attribute_that_is_a_list_is_there_by_what_it_holds() {
    // The example of with-ddb-filtering.html: the attribute itself is no leaf.
    let record = json!({"dynamodb": {"NewImage": {"orgs": {"L": [{"S": "Sales"}, {"S": "Support"}]}}}});
    let passes = |orgs: &str| {
        let pattern = format!(r#"{{"dynamodb":{{"NewImage":{{"orgs":{orgs}}}}}}}"#);
        FilterCriteria::from_patterns([pattern.as_str()]).unwrap().passes(StreamKind::DynamoDb, &record)
    };
    assert!(!passes(r#"[{"exists":true}]"#));
    assert!(passes(r#"{"L":{"S":[{"exists":true}]}}"#));
}

#[test]
fn the_data_of_kinesis_is_decoded() {
    assert!(passes(DATA_IS_BUY, br#"{"order":{"type":"buy","quantity":1000}}"#));
    assert!(passes(DATA_IS_BUY, br#" [{"order":{"type":"buy"}}] "#));
    assert!(!passes(DATA_IS_BUY, br#"{"order":{"type":"sell"}}"#));
}

#[test]
fn data_of_another_format_does_not_pass() {
    for data in [b"buy".as_slice(), b"", b"\xff", b"42", b"\"buy\"", br#"{"order":{"type":"buy"}} x"#] {
        assert!(!passes(DATA_IS_BUY, data), "{data:?}");
        assert!(!passes(r#"{"data":{"order":[{"exists":false}]}}"#, data), "{data:?}");
        assert!(!passes(r#"{"$or":[{"partitionKey":["customer-1"]},{"data":{"order":["buy"]}}]}"#, data), "{data:?}");
    }
}

#[test]
fn a_pattern_without_data_looks_at_the_other_fields_only() {
    for data in [b"{}".as_slice(), b"buy", b"\xff"] {
        assert!(passes(r#"{"partitionKey":["customer-1"]}"#, data));
        assert!(!passes(r#"{"partitionKey":["customer-2"]}"#, data));
        assert!(passes(r#"{"approximateArrivalTimestamp":[{"numeric":[">",1545084650]}]}"#, data));
    }
    let both = r#"{"partitionKey":[{"prefix":"customer"}],"data":{"a":[1]}}"#;
    assert!(passes(both, br#"{"a":1}"#) && !passes(both, br#"{"a":2}"#));
}

#[test]
fn a_kinesis_record_has_no_fields_but_those_of_its_kinesis_object() {
    assert!(!passes(r#"{"eventSource":["aws:kinesis"]}"#, b"{}"));
    assert!(!passes(r#"{"kinesis":{"partitionKey":["customer-1"]}}"#, b"{}"));
    let criteria = FilterCriteria::from_patterns([r#"{"a":[{"exists":false}]}"#]).unwrap();
    assert!(!criteria.passes(StreamKind::Kinesis, &json!({"kinesis": []})));
}

#[test]
fn a_list_for_the_data_itself_matches_text_and_lambda_refuses_it() {
    let pattern = r#"{"data":["hello",{"prefix":"{"}]}"#;
    assert!(passes(pattern, b"hello"));
    assert!(passes(pattern, b"{broken"));
    assert!(!passes(pattern, b"{}"));
    assert!(!passes(pattern, b"\xff"));
    let criteria = FilterCriteria::from_patterns([DATA_IS_BUY, pattern]).unwrap();
    let refused = FilterCriteriaError::DataIsNoObject { index: 1, field: "data" };
    assert_eq!(criteria.check(StreamKind::Kinesis), Err(refused));
    assert_eq!(criteria.check(StreamKind::DynamoDb), Ok(()));
}

#[test]
fn the_record_is_the_one_that_lambda_delivers() {
    use crate::{EpochMillis, KinesisRecord, SequenceNumber, ShardId, StreamArn};
    let record = KinesisRecord {
        sequence_number: SequenceNumber::parse("0495").unwrap(),
        partition_key: "customer-1".to_owned(),
        data: br#"{"order":{"type":"buy"}}"#.to_vec(),
        approximate_arrival: Some(EpochMillis(1_545_084_650_987)),
        encryption_type: None,
    };
    let stream = StreamArn::parse("arn:aws:kinesis:us-east-1:111122223333:stream/orders").unwrap();
    let shard = ShardId::parse("shardId-000000000006").unwrap();
    let delivered = serde_json::to_value(record.delivered(&stream, &shard, None)).unwrap();
    let pattern = r#"{"sequenceNumber":["0495"],"data":{"order":{"type":["buy"]}}}"#;
    assert!(FilterCriteria::from_patterns([pattern]).unwrap().passes(stream.kind(), &delivered));
}

#[test]
fn criteria_of_another_shape_are_refused() {
    for text in ["", "[]", "null", r#"{"filters":[]}"#, r#"{"Filters":[{}]}"#, r#"{"Filters":{}}"#, DATA_IS_BUY] {
        assert!(matches!(FilterCriteria::parse(text), Err(FilterCriteriaError::Shape { .. })), "{text}");
    }
    // A pattern is a text, and AWS takes no object in its place.
    let object = format!(r#"{{"Filters":[{{"Pattern":{DATA_IS_BUY}}}]}}"#);
    assert!(matches!(FilterCriteria::parse(&object), Err(FilterCriteriaError::Shape { .. })));
}

#[test]
fn the_pattern_that_is_malformed_is_named() {
    let error = FilterCriteria::from_patterns([DATA_IS_BUY, r#"{"data":{"a":7}}"#]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "filter 1: invalid filter pattern: expected a list of values, or an object of fields at `$.data.a`"
    );
}

#[test]
fn there_are_ten_patterns_at_most() {
    assert!(FilterCriteria::from_patterns([DATA_IS_BUY; 10]).is_ok());
    let error = FilterCriteria::from_patterns([DATA_IS_BUY; 11]).unwrap_err();
    assert_eq!(error, FilterCriteriaError::TooMany { count: 11 });
}
