//! Kinesis records in Lambda's JSON.

use crate::source::{OriginKind, Record, Source, lenient, object, once, read_records, sequence_number, text, valid};
use crate::{Format, JsonPayload, RawPayload, RecordError, Text};
use records::kpl::{self, Aggregate};
use records::{Habit, JsonText, Refused};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Records of a Kinesis stream, whose data has the format `F`.
#[derive(Debug, Clone, Copy)]
pub struct Kinesis<F> {
    format: F,
    kpl: bool,
}

impl Kinesis<RawPayload> {
    /// Records whose data is handed over as bytes.
    #[must_use]
    pub fn raw() -> Self {
        Self::new(RawPayload)
    }

    /// Records whose data is the JSON of a `P`, an object.
    #[must_use]
    pub fn json<P>() -> Kinesis<JsonPayload<P>> {
        Kinesis::new(JsonPayload::new())
    }
}

impl<F> Kinesis<F> {
    /// Records whose data has the format. What the Kinesis Producer Library has packed is taken apart.
    #[must_use]
    pub fn new(format: F) -> Self {
        Self { format, kpl: true }
    }

    /// Whether aggregated records are taken apart, or handed over as they are.
    #[must_use]
    pub fn with_kpl(self, kpl: bool) -> Self {
        Self { kpl, ..self }
    }
}

/// The record, field by field raw, so that a broken field costs only itself.
#[derive(Deserialize)]
struct Unusual<'e> {
    #[serde(borrow)]
    kinesis: &'e RawValue,
    #[serde(borrow, rename = "eventID")]
    event_id: Option<&'e RawValue>,
    #[serde(borrow, rename = "eventSourceARN")]
    stream: Option<&'e RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UnusualFields<'e> {
    #[serde(borrow)]
    sequence_number: Option<&'e RawValue>,
    #[serde(borrow)]
    partition_key: Option<&'e RawValue>,
    #[serde(borrow)]
    approximate_arrival_timestamp: Option<&'e RawValue>,
    #[serde(borrow)]
    data: Option<&'e RawValue>,
}

impl<F: Format> Source for Kinesis<F> {
    /// The data as base64.
    type Body<'e> = Cow<'e, str>;
    type Parts = Aggregate<Vec<u8>>;
    type Payload<'p> = F::Payload<'p>;

    const ORIGIN: OriginKind = OriginKind::Shard;

    fn read_event<'e>(&self, event: &'e [u8]) -> Option<Vec<Record<'e, Self::Body<'e>>>> {
        let mut habits = Habits::default();
        read_records(event, |text| usual(text, &mut habits))
    }

    fn read_record<'e>(&self, record: &'e RawValue) -> Record<'e, Self::Body<'e>> {
        let decoded = object::<Unusual<'_>>(record).and_then(|record| {
            let fields = object::<UnusualFields<'_>>(record.kinesis)?;
            Some((record, fields))
        });
        let Some((record, fields)) = decoded else {
            let error = "the record is no Kinesis record: expected an object `kinesis`";
            return Record::undecodable(&RecordError::invalid(error));
        };
        Record {
            sequence_number: sequence_number("kinesis.sequenceNumber", fields.sequence_number),
            stream: text(record.stream),
            origin: shard_of(text(record.event_id)),
            key: text(fields.partition_key),
            arrival: lenient(fields.approximate_arrival_timestamp),
            body: data(fields.data),
        }
    }

    fn parts(&self, body: &Cow<'_, str>) -> Option<Aggregate<Vec<u8>>> {
        if !self.kpl || !kpl::may_be_aggregated_base64(body.as_bytes()) {
            return None;
        }
        // What is no base64 is found out when the payload is read.
        kpl::disaggregate(base64_simd::STANDARD.decode_to_vec(body.as_bytes()).ok()?, None).ok()
    }

    fn part_count(&self, parts: &Aggregate<Vec<u8>>) -> usize {
        parts.len()
    }

    fn left_out(&self, parts: &Aggregate<Vec<u8>>) -> Option<RecordError> {
        parts.left_out().map(RecordError::invalid)
    }

    fn part_key<'a>(&self, parts: &'a Aggregate<Vec<u8>>, index: usize) -> Option<&'a str> {
        parts.get(index).map(|part| part.partition_key)
    }

    fn part_event(&self, record: &RawValue, parts: &Aggregate<Vec<u8>>, index: usize) -> Option<Box<RawValue>> {
        let part = parts.get(index)?;
        let mut event: serde_json::Value = serde_json::from_str(record.get()).ok()?;
        let kinesis = event.get_mut("kinesis")?.as_object_mut()?;
        kinesis.insert("partitionKey".to_owned(), part.partition_key.into());
        kinesis.insert("data".to_owned(), base64_simd::STANDARD.encode_to_string(part.data).into());
        serde_json::value::to_raw_value(&event).ok()
    }

    fn payload<'p, 'e: 'p>(
        &self,
        body: &'p Cow<'e, str>,
        buffer: &'p mut Vec<u8>,
    ) -> Result<F::Payload<'p>, RecordError> {
        let base64 = body.as_bytes();
        buffer.resize(base64_simd::STANDARD.estimated_decoded_length(base64.len()), 0);
        let data = base64_simd::STANDARD
            .decode(base64, base64_simd::Out::from_slice(buffer))
            .map_err(|_| RecordError::invalid("`kinesis.data` is no standard base64"))?;
        self.format.read(data)
    }

    fn part_payload<'p>(
        &self,
        parts: &'p Aggregate<Vec<u8>>,
        index: usize,
    ) -> Option<Result<F::Payload<'p>, RecordError>> {
        parts.get(index).map(|part| self.format.read(part.data))
    }
}

/// What the records of an event have in common.
#[derive(Default)]
struct Habits<'e> {
    record: Habit<'e>,
    kinesis: Habit<'e>,
}

/// Reads a record that is what Lambda sends, field by field as it should be.
fn usual<'e>(text: &mut JsonText<'e>, habits: &mut Habits<'e>) -> Result<Record<'e, Cow<'e, str>>, Refused> {
    let (mut kinesis, mut event_id, mut stream) = (None, None, None);
    text.object_like(&mut habits.record, |text, key, known| match key {
        "kinesis" => once(&mut kinesis, usual_fields(text, &mut habits.kinesis)?),
        "eventID" => once(&mut event_id, text.string()?),
        "eventSourceARN" => once(&mut stream, text.string_like(known)?),
        _ => text.raw_value_like(known).map(drop),
    })?;
    let mut record = kinesis.ok_or(Refused)?;
    record.origin = shard_of(event_id.ok_or(Refused)?);
    record.stream = stream.ok_or(Refused)?;
    Ok(record)
}

/// Reads what is within `kinesis`: a record of which it is not known where it comes from.
fn usual_fields<'e>(text: &mut JsonText<'e>, habit: &mut Habit<'e>) -> Result<Record<'e, Cow<'e, str>>, Refused> {
    let (mut sequence_number, mut partition_key, mut data, mut arrival) = (None, None, None, None);
    text.object_like(habit, |text, key, known| match key {
        "sequenceNumber" => once(&mut sequence_number, valid(text.string()?)?),
        "partitionKey" => once(&mut partition_key, text.string()?),
        "data" => once(&mut data, text.long_string()?),
        "approximateArrivalTimestamp" => once(&mut arrival, text.moment()?),
        _ => text.raw_value_like(known).map(drop),
    })?;
    Ok(Record {
        sequence_number: Ok(sequence_number.ok_or(Refused)?),
        stream: Cow::Borrowed(""),
        origin: Cow::Borrowed(""),
        key: partition_key.ok_or(Refused)?,
        arrival,
        body: Ok(Cow::Borrowed(data.ok_or(Refused)?)),
    })
}

/// `shardId-000000000006` of `shardId-000000000006:4959...`.
fn shard_of(event_id: Cow<'_, str>) -> Cow<'_, str> {
    let length = memchr::memchr(b':', event_id.as_bytes()).unwrap_or(event_id.len());
    match event_id {
        Cow::Borrowed(event_id) => Cow::Borrowed(&event_id[..length]),
        Cow::Owned(mut event_id) => {
            event_id.truncate(length);
            Cow::Owned(event_id)
        }
    }
}

fn data(value: Option<&RawValue>) -> Result<Cow<'_, str>, RecordError> {
    let Some(value) = value else {
        return Err(RecordError::invalid("the record has no `kinesis.data`"));
    };
    let text = lenient::<Text<'_>>(Some(value)).map(Text::into_inner);
    text.ok_or_else(|| RecordError::invalid("`kinesis.data` is no string"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordErrorKind;
    use records::EpochMillis;
    use records::kpl::SubRecord;
    use serde::Deserialize;

    fn record(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn payload(record: &Record<'_, Cow<'_, str>>) -> Result<Vec<u8>, String> {
        let body = record.body.as_ref().map_err(ToString::to_string)?;
        Kinesis::raw().payload(body, &mut vec![0; 99]).map(<[u8]>::to_vec).map_err(|error| error.to_string())
    }

    fn check(json: &str, number: Result<&str, &str>, data: Result<&[u8], &str>) {
        let json = record(json);
        let record = Kinesis::raw().read_record(&json);
        let got = record.sequence_number.as_ref().map(|number| number.as_ref()).map_err(ToString::to_string);
        assert_eq!(got, number.map_err(str::to_owned), "{json}");
        assert_eq!(payload(&record), data.map(<[u8]>::to_vec).map_err(str::to_owned), "{json}");
    }

    #[test]
    fn a_whole_record_is_read() {
        let json = r#"{"kinesis":{"partitionKey":"c-1","sequenceNumber":"0012","data":"AAH/",
            "approximateArrivalTimestamp":1545084650.5},"eventID":"shardId-6:0012","eventSourceARN":"arn"}"#;
        check(json, Ok("0012"), Ok(&[0, 1, 255]));
        let json = record(json);
        let record = Kinesis::raw().read_record(&json);
        assert_eq!((record.key.as_ref(), record.arrival), ("c-1", Some(EpochMillis(1_545_084_650_500))));
        assert_eq!((record.origin.as_ref(), record.stream.as_ref()), ("shardId-6", "arn"));
    }

    #[test]
    fn a_broken_field_costs_only_itself() {
        check(r#"{"kinesis":{"sequenceNumber":"7"}}"#, Ok("7"), Err("the record has no `kinesis.data`"));
        check(r#"{"kinesis":{"sequenceNumber":"7","data":5}}"#, Ok("7"), Err("`kinesis.data` is no string"));
        check(r#"{"kinesis":{"sequenceNumber":"7","data":"A"}}"#, Ok("7"), Err("`kinesis.data` is no standard base64"));
        check(r#"{"kinesis":{"sequenceNumber":"7","data":"","partitionKey":[]}}"#, Ok("7"), Ok(&[]));
        check(r#"{"kinesis":{"sequenceNumber":"\u0037","data":"A\u0041=="},"eventID":7}"#, Ok("7"), Ok(&[0]));
        let no_digits = "`kinesis.sequenceNumber` is no string of decimal digits";
        check(r#"{"kinesis":{"sequenceNumber":"","data":"AA=="}}"#, Err(no_digits), Ok(&[0]));
        check(r#"{"kinesis":{"sequenceNumber":7,"data":"AA=="}}"#, Err(no_digits), Ok(&[0]));
        check(r#"{"kinesis":{"data":"AA=="}}"#, Err("the record has no `kinesis.sequenceNumber`"), Ok(&[0]));
    }

    #[test]
    fn what_is_no_kinesis_record_says_so() {
        let error = "the record is no Kinesis record: expected an object `kinesis`";
        let by_position = r#"{"kinesis":["5",null,null,"AA=="]}"#;
        for json in ["{}", "null", "5", r#"{"dynamodb":{}}"#, r#"{"kinesis":null}"#, by_position, r#"[{"data":""}]"#] {
            check(json, Err(error), Err(error));
        }
    }

    #[test]
    fn an_order_has_to_name_its_fields() {
        #[derive(Debug, Deserialize)]
        struct Order {
            amount: u8,
        }
        let read = |json: &str| {
            let body = Cow::Owned(base64_simd::STANDARD.encode_to_string(json));
            let mut buffer = Vec::new();
            let order = Kinesis::json::<Order>().payload(&body, &mut buffer);
            order.map(|order| order.amount).map_err(|error| (error.kind(), error.to_string()))
        };
        assert_eq!(read(r#" {"amount":1}"#), Ok(1));
        let invalid = |message: &str| Err((RecordErrorKind::Invalid, message.to_owned()));
        assert_eq!(read("[1]"), invalid("the payload is no JSON object"));
        assert_eq!(read(""), invalid("the payload is malformed JSON at line 1 column 0"));
        assert_eq!(read("{}"), invalid("the payload does not fit: missing field `amount` at line 1 column 2"));
    }

    #[test]
    fn an_event_that_nests_without_end_is_no_trouble() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(500_000), close.repeat(500_000));
            let event = |field: &str, inner: &str, fields: &str| {
                format!(r#"{{"Records":[{{"kinesis":{{{fields}"sequenceNumber":"1"}}{inner}}}]{field}}}"#)
            };
            let field = format!(r#","x":{deep}"#);
            let inside = format!(r#""x":{deep},"#);
            let number = format!(r#""sequenceNumber":{deep},"#);
            let records = format!(r#"{{"Records":{deep}}}"#);
            let record = format!(r#"{{"Records":[{deep}]}}"#);
            let events = [event(&field, "", ""), event("", &field, ""), event("", "", &inside), event("", "", &number)];
            for event in events.into_iter().chain([deep.clone(), records, record]) {
                assert!(Kinesis::raw().read_event(event.as_bytes()).is_none());
                let records = records::split_records(event.as_bytes()).unwrap_or_default();
                assert!(records.iter().all(|record| Kinesis::raw().read_record(record).body.is_err()));
            }
        }
    }

    #[test]
    fn a_part_becomes_a_record_of_its_own() {
        let part = SubRecord { partition_key: "p", explicit_hash_key: None, data: b"x" };
        let parts = kpl::disaggregate(kpl::aggregate(&[part]), None).unwrap();
        let outer = record(r#"{"kinesis":{"sequenceNumber":"7","data":"AA==","partitionKey":"o"},"eventID":"s:7"}"#);
        let event = Kinesis::raw().part_event(&outer, &parts, 0).unwrap();
        let event: serde_json::Value = serde_json::from_str(event.get()).unwrap();
        let expected = serde_json::json!({
            "kinesis": {"sequenceNumber": "7", "data": "eA==", "partitionKey": "p"}, "eventID": "s:7"
        });
        assert_eq!(event, expected);
    }
}
