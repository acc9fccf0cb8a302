//! The event: quickly where it is what Lambda sends, record by record where it is not.

use crate::Source;
use crate::source::Record;
use records::{EventError, split_records};

/// Takes the event apart. A record that cannot be read costs only itself: what is wrong with it is in its place.
pub(crate) fn read<'e, S: Source>(event: &'e [u8], source: &S) -> Result<Vec<Record<'e, S::Body<'e>>>, EventError> {
    match source.read_event(event) {
        Some(records) => Ok(records),
        None => read_carefully(event, source),
    }
}

fn read_carefully<'e, S: Source>(event: &'e [u8], source: &S) -> Result<Vec<Record<'e, S::Body<'e>>>, EventError> {
    Ok(split_records(event)?.into_iter().map(|record| source.read_record(record)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DynamoDb, Kinesis, testkit};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// What the quick way takes, the careful way takes too, and reads the same.
    fn check<S: Source>(event: &[u8], source: &S) -> Result<bool, TestCaseError>
    where
        for<'e> S::Body<'e>: PartialEq + std::fmt::Debug,
    {
        let Some(quick) = source.read_event(event) else { return Ok(false) };
        let text = String::from_utf8_lossy(event);
        let careful = read_carefully(event, source);
        prop_assert!(careful.as_ref().is_ok_and(|careful| *careful == quick), "{text}: {quick:?} / {careful:?}");
        Ok(true)
    }

    fn kinesis(keys: &[String], data: &[Vec<u8>]) -> String {
        testkit::kinesis_event(keys.iter().cloned().zip(data.iter().cloned()))
    }

    fn dynamodb(keys: &[String]) -> String {
        let image = |key: &String| json!({"id": {"S": key}, "n": {"N": "1"}, "l": {"L": [{"NULL": true}]}});
        let changes: Vec<_> =
            keys.iter().map(|key| ("MODIFY", json!({"id": {"S": key}}), image(key), Value::Null)).collect();
        testkit::dynamodb_event(&changes)
    }

    /// Breaks an event at one place: another byte, or a piece of JSON put in or in the place of another.
    fn broken(event: &str, at: prop::sample::Index, length: usize, with: &str) -> Vec<u8> {
        let mut bytes = event.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes.splice(at..(at + length).min(event.len()), with.bytes());
        bytes
    }

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(vec![
                "",
                "\"",
                "\\",
                "null",
                "{}",
                "[]",
                "1",
                "-",
                "1e999",
                ",",
                ":",
                "}",
                "]",
                "\u{0}",
                "\\u0041",
                "\\ud800",
                "\"Records\":[],",
                "\"kinesis\":{},",
                "\"sequenceNumber\":\"7\",",
                "\"data\":null,",
                " ",
                "tru",
                "\u{fffd}",
            ])
            .prop_map(str::to_owned),
            ".{0,3}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn both_ways_read_the_same(
            keys in prop::collection::vec(".{0,8}", 1..4),
            data in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 4),
            at: prop::sample::Index,
            length in 0..12_usize,
            with in piece(),
        ) {
            let (kinesis, dynamodb) = (kinesis(&keys, &data), dynamodb(&keys));
            prop_assert!(check(kinesis.as_bytes(), &Kinesis::raw())?, "what Lambda sends takes the quick way");
            prop_assert!(check(dynamodb.as_bytes(), &DynamoDb::<Value>::new())?, "what Lambda sends takes the quick way");
            check(&broken(&kinesis, at, length, &with), &Kinesis::raw())?;
            check(&broken(&dynamodb, at, length, &with), &DynamoDb::<Value>::new())?;
        }
    }
}
