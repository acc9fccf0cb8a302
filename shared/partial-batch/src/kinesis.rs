//! Kinesis records in Lambda's JSON.

use crate::RecordError;
use crate::payload_error::invalid_json;
use crate::source::{Record, Source, isolated, lenient, object, sequence_number};
use records::is_object;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::marker::PhantomData;

/// Kinesis records whose data is the JSON of a `T`, an object.
#[derive(Debug)]
pub struct JsonPayload<T>(PhantomData<fn() -> T>);

impl<T> JsonPayload<T> {
    /// The source for payloads of type `T`.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for JsonPayload<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Kinesis records whose data is handed over as bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawPayload;

impl Source for RawPayload {
    type Payload = Vec<u8>;

    fn decode(&self, record: &RawValue) -> Record<Vec<u8>> {
        decode(record, Ok)
    }
}

impl<T: DeserializeOwned> Source for JsonPayload<T> {
    type Payload = T;

    fn decode(&self, record: &RawValue) -> Record<T> {
        decode(record, |data| {
            let payload = serde_json::from_slice(&data).map_err(|error| invalid_json("the payload", &error))?;
            if is_object(&data) { Ok(payload) } else { Err(RecordError::invalid("the payload is no JSON object")) }
        })
    }
}

/// The envelope, field by field raw, so that a broken field costs only itself.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    kinesis: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow)]
    sequence_number: Option<&'a RawValue>,
    #[serde(borrow)]
    partition_key: Option<&'a RawValue>,
    #[serde(borrow)]
    approximate_arrival_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

fn decode<T>(record: &RawValue, payload: impl FnOnce(Vec<u8>) -> Result<T, RecordError>) -> Record<T> {
    let decoded = object::<Envelope<'_>>(record).and_then(|envelope| object::<Fields<'_>>(envelope.kinesis));
    let Some(kinesis) = decoded else {
        return Record::undecodable(&RecordError::invalid(
            "the record is no Kinesis record: expected an object `kinesis`",
        ));
    };
    Record {
        sequence_number: sequence_number("kinesis.sequenceNumber", kinesis.sequence_number),
        key: lenient(kinesis.partition_key).unwrap_or_default(),
        arrival: lenient(kinesis.approximate_arrival_timestamp),
        payload: data(kinesis.data).and_then(|data| isolated(|| payload(data))),
    }
}

fn data(value: Option<&RawValue>) -> Result<Vec<u8>, RecordError> {
    let Some(value) = value else {
        return Err(RecordError::invalid("the record has no `kinesis.data`"));
    };
    let Ok(text) = serde_json::from_str::<Cow<'_, str>>(value.get()) else {
        return Err(RecordError::invalid("`kinesis.data` is no string"));
    };
    base64_simd::STANDARD
        .decode_to_vec(text.as_bytes())
        .map_err(|_| RecordError::invalid("`kinesis.data` is no standard base64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordErrorKind;

    fn record(json: &str) -> Record<Vec<u8>> {
        RawPayload.decode(&RawValue::from_string(json.to_owned()).unwrap())
    }

    fn check(json: &str, number: Result<&str, &str>, payload: Result<&[u8], &str>) {
        let record = record(json);
        let got = record.sequence_number.as_ref().map(|n| n.as_str()).map_err(ToString::to_string);
        assert_eq!(got, number.map_err(str::to_owned), "{json}");
        assert_eq!(record.payload.map_err(|e| e.to_string()), payload.map(<[u8]>::to_vec).map_err(str::to_owned));
    }

    #[test]
    fn a_whole_record_is_read() {
        let json = r#"{"kinesis":{"partitionKey":"c-1","sequenceNumber":"0012","data":"AAH/",
            "approximateArrivalTimestamp":1545084650.5},"eventID":"x"}"#;
        check(json, Ok("0012"), Ok(&[0, 1, 255]));
        let record = record(json);
        assert_eq!((record.key.as_str(), record.arrival.map(|at| at.0)), ("c-1", Some(1_545_084_650_500)));
    }

    #[test]
    fn a_broken_field_costs_only_itself() {
        check(r#"{"kinesis":{"sequenceNumber":"7"}}"#, Ok("7"), Err("the record has no `kinesis.data`"));
        check(r#"{"kinesis":{"sequenceNumber":"7","data":5}}"#, Ok("7"), Err("`kinesis.data` is no string"));
        check(r#"{"kinesis":{"sequenceNumber":"7","data":"A"}}"#, Ok("7"), Err("`kinesis.data` is no standard base64"));
        check(r#"{"kinesis":{"sequenceNumber":"7","data":"","partitionKey":[]}}"#, Ok("7"), Ok(&[]));
        let no_digits = "`kinesis.sequenceNumber` is no string of decimal digits";
        check(r#"{"kinesis":{"sequenceNumber":"","data":"AA=="}}"#, Err(no_digits), Ok(&[0]));
        check(r#"{"kinesis":{"sequenceNumber":7,"data":"AA=="}}"#, Err(no_digits), Ok(&[0]));
        check(r#"{"kinesis":{"data":"AA=="}}"#, Err("the record has no `kinesis.sequenceNumber`"), Ok(&[0]));
    }

    #[test]
    fn an_order_has_to_name_its_fields_and_a_panic_in_its_reading_is_its_own() {
        #[derive(Debug, Deserialize)]
        struct Order {
            #[serde(deserialize_with = "panics_at_zero")]
            amount: u8,
        }
        fn panics_at_zero<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
            let amount = u8::deserialize(deserializer)?;
            assert!(amount > 0, "a bug");
            Ok(amount)
        }
        let read = |json: &str| {
            let data = base64_simd::STANDARD.encode_to_string(json);
            let record = format!(r#"{{"kinesis":{{"sequenceNumber":"7","data":"{data}"}}}}"#);
            let record = JsonPayload::<Order>::new().decode(&RawValue::from_string(record).unwrap());
            record.payload.map(|order| order.amount).map_err(|error| error.kind())
        };
        assert_eq!(read(r#" {"amount":1}"#), Ok(1));
        assert_eq!(read("[1]"), Err(RecordErrorKind::Invalid));
        assert_eq!(read(r#"{"amount":0}"#), Err(RecordErrorKind::Panicked));
    }

    #[test]
    fn what_is_no_kinesis_record_says_so() {
        let error = "the record is no Kinesis record: expected an object `kinesis`";
        let by_position = r#"{"kinesis":["5",null,null,"AA=="]}"#;
        for json in ["{}", "null", "5", r#"{"dynamodb":{}}"#, r#"{"kinesis":null}"#, by_position, r#"[{"data":""}]"#] {
            check(json, Err(error), Err(error));
        }
    }
}
