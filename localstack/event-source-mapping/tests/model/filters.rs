//! `FilterCriteria`: what is dropped counts as handled, and is never invoked with.

use crate::world::{START, STREAM, settings};
use event_source_mapping::{
    Action, Ending, FunctionResult, Input, Mapping, Response, SettingsBuilder, StreamRecord, Timing,
};
use records::{EpochMillis, FilterCriteria, SequenceNumber, ShardId, StreamKind};
use serde_json::{Value, json};

/// A record with something to look at.
#[derive(Debug, Clone)]
struct Order {
    number: SequenceNumber,
    delivered: Value,
}

impl Order {
    fn kinesis(number: u64, amount: u64) -> Self {
        let data = base64_of(&json!({ "amount": amount }).to_string());
        let delivered = json!({"eventSourceARN": STREAM, "kinesis": {"partitionKey": "a", "data": data}});
        Self { number: SequenceNumber::parse(&number.to_string()).unwrap(), delivered }
    }

    fn dynamodb(number: u64, event_name: &str) -> Self {
        let delivered = json!({"eventName": event_name, "dynamodb": {"Keys": {"id": {"S": "a"}}}});
        Self { number: SequenceNumber::parse(&number.to_string()).unwrap(), delivered }
    }
}

fn base64_of(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32, shift: u32| char::from(DIGITS[usize::try_from(bits >> shift & 63).unwrap()]);
    let group = |bytes: &[u8]| {
        let bits = bytes.iter().chain(&[0, 0]).take(3).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let text: String = [18, 12, 6, 0].iter().map(|shift| digit(bits, *shift)).collect();
        format!("{}{}", &text[..=bytes.len()], "=".repeat(3 - bytes.len()))
    };
    text.as_bytes().chunks(3).map(group).collect()
}

impl StreamRecord for Order {
    fn sequence_number(&self) -> &SequenceNumber {
        &self.number
    }

    fn arrival(&self) -> EpochMillis {
        START
    }

    fn payload_bytes(&self) -> usize {
        300
    }

    fn key_hash(&self) -> u64 {
        0
    }

    fn passes(&self, kind: StreamKind, filters: &FilterCriteria) -> bool {
        filters.passes(kind, &self.delivered)
    }
}

/// The records that ended, how, and where the checkpoint stands.
type Advance = (Vec<String>, Ending, Option<String>);

/// Runs a closed shard whose function handles everything: the invocations, and each advance.
fn run(settings: SettingsBuilder, stream: Vec<Order>) -> (Vec<Vec<String>>, Vec<Advance>) {
    let numbers = |batch: event_source_mapping::Batch<'_, Order>| {
        batch.iter().map(|order| order.number.as_str().to_owned()).collect::<Vec<_>>()
    };
    let mut mapping = Mapping::new(settings.build().unwrap(), Timing::default());
    let shard = mapping.add_shard(ShardId::parse("shardId-0").unwrap());
    let (mut input, mut invocations, mut advances) = (Input::Tick, Vec::new(), Vec::new());
    let mut stream = Some(stream);
    loop {
        input = match shard.step(START, input) {
            Action::Poll { .. } => Input::Polled { records: stream.take().unwrap_or_default(), end_of_shard: true },
            Action::Invoke(invocation) => {
                invocations.push(numbers(shard.batch(invocation.slot)));
                Response::from(FunctionResult::returned("null")).to(invocation.slot)
            }
            Action::Advance { ending, checkpoint, .. } => {
                let checkpoint = checkpoint.map(|number| number.as_str().to_owned());
                advances.push((numbers(shard.ended()), ending, checkpoint));
                Input::Tick
            }
            Action::Finished => return (invocations, advances),
            other => panic!("{other:?}"),
        };
    }
}

fn strings(numbers: &[&str]) -> Vec<String> {
    numbers.iter().map(|number| (*number).to_owned()).collect()
}

#[test]
fn what_the_filters_drop_is_done_without_an_invocation_and_the_checkpoint_passes_it() {
    let filtered =
        settings().filter_criteria(r#"{"Filters":[{"Pattern":"{\"data\":{\"amount\":[{\"numeric\":[\">\",10]}]}}"}]}"#);
    let stream = vec![Order::kinesis(1, 5), Order::kinesis(2, 11), Order::kinesis(3, 9), Order::kinesis(4, 12)];
    let (invocations, advances) = run(filtered, stream);
    assert_eq!(invocations, [strings(&["2", "4"])]);
    assert_eq!(
        advances,
        [
            (strings(&["1", "3"]), Ending::Filtered, Some("1".to_owned())),
            (strings(&["2", "4"]), Ending::Handled, Some("4".to_owned())),
        ]
    );
}

#[test]
fn a_page_of_which_nothing_passes_moves_the_checkpoint_to_its_end() {
    let filtered = settings().filter_criteria(r#"{"Filters":[{"Pattern":"{\"data\":{\"amount\":[1]}}"}]}"#);
    let (invocations, advances) = run(filtered, vec![Order::kinesis(1, 5), Order::kinesis(2, 6)]);
    assert!(invocations.is_empty());
    assert_eq!(advances, [(strings(&["1", "2"]), Ending::Filtered, Some("2".to_owned()))]);
}

#[test]
fn patterns_are_alternatives_and_a_table_is_filtered_by_its_own_fields() {
    const TABLE: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123";
    let filtered = event_source_mapping::Settings::builder(TABLE, "orders").filter_criteria(
        r#"{"Filters":[{"Pattern":"{\"eventName\":[\"INSERT\"]}"},{"Pattern":"{\"eventName\":[\"REMOVE\"]}"}]}"#,
    );
    let stream = vec![Order::dynamodb(1, "INSERT"), Order::dynamodb(2, "MODIFY"), Order::dynamodb(3, "REMOVE")];
    assert_eq!(run(filtered, stream).0, [strings(&["1", "3"])]);
}
