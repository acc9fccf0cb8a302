//! The on-failure messages, byte for byte.

use crate::world::{Lab, QUEUE, STREAM, numbered, record, settings, throws_on};
use event_source_mapping::{FunctionResult, OnFailureMessage, Settings, SettingsBuilder};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123";

/// The one message about a batch of records 7 to 9, taken in at 0, 1 and 20.5 s, that fails at once.
fn message(settings: SettingsBuilder, result: &'static FunctionResult) -> String {
    let stream = vec![record(7, -20_500), record(8, -19_500), record(9, -1)];
    let mut lab = Lab::new(stream, |_| result.clone());
    lab.invocation_ms = 41_021;
    let lab = lab.run(settings.maximum_retry_attempts(0));
    assert_eq!(lab.messages.len(), 1);
    serde_json::to_string(&lab.messages[0]).unwrap()
}

#[test]
fn a_kinesis_batch_whose_function_threw() {
    let expected = concat!(
        r#"{"requestContext":{"requestId":"request-1","functionArn":"arn:aws:lambda:us-east-1:111122223333:function:orders","#,
        r#""condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"#,
        r#""responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"#,
        r#""version":"1.0","timestamp":"2025-11-25T16:27:42.021Z","#,
        r#""KinesisBatchInfo":{"shardId":"shardId-000000000001","startSequenceNumber":"7","endSequenceNumber":"9","#,
        r#""approximateArrivalOfFirstRecord":"2025-11-25T16:26:40.500Z","#,
        r#""approximateArrivalOfLastRecord":"2025-11-25T16:27:00.999Z","batchSize":3,"#,
        r#""streamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders"}}"#
    );
    assert_eq!(message(settings(), &FunctionResult::Failed), expected);
}

#[test]
fn a_dynamodb_batch_whose_response_was_invalid() {
    static INVALID: FunctionResult = FunctionResult::Returned(Vec::new());
    let builder = Settings::builder(TABLE, "orders:live").on_failure(QUEUE).report_batch_item_failures(true);
    let expected = concat!(
        r#"{"requestContext":{"requestId":"request-1","#,
        r#""functionArn":"arn:aws:lambda:us-east-1:111122223333:function:orders:live","#,
        r#""condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"#,
        r#""responseContext":{"statusCode":200,"executedVersion":"1","functionError":null},"#,
        r#""version":"1.0","timestamp":"2025-11-25T16:27:42.021Z","#,
        r#""DDBStreamBatchInfo":{"shardId":"shardId-000000000001","startSequenceNumber":"7","endSequenceNumber":"9","#,
        r#""approximateArrivalOfFirstRecord":"2025-11-25T16:26:40Z","#,
        r#""approximateArrivalOfLastRecord":"2025-11-25T16:27:00Z","batchSize":3,"#,
        r#""streamArn":"arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123"}}"#
    );
    assert_eq!(message(builder, &INVALID), expected);
}

#[test]
fn records_too_old_carry_a_derived_request_id_and_no_response() {
    let run = || Lab::new(vec![record(7, -61_000)], throws_on(&[])).run(settings().maximum_record_age_s(60));
    let message = serde_json::to_value(&run().messages[0]).unwrap();
    let request_id = message["requestContext"]["requestId"].as_str().unwrap().to_owned();
    assert_eq!(request_id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert_eq!(run().messages[0].request_context.request_id, request_id, "the same seed gives the same id");
    assert_eq!(
        message["requestContext"],
        serde_json::json!({"requestId": request_id,
            "functionArn": "arn:aws:lambda:us-east-1:111122223333:function:orders",
            "condition": "RecordAgeExceeded", "approximateInvokeCount": 1})
    );
    let keys: Vec<&String> = message.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["KinesisBatchInfo", "requestContext", "timestamp", "version"]);
}

#[test]
fn enhanced_fan_out_names_the_consumer() {
    let consumer = format!("{STREAM}/consumer/app:1789808973");
    let builder = Settings::builder(&consumer, "orders").on_failure(QUEUE).maximum_retry_attempts(0);
    let lab = Lab::new(numbered(1..=1), throws_on(&[1])).run(builder);
    assert_eq!(&*lab.messages[0].batch_info.range().stream_arn, consumer);
}

fn of_a_throwing_batch() -> OnFailureMessage {
    let lab = Lab::new(numbered(7..=9), throws_on(&[7])).run(settings().maximum_retry_attempts(0));
    lab.messages[0].clone()
}

#[test]
fn a_bucket_gets_the_payload_as_a_text_under_a_key_that_names_mapping_shard_and_time() {
    let message = of_a_throwing_batch();
    let event = r#"{"Records":[{"eventID":"a \"quoted\" one"}]}"#;
    let mut body = message.with_payload(event).unwrap();
    assert_eq!(body["payload"].take(), serde_json::json!(event));
    body.as_object_mut().unwrap().remove("payload");
    assert_eq!(body, serde_json::to_value(&message).unwrap(), "all else is as a queue gets it");

    let key = message.object_key("f0e1d2c3-0000-4000-8000-000000000000");
    let (folder, uuid) = key.split_at(key.len() - 36);
    assert_eq!(
        folder,
        "aws/lambda/f0e1d2c3-0000-4000-8000-000000000000/shardId-000000000001/2025/11/25/2025-11-25T16.27.01-"
    );
    assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
}

#[test]
fn two_messages_of_one_second_have_two_keys() {
    let stream = vec![record(1, -61_000), record(2, 0), record(3, -61_000)];
    let lab = Lab::new(stream, throws_on(&[])).run(settings().maximum_record_age_s(60));
    let keys: Vec<String> = lab.messages.iter().map(|message| message.object_key("uuid")).collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn a_topic_forwards_the_message_as_a_text() {
    let message = of_a_throwing_batch();
    let notification = message.notification("arn:aws:sns:us-east-1:111122223333:failed").unwrap();
    assert_eq!(notification["Type"], "Notification");
    assert_eq!(notification["TopicArn"], "arn:aws:sns:us-east-1:111122223333:failed");
    assert_eq!(notification["Message"], serde_json::to_string(&message).unwrap());
}
