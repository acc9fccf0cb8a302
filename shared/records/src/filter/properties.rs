//! What holds for any pattern and any event.

use super::{FilterCriteria, FilterPattern};
use crate::StreamKind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Words that patterns and events share, so that they meet.
const WORDS: [&str; 8] = ["a", "b", "a.b", "", "ab", "Ab", "10.0.0.1", "data"];

const OPERATORS: [&str; 10] = [
    "$or",
    "prefix",
    "suffix",
    "numeric",
    "exists",
    "anything-but",
    "wildcard",
    "cidr",
    "equals-ignore-case",
    "exactly",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-8_i32..9).prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        select(&WORDS[..]).prop_map(Value::from),
    ]
}

fn json_of(keys: impl Strategy<Value = &'static str> + Clone + 'static) -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((keys.clone(), inner), 0..4).prop_map(|fields| {
                Value::Object(Map::from_iter(fields.into_iter().map(|(key, value)| (key.to_owned(), value))))
            }),
        ]
    })
}

fn event() -> impl Strategy<Value = Value> {
    json_of(select(&WORDS[..])).prop_map(|value| json!({"a": value}))
}

/// JSON that comes close to a pattern, and often is one.
fn nearly_a_pattern() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![select(&WORDS[..]), select(&OPERATORS[..])];
    prop_oneof![
        json_of(keys.boxed()),
        vec(leaf(), 1..4).prop_map(|values| json!({"a": values})),
        (select(&OPERATORS[..]), leaf()).prop_map(|(operator, operand)| json!({"a": [{operator: operand}]})),
        (select(&OPERATORS[..]), leaf())
            .prop_map(|(inner, operand)| json!({"a": [{"anything-but": {inner: operand}}]})),
    ]
}

/// Whether an event matches a pattern that is one for certain.
fn matches(pattern: &Value, event: &Value) -> bool {
    FilterPattern::parse(&pattern.to_string()).unwrap().matches(event)
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC*") {
        let _ = FilterPattern::parse(&text);
        let _ = FilterCriteria::parse(&text);
    }

    #[test]
    fn any_json_is_parsed_or_refused_and_what_is_parsed_takes_any_event(
        pattern in nearly_a_pattern(),
        event in event(),
    ) {
        if let Ok(pattern) = FilterPattern::parse(&pattern.to_string()) {
            let _ = pattern.matches(&event);
        }
        if let Ok(criteria) = FilterCriteria::from_patterns([pattern.to_string().as_str()]) {
            let _ = criteria.passes(StreamKind::Kinesis, &json!({"kinesis": event}));
            let _ = criteria.passes(StreamKind::DynamoDb, &event);
        }
    }

    #[test]
    fn a_leaf_equals_itself(value in leaf()) {
        let equal = matches(&json!({"a": [value]}), &json!({"a": value}));
        prop_assert!(equal);
    }

    #[test]
    fn anything_but_is_the_negation_where_there_is_one_value(
        excluded in vec(select(&WORDS[..]), 1..4),
        numbers in vec(-3_i64..4, 1..4),
        value in leaf(),
    ) {
        let event = json!({"a": value});
        prop_assert_ne!(
            matches(&json!({"a": [{"anything-but": excluded}]}), &event),
            matches(&json!({"a": excluded}), &event)
        );
        prop_assert_ne!(
            matches(&json!({"a": [{"anything-but": numbers}]}), &event),
            matches(&json!({"a": numbers}), &event)
        );
    }

    #[test]
    fn exists_is_one_or_the_other(event in event(), field in select(&WORDS[..])) {
        let exists = |wanted: bool| matches(&json!({"a": {field: [{"exists": wanted}]}}), &event);
        prop_assert_ne!(exists(true), exists(false));
    }

    #[test]
    fn a_list_is_the_union_of_its_values(values in vec(leaf(), 1..4), event in event()) {
        let each = values.iter().any(|value| matches(&json!({"a": {"b": [value]}}), &event));
        prop_assert_eq!(matches(&json!({"a": {"b": values}}), &event), each);
    }

    #[test]
    fn or_is_the_union_of_its_alternatives(one in leaf(), two in leaf(), event in event()) {
        let (one, two) = (json!({"a": {"b": [one]}}), json!({"a": {"ab": [two]}}));
        let either = matches(&one, &event) || matches(&two, &event);
        prop_assert_eq!(matches(&json!({"$or": [&one, &two]}), &event), either);
        let criteria = FilterCriteria::from_patterns([one.to_string().as_str(), two.to_string().as_str()]).unwrap();
        prop_assert_eq!(criteria.passes(StreamKind::DynamoDb, &event), either);
    }

    #[test]
    fn a_numeric_range_is_what_lies_between_its_ends(bottom in -9_i64..9, length in 1_i64..9, value in -20_i64..20) {
        let top = bottom + length;
        let pattern = json!({"a": [{"numeric": [">", bottom, "<=", top]}]});
        prop_assert_eq!(matches(&pattern, &json!({"a": value})), bottom < value && value <= top);
    }
}
