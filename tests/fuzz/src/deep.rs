//! Nesting without end, in every place where somebody could put it: it ends in a refusal, and not in the stack.

use crate::TARGETS;
use partial_batch::testkit;

/// Half of what a thread gets by default, for a handler stands on the stack as well.
const STACK_BYTES: usize = 1 << 20;

/// What opens a level, and what closes it.
const BRACKETS: [(&str, &str); 8] = [
    ("[", "]"),
    ("{\"a\":", "}"),
    ("{\"more\":", "}"),
    ("{\"M\":{\"more\":", "}}"),
    ("{\"L\":[", "]}"),
    ("[\"]\",", "]"),
    ("{\"shop\":", "}"),
    ("{\"$serde_json::private::RawValue\":", "}"),
];

/// Around every bound that a reader has, and far beyond.
const DEPTHS: [usize; 13] = [1, 30, 31, 32, 33, 62, 63, 64, 99, 101, 127, 129, 30_000];

/// The places in which a value may stand.
fn inputs(value: &str) -> Vec<(&'static str, String)> {
    let kinesis = |inner: &str, outer: &str| {
        format!(
            r#"{{"Records":[{{"kinesis":{{"sequenceNumber":"1","data":"AA==","partitionKey":"a"{inner}}},"eventID":"s:1","eventSourceARN":"a"{outer}}}]}}"#
        )
    };
    let dynamodb = |inner: &str, outer: &str| {
        format!(
            r#"{{"Records":[{{"eventID":"e","eventName":"INSERT","eventSourceARN":"a","dynamodb":{{"SequenceNumber":"1"{inner}}}{outer}}}]}}"#
        )
    };
    let field = |name: &str| format!(",\"{name}\":{value}");
    let change = |image: &str| {
        format!(r#"{{"eventSource":"aws:dynamodb","eventName":"INSERT","dynamodb":{{"NewImage":{image}}}}}"#)
    };
    let data = |data: &str| testkit::kinesis_event([("a", data)]);
    let window = |records: &str, state: &str| {
        format!(
            r#"{{"Records":{records},"window":{{"start":"a","end":"b"}},"isFinalInvokeForWindow":true,"state":{state}}}"#
        )
    };
    let on_failure = |inner: &str, outer: &str| {
        format!(
            r#"{{"KinesisBatchInfo":{{"shardId":"s","startSequenceNumber":"1","endSequenceNumber":"2","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/o"{inner}}}{outer}}}"#
        )
    };
    let order = format!("{{\"id\":\"a\"{}}}", field("more"));
    let typed = format!(r#"{{"id":{{"S":"a"}},"more":{value}}}"#);
    vec![
        ("kinesis_event", value.to_owned()),
        ("kinesis_event", format!("{{\"Records\":{value}}}")),
        ("kinesis_event", format!("{{\"Records\":[{value}]}}")),
        ("kinesis_event", format!("{{\"Records\":[]{}}}", field("x"))),
        ("kinesis_event", kinesis(&field("x"), "")),
        ("kinesis_event", kinesis(&field("approximateArrivalTimestamp"), "")),
        ("kinesis_event", kinesis("", &field("x"))),
        ("kinesis_event", data(value)),
        ("kinesis_event", data(&order)),
        ("dynamodb_event", dynamodb(&field("Keys"), "")),
        ("dynamodb_event", dynamodb(&format!(",\"Keys\":{typed}"), "")),
        ("dynamodb_event", dynamodb(&format!(",\"Keys\":{{}},\"NewImage\":{typed}"), "")),
        ("dynamodb_event", dynamodb(&field("NewImage"), "")),
        ("dynamodb_event", dynamodb("", &field("userIdentity"))),
        ("dynamodb_event", dynamodb("", &field("x"))),
        ("window_event", window("[]", value)),
        ("window_event", window("[]", &order)),
        ("window_event", window(value, "{}")),
        ("kinesis_payload", value.to_owned()),
        ("kinesis_payload", order.clone()),
        ("kinesis_payload", format!("{{\"id\":\"a\"{}}}", field("lenient"))),
        ("kinesis_payload", format!("{{\"id\":\"a\"{}}}", field("channel"))),
        ("kinesis_payload", format!("{{\"id\":\"a\"{}}}", field("unknown"))),
        ("kinesis_payload", change(&typed)),
        ("kinesis_payload", change(value)),
        ("attribute_values", value.to_owned()),
        ("attribute_values", typed.clone()),
        ("attribute_values", format!(r#"{{"id":{{"S":"a"}},"lenient":{value}}}"#)),
        ("attribute_values", format!(r#"{{"id":{{"S":"a"}},"channel":{{"M":{value}}}}}"#)),
        ("on_failure", value.to_owned()),
        ("on_failure", on_failure("", &field("x"))),
        ("on_failure", on_failure(&field("x"), "")),
        ("on_failure", on_failure("", &field("requestContext"))),
        ("on_failure", on_failure("", &field("hydratorProgress"))),
        ("on_failure", on_failure("", &format!(",\"payload\":{{\"Records\":[{value}]}}"))),
        ("on_failure", format!("{{\"Records\":{value}}}")),
        ("on_failure", format!("{{\"detail-type\":\"Object Created\",\"source\":\"aws.s3\",\"detail\":{value}}}")),
    ]
}

#[test]
fn nesting_without_end_is_refused_within_half_a_stack() {
    let check = || {
        for (open, close) in BRACKETS {
            for depth in DEPTHS {
                for value in [
                    format!("{}1{}", open.repeat(depth), close.repeat(depth)),
                    format!("{}{{\"S\":\"x\"}}{}", open.repeat(depth), close.repeat(depth)),
                    open.repeat(depth),
                ] {
                    for (name, input) in inputs(&value) {
                        let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
                        target(input.as_bytes());
                    }
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(check).unwrap().join().unwrap();
}

#[test]
fn json_within_json_is_no_way_around_the_bound() {
    // Serde_json's own value reads the text under this key as JSON, and begins to count anew.
    let check = || {
        let mut json = "[".repeat(120) + &"]".repeat(120);
        for _ in 0..10 {
            let inner = serde_json::to_string(&json).unwrap();
            let (open, close) = ("[".repeat(120), "]".repeat(120));
            json = format!("{{\"a\":{open}{{\"$serde_json::private::RawValue\":{inner}}}{close}}}");
            for (name, target) in TARGETS {
                if ["kinesis_payload", "on_failure"].contains(&name) {
                    target(json.as_bytes());
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(2 * STACK_BYTES).spawn(check).unwrap().join().unwrap();
}
