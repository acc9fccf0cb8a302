//! Claims about every shape of message: one fixture for each.

use super::*;
use serde_json::{Value, json};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/", $name, ".json"))
    };
}

const KINESIS: &str = fixture!("kinesis_function_threw");
const START_POSITION: &str = "49650000000000000000000000000000000000000000000000000009";
const END_POSITION: &str = "49650000000000000000000000000000000000000000000000000010";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:orders";

fn parse(body: &str) -> OnFailureMessage {
    let message = OnFailureMessage::parse(body).unwrap();
    let enveloped = Envelope::parse(body).unwrap();
    assert_eq!(enveloped, Envelope::OnFailure(Box::new(message.clone())), "an envelope reads it alike");
    message
}

fn objects(body: &str) -> Vec<ObjectRef> {
    match Envelope::parse(body).unwrap() {
        Envelope::Objects(objects) => objects,
        other => panic!("no objects: {other:?}"),
    }
}

fn by_sns(message: &str) -> String {
    json!({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:111122223333:t", "Message": message}).to_string()
}

fn number(text: &str) -> SequenceNumber {
    SequenceNumber::parse(text).unwrap()
}

/// `fixture` with something else in one place.
fn changed(fixture: &str, pointer: &str, value: Value) -> String {
    let mut message: Value = serde_json::from_str(fixture).unwrap();
    match message.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => message[pointer.trim_start_matches('/')] = value,
    }
    message.to_string()
}

#[test]
fn a_kinesis_message_is_read() {
    let message = parse(KINESIS);
    assert_eq!((message.range.start().as_str(), message.range.end().as_str()), (START_POSITION, END_POSITION));
    assert_eq!((message.range.shard().as_str(), message.batch_size), ("shardId-000000000001", 2));
    let arrival = EpochMillis(1_764_088_021_100);
    assert_eq!((message.first_arrival, message.last_arrival), (Some(EpochMillis(1_764_088_021_000)), Some(arrival)));
    let failure = Failure {
        condition: Some("RetryAttemptsExhausted".to_owned()),
        function_arn: Some(FUNCTION.to_owned()),
        request_id: Some("c0ffee00-0000-4000-8000-000000000001".to_owned()),
        approximate_invoke_count: Some(4),
        function_error: Some("Unhandled".to_owned()),
    };
    assert_eq!(message.failure, failure);
    assert_eq!((&message.progress, &message.payload), (&None, &None));
    assert_eq!(message.text.get(), KINESIS.trim_end(), "the text is the body to the byte");
}

#[test]
fn a_dynamodb_message_is_read() {
    let message = parse(fixture!("dynamodb_function_threw"));
    assert_eq!(message.range.stream().kind(), StreamKind::DynamoDb);
    assert_eq!(message.range.shard().as_str(), "shardId-00000001573689847184-864758bb");
    assert_eq!(message.range.end().as_str(), "10000000000000000000000", "numbers of 22 and 23 digits are a range");
    assert_eq!(message.last_arrival, Some(EpochMillis(1_764_088_022_000)), "whole seconds are read too");
}

#[test]
fn partial_responses_leave_no_function_error() {
    let failure = parse(fixture!("kinesis_partial_responses")).failure;
    assert_eq!((failure.function_error, failure.approximate_invoke_count), (None, Some(4)));
}

#[test]
fn records_that_are_too_old_or_too_large_come_without_a_response() {
    let failure = parse(fixture!("kinesis_too_old")).failure;
    assert_eq!((failure.condition.as_deref(), failure.function_error), (Some("RecordAgeExceeded"), None));
    assert_eq!(failure.approximate_invoke_count, Some(1));
    let message = parse(fixture!("kinesis_never_invokable"));
    assert_eq!((message.batch_size, message.range.start() == message.range.end()), (1, true));
}

#[test]
fn an_enhanced_fan_out_consumer_leads_to_its_stream() {
    let message = parse(fixture!("kinesis_consumer"));
    assert_eq!(message.range.stream().as_str(), "arn:aws:kinesis:us-east-1:111122223333:stream/orders");
}

#[test]
fn a_function_keeps_its_alias() {
    let failure = parse(fixture!("kinesis_alias")).failure;
    assert_eq!(failure.function_arn.unwrap(), format!("{FUNCTION}:live"));
}

#[test]
fn an_unknown_condition_and_nulls_in_the_contexts_are_taken() {
    let failure = parse(fixture!("kinesis_emulator")).failure;
    assert_eq!(failure.condition.as_deref(), Some("MaxRecordAgeExceeded"));
    assert_eq!((failure.request_id, failure.approximate_invoke_count, failure.function_error), (None, None, None));
}

#[test]
fn of_what_is_not_needed_nothing_is_required() {
    for context in [Value::Null, json!(5), json!([]), json!({}), json!({"condition": 5, "approximateInvokeCount": -1})]
    {
        let body = changed(KINESIS, "/requestContext", context.clone());
        let body = changed(&body, "/responseContext", context);
        assert_eq!(parse(&body).failure, Failure::default());
    }
    let arrival = "/KinesisBatchInfo/approximateArrivalOfLastRecord";
    assert_eq!(parse(&changed(KINESIS, arrival, json!("yesterday"))).last_arrival, None);
    parse(&changed(KINESIS, "/DDBStreamBatchInfo", Value::Null));
}

#[test]
fn a_pipe_stands_in_the_place_of_the_function() {
    let failure = parse(fixture!("dynamodb_pipe")).failure;
    assert_eq!(failure.function_arn.as_deref(), Some("arn:aws:pipes:us-east-1:111122223333:pipe/orders"));
    assert_eq!(failure.condition.as_deref(), Some("RetryAttemptsExhausted"));
}

#[test]
fn an_object_of_s3_brings_the_event_as_a_string_or_as_an_object() {
    let event =
        |message: &OnFailureMessage| serde_json::from_str::<Value>(message.payload.as_deref().unwrap()).unwrap();
    let (string, object) = (parse(fixture!("s3_object")), parse(fixture!("s3_object_with_event")));
    assert_eq!(event(&string), event(&object));
    assert_eq!(event(&string)["Records"][1]["kinesis"]["sequenceNumber"], END_POSITION);
    let text: Value = serde_json::from_str(string.text.get()).unwrap();
    assert_eq!(text, serde_json::from_str::<Value>(KINESIS).unwrap(), "the text is the message without the payload");
    assert_eq!(string.text.get(), object.text.get());
    assert_eq!((string.range.clone(), &string.failure), (object.range, &object.failure));
    assert!(!format!("{string:?}").contains("eA=="), "a payload is never logged");
}

#[test]
fn what_is_no_payload_is_none_and_its_message_stands() {
    let records_are_no_list = json!({"Records": {}});
    let broken = [json!(5), json!("hello"), json!("{\"Records\":[}"), json!([]), json!("{\"records\":[]}")];
    for payload in broken.into_iter().chain([Value::Null, json!(""), records_are_no_list]) {
        let message = parse(&changed(KINESIS, "/payload", payload));
        assert_eq!((message.payload, message.batch_size), (None, 2), "its stream can be read");
    }
}

#[test]
fn a_payload_of_megabytes_is_carried_to_the_byte() {
    let event = format!(r#"{{"Records":[{}"{}"]}}"#, "\"\\\"\",".repeat(100_000), "x".repeat(5_000_000));
    let message = parse(&changed(KINESIS, "/payload", json!(event)));
    assert_eq!(message.payload.as_deref(), Some(event.as_str()));
    assert!(message.text.get().len() < 1_000);
}

#[test]
fn a_topic_delivers_the_same_message() {
    let message = parse(KINESIS);
    let compact = serde_json::from_str::<Value>(KINESIS).unwrap();
    let Envelope::OnFailure(by_topic) = Envelope::parse(fixture!("sns_notification")).unwrap() else { panic!() };
    assert_eq!((&by_topic.range, &by_topic.failure), (&message.range, &message.failure));
    assert_eq!(serde_json::from_str::<Value>(by_topic.text.get()).unwrap(), compact, "its text is the inner one");
    for lenient in [json!({"Message": KINESIS, "TopicArn": "t"}), json!({"Message": KINESIS, "Type": "Notification"})] {
        let envelope = Envelope::parse(&lenient.to_string()).unwrap();
        assert_eq!(envelope, Envelope::OnFailure(Box::new(message.clone())));
    }
}

#[test]
fn a_notification_of_s3_names_each_object_by_its_decoded_key() {
    let key = concat!(
        "aws/lambda/c0ffee00-0000-4000-8000-000000000003/shardId-000000000001/2025/11/25/",
        "2025-11-25T16.27.42-c0ffee00-0000-4000-8000-000000000004"
    );
    let put = |key: &str, version: Option<&str>| ObjectRef {
        bucket: "orders-failed".to_owned(),
        key: key.to_owned(),
        version_id: version.map(str::to_owned),
        size_bytes: Some(2048),
    };
    let expected = [put(key, Some("3sL4kqtJlcpXroDTDmJ")), put("a key/with spaces, é and +.json", None)];
    assert_eq!(objects(fixture!("s3_notification")), expected);
    assert_eq!(objects(fixture!("s3_notification_by_sns")), expected);
    let version = Some("3sL4kqtJlcpXroDTDmJ");
    let by_event_bridge = objects(fixture!("event_bridge_object_created"));
    assert_eq!(by_event_bridge, [put("a+key/100%25 as it is", version)], "EventBridge does not encode the key");
    assert_eq!(objects(&by_sns(fixture!("event_bridge_object_created"))), by_event_bridge);
}

#[test]
fn the_test_of_a_notification_is_known() {
    assert_eq!(Envelope::parse(fixture!("s3_test")), Ok(Envelope::Test));
    assert_eq!(Envelope::parse(fixture!("s3_test_by_sns")), Ok(Envelope::Test));
}

#[track_caller]
fn refused(error: MessageError, path: &str) {
    let error = error.to_string();
    assert!(error.contains(&format!("at `{path}`, got")), "{path} is not in: {error}");
    for quoted in ["49650", "hello", "s3cret"] {
        assert!(!error.contains(quoted), "{error} quotes a value");
    }
}

#[test]
fn what_is_no_message_says_what_was_expected_and_where() {
    let info = "/KinesisBatchInfo";
    for (field, value, path) in [
        ("/startSequenceNumber", json!(9), "KinesisBatchInfo.startSequenceNumber"),
        ("/startSequenceNumber", json!("s3cret"), "KinesisBatchInfo.startSequenceNumber"),
        ("/startSequenceNumber", Value::Null, "KinesisBatchInfo.startSequenceNumber"),
        ("/endSequenceNumber", json!("1"), "KinesisBatchInfo.endSequenceNumber"),
        ("/shardId", json!("s3cret/"), "KinesisBatchInfo.shardId"),
        ("/batchSize", json!(0), "KinesisBatchInfo.batchSize"),
        ("/batchSize", json!(10_001), "KinesisBatchInfo.batchSize"),
        ("/batchSize", json!(1.5), "KinesisBatchInfo.batchSize"),
        ("/batchSize", json!("2"), "KinesisBatchInfo.batchSize"),
        ("/streamArn", json!("arn:aws:sqs:s3cret"), "KinesisBatchInfo.streamArn"),
        ("", json!(5), "KinesisBatchInfo"),
    ] {
        let body = changed(KINESIS, &format!("{info}{field}"), value);
        refused(OnFailureMessage::parse(&body).unwrap_err(), &format!("$.{path}"));
        refused(Envelope::parse(&body).unwrap_err(), &format!("$.{path}"));
        refused(Envelope::parse(&by_sns(&body)).unwrap_err(), &format!("$.Message.{path}"));
    }
    let other_kind = KINESIS.replace("KinesisBatchInfo", "DDBStreamBatchInfo");
    refused(OnFailureMessage::parse(&other_kind).unwrap_err(), "$.DDBStreamBatchInfo.streamArn");
    for body in ["", " ", "hello", "[]", "5", "{}", "{", r#"{"OtherInfo":{}}"#, r#"{"Message":"hello"}"#, "{} {}"] {
        refused(OnFailureMessage::parse(body).unwrap_err(), "$");
        refused(Envelope::parse(body).unwrap_err(), "$");
        refused(Envelope::parse(&by_sns(body)).unwrap_err(), "$.Message");
    }
    refused(Envelope::parse(&by_sns(&by_sns(KINESIS))).unwrap_err(), "$.Message");
    refused(OnFailureMessage::parse(&by_sns(KINESIS)).unwrap_err(), "$");
}

#[test]
fn a_message_that_says_two_things_is_refused() {
    let both = changed(KINESIS, "/DDBStreamBatchInfo", json!({}));
    refused(OnFailureMessage::parse(&both).unwrap_err(), "$");
    let twice = KINESIS.replacen("\"shardId\"", "\"batchSize\": 3, \"shardId\"", 1);
    refused(OnFailureMessage::parse(&twice).unwrap_err(), "$.KinesisBatchInfo.batchSize");
    let twice = KINESIS.replacen('{', r#"{"KinesisBatchInfo": null,"#, 1);
    refused(OnFailureMessage::parse(&twice).unwrap_err(), "$.KinesisBatchInfo");
}

#[test]
fn a_notification_of_anything_but_put_objects_is_refused() {
    refused(Envelope::parse(fixture!("s3_removal")).unwrap_err(), "$.Records[1].eventName");
    refused(Envelope::parse(&by_sns(fixture!("s3_removal"))).unwrap_err(), "$.Message.Records[1].eventName");
    let s3 = fixture!("s3_notification");
    for (pointer, value, path) in [
        ("/Records", json!([]), "$.Records"),
        ("/Records", json!({}), "$.Records"),
        ("/Records", Value::Null, "$.Records"),
        ("/Records/0", json!(5), "$.Records[0]"),
        ("/Records/0/eventSource", json!("aws:kinesis"), "$.Records[0].eventSource"),
        ("/Records/0/s3", Value::Null, "$.Records[0].s3"),
        ("/Records/0/s3/bucket/name", json!(""), "$.Records[0].s3.bucket.name"),
        ("/Records/1/s3/object/key", json!(""), "$.Records[1].s3.object.key"),
        ("/Records/1/s3/object/key", json!("%FF"), "$.Records[1].s3.object.key"),
        ("/Records/0/s3/object/versionId", json!(5), "$.Records[0].s3.object.versionId"),
    ] {
        refused(Envelope::parse(&changed(s3, pointer, value)).unwrap_err(), path);
    }
    let event = fixture!("event_bridge_object_created");
    for (pointer, value, path) in [
        ("/detail-type", json!("Object Deleted"), "$.detail-type"),
        ("/source", json!("aws.ec2"), "$.source"),
        ("/detail/bucket", Value::Null, "$.detail.bucket"),
        ("/detail/object/key", json!(5), "$.detail.object.key"),
    ] {
        refused(Envelope::parse(&changed(event, pointer, value)).unwrap_err(), path);
    }
}

#[test]
fn the_rest_of_a_range_says_how_far_it_is_done() {
    let message = parse(fixture!("rest_of_a_range"));
    let progress =
        Progress { after: number(END_POSITION), start: number(START_POSITION), found: 2, accounted: 2, lost: 0 };
    assert_eq!((message.progress, message.range.start()), (Some(progress), &number(END_POSITION)));
}

#[test]
fn a_rest_is_the_message_from_another_start() {
    let message = parse(fixture!("s3_object"));
    let progress =
        Progress { after: number(END_POSITION), start: number(START_POSITION), found: 9, accounted: 7, lost: 0 };
    let rest = message.rest(&progress).unwrap();
    let mut expected: Value = serde_json::from_str(KINESIS).unwrap();
    expected["KinesisBatchInfo"]["startSequenceNumber"] = json!(END_POSITION);
    expected["hydratorProgress"] =
        json!({"after": END_POSITION, "startSequenceNumber": START_POSITION, "found": 9, "accounted": 7, "lost": 0});
    assert_eq!(serde_json::from_str::<Value>(&rest).unwrap(), expected);

    let again = parse(&rest);
    assert_eq!((again.progress.as_ref(), again.range.start()), (Some(&progress), &progress.after));
    assert_eq!((again.range.end(), again.batch_size, &again.failure), (message.range.end(), 2, &message.failure));
    assert_eq!(again.rest(&progress).unwrap(), rest, "a rest of a rest has one progress");
}

#[test]
fn a_rest_keeps_what_it_does_not_know_to_the_byte() {
    let unknown = r#""unknown":{"a" : [1.50, "\u00e9",1E2]}"#;
    let message = parse(&KINESIS.replacen('{', &format!("{{{unknown},"), 1));
    let progress =
        Progress { after: number(START_POSITION), start: number(START_POSITION), found: 0, accounted: 0, lost: 0 };
    assert!(message.rest(&progress).unwrap().contains(unknown));
}

#[test]
fn progress_outside_of_the_range_is_no_rest() {
    let message = parse(KINESIS);
    let progress = |after: &str, start: &str| {
        let (after, start) = (number(after), number(start));
        Progress { after, start, found: 0, accounted: 0, lost: 0 }
    };
    assert!(message.rest(&progress(&format!("{END_POSITION}0"), START_POSITION)).is_err());
    assert!(message.rest(&progress(START_POSITION, END_POSITION)).is_err());
}

#[test]
fn malformed_progress_is_an_error_and_never_none() {
    let rest = fixture!("rest_of_a_range");
    for (field, value, path) in [
        ("", Value::Null, ""),
        ("", json!("s3cret"), ""),
        ("/after", json!("s3cret"), ".after"),
        ("/after", json!(START_POSITION), ".after"),
        ("/startSequenceNumber", Value::Null, ".startSequenceNumber"),
        ("/startSequenceNumber", json!(format!("{END_POSITION}0")), ".startSequenceNumber"),
        ("/found", json!(-1), ".found"),
        ("/found", json!(u64::MAX), ".found"),
        ("/accounted", json!("2"), ".accounted"),
    ] {
        let body = changed(rest, &format!("/hydratorProgress{field}"), value);
        refused(OnFailureMessage::parse(&body).unwrap_err(), &format!("$.hydratorProgress{path}"));
        refused(Envelope::parse(&by_sns(&body)).unwrap_err(), &format!("$.Message.hydratorProgress{path}"));
    }
}

#[test]
fn what_others_could_not_read_again_is_refused() {
    let unknown = |value: &str| KINESIS.replacen('{', &format!("{{\"unknown\":{value},"), 1);
    let nested = |levels: usize| unknown(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    parse(&nested(31));
    let private = unknown(r#"{"$serde_json::private::RawValue":1}"#);
    for value in [nested(32), nested(1_000_000), private, unknown(r#""\ud800""#), unknown("1e999")] {
        refused(OnFailureMessage::parse(&value).unwrap_err(), "$");
    }
}

#[test]
fn nesting_without_end_costs_no_stack() {
    let check = || {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\"$serde_json::private::RawValue\":", "}")] {
            let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            for body in [
                deep.clone(),
                KINESIS.replacen('{', &format!("{{\"payload\":{{\"Records\":[{deep}]}},"), 1),
                KINESIS.replacen('{', &format!("{{\"hydratorProgress\":{deep},"), 1),
                KINESIS.replacen("\"requestId\":", &format!("\"requestId\":{deep},\"x\":"), 1),
                format!("{{\"Records\":{deep}}}"),
                format!("{{\"detail-type\":{deep}}}"),
                format!("{{\"Type\":{deep},\"Message\":{deep}}}"),
            ] {
                for body in [by_sns(&body), body] {
                    drop(Envelope::parse(&body));
                    drop(OnFailureMessage::parse(&body));
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(256 * 1024).spawn(check).unwrap().join().unwrap();
}
