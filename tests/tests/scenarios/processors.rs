//! The real processors behind the Lambda host: what they answer, and what the mapping makes of it.

use base64_simd::STANDARD;
use event_source_mapping::{BareRecord, Batch, FunctionResult, Settings, Verdict, classify};
use records::{EpochMillis, SequenceNumber, StreamKind};
use scenarios::{dynamodb_event, kinesis_event, kinesis_record, order, processor, processor_with};
use serde_json::{Value, json};

const FIRST: &str = "49590338271490256608559692538361571095921575989136588898";
const SECOND: &str = "49590338271490256608559692540925702759324208523137515618";
const THIRD: &str = "49590338271490256608559692543489834422726841057138442338";

fn good(sequence_number: &str) -> Value {
    kinesis_record(sequence_number, &STANDARD.encode_to_string(order("o-1", 20.0).to_string()))
}

fn with_data(sequence_number: &str, data: &[u8]) -> Value {
    kinesis_record(sequence_number, &STANDARD.encode_to_string(data))
}

/// What the model of the mapping makes of a response to a batch of the three records.
fn verdict(response: &Value) -> Verdict {
    let arn = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";
    let settings = Settings::builder(arn, "orders").report_batch_item_failures(true).build().unwrap();
    let batch = [FIRST, SECOND, THIRD].map(|number| BareRecord {
        sequence_number: SequenceNumber::parse(number).unwrap(),
        arrival: EpochMillis(0),
        payload_bytes: 1,
        key_hash: 0,
    });
    classify(&FunctionResult::returned(&response.to_string()), &settings, Batch::from(&batch[..]))
}

#[tokio::test]
async fn a_good_batch_is_a_success() {
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    let response = processor.response(kinesis_event(&[good(FIRST), good(SECOND), good(THIRD)])).await.unwrap();
    assert_eq!(response, json!({"batchItemFailures": []}));
    assert_eq!(verdict(&response), Verdict::Success);
    let response = processor.response(kinesis_event(&[])).await.unwrap();
    assert_eq!(response, json!({"batchItemFailures": []}), "an empty batch is handled");
}

#[tokio::test]
async fn the_first_bad_record_is_named_and_nothing_behind_it() {
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    let mut without_data = good(SECOND);
    without_data["kinesis"].as_object_mut().unwrap().remove("data");
    for (what, bad) in [
        ("malformed JSON", with_data(SECOND, b"{\"order_id\":")),
        ("no text", with_data(SECOND, &[0xff, 0, 0xfe])),
        ("nothing", with_data(SECOND, b"")),
        ("a missing field", with_data(SECOND, br#"{"order_id":"o","customer_id":"c","items":[]}"#)),
        ("a wrong sum", with_data(SECOND, order("o-1", 20.01).to_string().as_bytes())),
        ("an empty id", with_data(SECOND, order("", 20.0).to_string().as_bytes())),
        ("no data", without_data),
        ("data that is no base64", kinesis_record(SECOND, "A")),
    ] {
        let response = processor.response(kinesis_event(&[good(FIRST), bad, with_data(THIRD, b"too")])).await.unwrap();
        assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": SECOND}]}), "{what}");
        assert_eq!(verdict(&response), Verdict::RetryFrom(1), "{what}");
    }
    let line = processor.line_with("record failed").await.unwrap();
    assert_eq!((&line["record.sequence_number"], &line["error.kind"]), (&json!(SECOND), &json!("invalid")));
}

#[tokio::test]
async fn a_record_without_a_sequence_number_never_makes_an_empty_identifier() {
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    for number in [Value::Null, json!(""), json!(7), json!("seven")] {
        let mut nameless = good(SECOND);
        nameless["kinesis"]["sequenceNumber"] = number.clone();
        let event = kinesis_event(&[good(FIRST), nameless.clone(), good(THIRD)]);
        let response = processor.response(event).await.unwrap();
        assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": FIRST}]}), "{number}");
        let error = processor.error(kinesis_event(&[nameless, good(THIRD)])).await.unwrap();
        assert!(error.contains("record 0") && error.contains("kinesis.sequenceNumber"), "{error}");
    }
    processor.line_with("batch failed").await.unwrap();
}

#[tokio::test]
async fn an_event_that_is_no_batch_is_a_function_error_with_a_line_that_says_why() {
    let processor = processor(StreamKind::Kinesis).await.unwrap();
    for event in ["{}", "[]", "null", r#"{"Records":"none"}"#] {
        let error = processor.error(event).await.unwrap();
        assert!(error.contains(r#"expected a JSON event `{"Records":[...]}`"#), "{event}: {error}");
    }
    processor.line_with("got JSON of another shape").await.unwrap();
    let mut trailing = kinesis_event(&[good(FIRST)]).into_bytes();
    trailing.extend(b"xx");
    for event in [b"".to_vec(), b"not json".to_vec(), b"{\"Records\":[".to_vec(), vec![0xff, 0xfe], trailing] {
        let error = processor.error(event.clone()).await.unwrap();
        assert!(error.contains("got malformed JSON at line 1 column"), "{event:?}: {error}");
    }
    processor.line_with("got malformed JSON").await.unwrap();
    let response = processor.response(kinesis_event(&[good(FIRST)])).await.unwrap();
    assert_eq!(response, json!({"batchItemFailures": []}), "the function is as good as new");
}

#[tokio::test]
async fn the_wrong_source_is_a_function_error_for_nothing_can_be_named() {
    let image = json!({"order_id": {"S": "o-1"}});
    let kinesis = processor(StreamKind::Kinesis).await.unwrap();
    let error = kinesis.error(dynamodb_event(&[("1", image)])).await.unwrap();
    assert!(error.contains("expected an object `kinesis`"), "{error}");
    let dynamodb = processor(StreamKind::DynamoDb).await.unwrap();
    let error = dynamodb.error(kinesis_event(&[good(FIRST)])).await.unwrap();
    assert!(error.contains("expected an object `dynamodb`"), "{error}");
}

#[tokio::test]
async fn dynamodb_images_are_typed_and_the_new_one_is_validated() {
    let image = |amount: &str| {
        json!({
            "order_id": {"S": "o-1"}, "customer_id": {"S": "c-1"}, "amount": {"N": amount},
            "items": {"L": [{"M": {"sku": {"S": "A"}, "qty": {"N": "2"}, "price": {"N": "10"}}}]},
        })
    };
    let mut typed_wrong = image("20");
    typed_wrong["amount"] = json!({"S": "20"});
    let mut without_customer = image("20");
    without_customer.as_object_mut().unwrap().remove("customer_id");
    let processor = processor(StreamKind::DynamoDb).await.unwrap();
    let event = dynamodb_event(&[("1", image("20")), ("2", image("20.009"))]);
    assert_eq!(processor.response(event).await.unwrap(), json!({"batchItemFailures": []}));
    for bad in [image("20.01"), image("-20"), typed_wrong, without_customer, json!({"order_id": {"X": 1}}), json!(5)] {
        let event = dynamodb_event(&[("900", image("20")), ("1000", bad.clone()), ("1001", image("20"))]);
        let response = processor.response(event).await.unwrap();
        assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": "1000"}]}), "{bad}");
    }
}

/// Levels and directives that a curious operator may set.
const CURIOUS: [&str; 4] = [
    "info",
    "trace",
    "trace,lambda_runtime=trace,lambda_runtime::layers=trace,aws_smithy_runtime::client=trace,hyper=trace",
    "no such level!",
];

#[tokio::test]
async fn a_payload_never_reaches_the_log_at_any_level() {
    let orders = [
        r#"{"order_id":"SECRET","customer_id":"SECRET","amount":"SECRET","items":"SECRET"}"#,
        r#"{"order_id":"SECRET","customer_id":"","amount":20,"items":[]}"#,
        r#""SECRET""#,
        "SECRET",
    ];
    for level in CURIOUS {
        let environment = vec![("LOG_LEVEL".to_owned(), level.to_owned())];
        let processor = processor_with(StreamKind::Kinesis, environment).await.unwrap();
        for order in orders {
            processor.response(kinesis_event(&[with_data(FIRST, order.as_bytes())])).await.unwrap();
        }
        processor.error(r#"{"Records":"SECRET"}"#).await.unwrap();
        processor.error("SECRET").await.unwrap();
        processor.line_with("customer_id").await.unwrap();
        let leaked: Vec<String> = processor.lines().into_iter().filter(|line| line.contains("SECRET")).collect();
        assert!(leaked.is_empty(), "{level}: {leaked:#?}");
        let encoded = STANDARD.encode_to_string("SECRET");
        assert!(!processor.lines().iter().any(|line| line.contains(&encoded)), "{level}");
    }
}
