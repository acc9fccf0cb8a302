//! Kinesis and DynamoDB Streams behind the trait that the hydrator reads through.

use crate::Clients;
use crate::call::reason;
use crate::sdk_records::{dynamodb_record, kinesis_record};
use aws_sdk_dynamodbstreams::types::ShardIteratorType as DynamoDbPosition;
use aws_sdk_kinesis::config::http::HttpResponse;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::types::ShardIteratorType as KinesisPosition;
use records::{EpochMillis, ShardId, StreamArn, StreamKind, StreamRecord};
use recovery::{Page, Position, ReadError, ReadErrorKind, ShardIterator, StreamReader, StreamSummary};
use std::time::Duration;

/// Reads shards of both kinds of stream; the ARN says which.
#[derive(Debug, Clone)]
pub struct AwsStreamReader {
    clients: Clients,
}

impl AwsStreamReader {
    /// A reader on these clients. It tries each call once: the hydrator knows its deadline, counts what it meets, and
    /// pauses by itself.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { clients: clients.reading_once(ATTEMPT_TIMEOUT) }
    }

    async fn kinesis_iterator(
        &self,
        stream: &StreamArn,
        shard: &ShardId,
        position: &Position,
    ) -> Result<ShardIterator, ReadError> {
        let (kind, number) = match position {
            Position::At(number) => (KinesisPosition::AtSequenceNumber, Some(number.to_string())),
            Position::After(number) => (KinesisPosition::AfterSequenceNumber, Some(number.to_string())),
            Position::TrimHorizon => (KinesisPosition::TrimHorizon, None),
            Position::Latest => (KinesisPosition::Latest, None),
        };
        let request = self.clients.kinesis().get_shard_iterator().stream_arn(stream.as_str()).shard_id(shard.as_str());
        let answer = request
            .shard_iterator_type(kind)
            .set_starting_sequence_number(number)
            .send()
            .await
            .map_err(|error| read_error("get an iterator for", &format!("{shard}` of `{stream}"), &error))?;
        answer.shard_iterator.map(ShardIterator).ok_or_else(|| incomplete(stream, "iterator"))
    }

    async fn dynamodb_iterator(
        &self,
        stream: &StreamArn,
        shard: &ShardId,
        position: &Position,
    ) -> Result<ShardIterator, ReadError> {
        let (kind, number) = match position {
            Position::At(number) => (DynamoDbPosition::AtSequenceNumber, Some(number.to_string())),
            Position::After(number) => (DynamoDbPosition::AfterSequenceNumber, Some(number.to_string())),
            Position::TrimHorizon => (DynamoDbPosition::TrimHorizon, None),
            Position::Latest => (DynamoDbPosition::Latest, None),
        };
        let client = self.clients.dynamodb_streams();
        let request = client.get_shard_iterator().stream_arn(stream.as_str()).shard_id(shard.as_str());
        let answer = request
            .shard_iterator_type(kind)
            .set_sequence_number(number)
            .send()
            .await
            .map_err(|error| read_error("get an iterator for", &format!("{shard}` of `{stream}"), &error))?;
        answer.shard_iterator.map(ShardIterator).ok_or_else(|| incomplete(stream, "iterator"))
    }

    async fn kinesis_page(&self, stream: &StreamArn, iterator: &str, limit: u32) -> Result<Page, ReadError> {
        let request = self.clients.kinesis().get_records().stream_arn(stream.as_str()).shard_iterator(iterator);
        let answer = request
            .limit(i32::try_from(limit.min(KINESIS_PAGE_LIMIT)).unwrap_or(1))
            .send()
            .await
            .map_err(|error| read_error("read", stream.as_str(), &error))?;
        // AWS always says how far behind the reader is. An answer without it is none of AWS's, and must not pass for the
        // end of a shard.
        let millis_behind = answer.millis_behind_latest.ok_or_else(|| incomplete(stream, "MillisBehindLatest"))?;
        let records = answer.records.into_iter().map(|record| kinesis_record(record).map(StreamRecord::Kinesis));
        Ok(Page {
            records: records.collect::<Result<_, _>>().map_err(|field| incomplete(stream, field))?,
            next: next_iterator(stream, answer.next_shard_iterator)?,
            at_tip: millis_behind == 0,
        })
    }

    async fn kinesis_summary(&self, stream: &StreamArn) -> Result<StreamSummary, ReadError> {
        let answer = self.clients.kinesis().describe_stream_summary().stream_arn(stream.as_str()).send().await;
        let answer = answer.map_err(|error| read_error("describe", stream.as_str(), &error))?;
        let summary = answer.stream_description_summary.ok_or_else(|| incomplete(stream, "summary"))?;
        let hours = u64::try_from(summary.retention_period_hours).map_err(|_| incomplete(stream, "retention"))?;
        let created = summary.stream_creation_timestamp.to_millis().ok().map(EpochMillis);
        Ok(StreamSummary { retention: Duration::from_secs(hours * 60 * 60), created })
    }

    async fn dynamodb_page(&self, stream: &StreamArn, iterator: &str, limit: u32) -> Result<Page, ReadError> {
        let request = self.clients.dynamodb_streams().get_records().shard_iterator(iterator);
        let answer = request
            .limit(i32::try_from(limit.min(DYNAMODB_PAGE_LIMIT)).unwrap_or(1))
            .send()
            .await
            .map_err(|error| read_error("read", stream.as_str(), &error))?;
        let records = answer.records.unwrap_or_default().into_iter();
        let records =
            records.map(|record| dynamodb_record(record).map(|record| StreamRecord::DynamoDb(Box::new(record))));
        Ok(Page {
            records: records.collect::<Result<_, _>>().map_err(|field| incomplete(stream, field))?,
            next: next_iterator(stream, answer.next_shard_iterator)?,
            // DynamoDB Streams gives no hint.
            at_tip: false,
        })
    }
}

/// How long a call may take. A page of 10 MB comes within two seconds; what takes longer than this is a lost connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The most that one GetRecords call takes as its limit.
const KINESIS_PAGE_LIMIT: u32 = 10_000;
const DYNAMODB_PAGE_LIMIT: u32 = 1_000;

/// Fixed, and documented as such.
const DYNAMODB_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

impl StreamReader for AwsStreamReader {
    async fn iterator(
        &self,
        stream: &StreamArn,
        shard: &ShardId,
        position: &Position,
    ) -> Result<ShardIterator, ReadError> {
        let iterator = match stream.kind() {
            StreamKind::Kinesis => self.kinesis_iterator(stream, shard, position).await,
            StreamKind::DynamoDb => self.dynamodb_iterator(stream, shard, position).await,
        };
        iterator.map_err(|error| gone_where_it_belongs(stream, self.clients.region(), error))
    }

    async fn summary(&self, stream: &StreamArn) -> Result<StreamSummary, ReadError> {
        match stream.kind() {
            StreamKind::Kinesis => self.kinesis_summary(stream).await,
            // The stream of a table that was made again has another ARN.
            StreamKind::DynamoDb => Ok(StreamSummary { retention: DYNAMODB_RETENTION, created: None }),
        }
    }

    async fn page(&self, stream: &StreamArn, iterator: &ShardIterator, limit: u32) -> Result<Page, ReadError> {
        let page = match stream.kind() {
            StreamKind::Kinesis => self.kinesis_page(stream, &iterator.0, limit).await,
            StreamKind::DynamoDb => self.dynamodb_page(stream, &iterator.0, limit).await,
        };
        page.map_err(|error| gone_where_it_belongs(stream, self.clients.region(), error))
    }
}

/// None at the end of a closed shard. An empty one is none of AWS's, and must not pass for that.
fn next_iterator(stream: &StreamArn, next: Option<String>) -> Result<Option<ShardIterator>, ReadError> {
    match next {
        Some(next) if next.is_empty() => Err(incomplete(stream, "iterator")),
        next => Ok(next.map(ShardIterator)),
    }
}

/// A stream that is not found in another region than its own proves nothing.
fn gone_where_it_belongs(stream: &StreamArn, client_region: Option<&str>, error: ReadError) -> ReadError {
    match client_region {
        Some(region) if error.kind == ReadErrorKind::Gone && region != stream.region() => ReadError {
            kind: ReadErrorKind::Other,
            message: format!(
                "{}: asked in `{region}`, while the stream belongs to `{}`",
                error.message,
                stream.region()
            ),
        },
        _ => error,
    }
}

fn read_error<E>(operation: &str, object: &str, error: &SdkError<E, HttpResponse>) -> ReadError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let kind = match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => ReadErrorKind::Transient,
        // Missing credentials, or a bundle of roots that cannot be read, fail again; what the network does may not.
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => ReadErrorKind::Transient,
        SdkError::DispatchFailure(failure) if failure.as_other().is_some() => ReadErrorKind::Transient,
        SdkError::ServiceError(answer) => kind_of(error.code(), answer.raw().status().as_u16()),
        _ => ReadErrorKind::Other,
    };
    ReadError { kind, message: format!("failed to {operation} `{object}`: {}", reason(error)) }
}

/// What an error code means, or the HTTP status where the code is missing or unknown. Texts are for people.
fn kind_of(code: Option<&str>, status: u16) -> ReadErrorKind {
    match code.unwrap_or_default() {
        "ExpiredIteratorException" => ReadErrorKind::ExpiredIterator,
        "TrimmedDataAccessException" => ReadErrorKind::Trimmed,
        "ResourceNotFoundException" => ReadErrorKind::Gone,
        "InvalidArgumentException" | "ValidationException" => ReadErrorKind::ForeignPosition,
        "ProvisionedThroughputExceededException"
        | "LimitExceededException"
        | "KMSThrottlingException"
        | "RequestLimitExceeded"
        | "ThrottlingException" => ReadErrorKind::Throttled,
        "InternalFailure" | "InternalServerError" | "ServiceUnavailable" => ReadErrorKind::Transient,
        _ if status == 429 => ReadErrorKind::Throttled,
        _ if status >= 500 => ReadErrorKind::Transient,
        _ => ReadErrorKind::Other,
    }
}

fn incomplete(stream: &StreamArn, field: &str) -> ReadError {
    let message = format!("failed to read `{stream}`: the answer has no valid {field}");
    ReadError { kind: ReadErrorKind::Other, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_is_missing_in_another_region_is_not_gone() {
        let stream = StreamArn::parse("arn:aws:kinesis:eu-west-1:111122223333:stream/orders").unwrap();
        let kind = |region| {
            let error = ReadError { kind: ReadErrorKind::Gone, message: "not found".to_owned() };
            gone_where_it_belongs(&stream, region, error).kind
        };
        assert_eq!(kind(Some("eu-west-1")), ReadErrorKind::Gone);
        assert_eq!(kind(Some("us-east-1")), ReadErrorKind::Other);
    }

    #[test]
    fn error_codes_say_what_to_do() {
        for (code, status, kind) in [
            ("ExpiredIteratorException", 400, ReadErrorKind::ExpiredIterator),
            ("TrimmedDataAccessException", 400, ReadErrorKind::Trimmed),
            ("ResourceNotFoundException", 400, ReadErrorKind::Gone),
            ("InvalidArgumentException", 400, ReadErrorKind::ForeignPosition),
            ("ValidationException", 400, ReadErrorKind::ForeignPosition),
            ("ProvisionedThroughputExceededException", 400, ReadErrorKind::Throttled),
            ("LimitExceededException", 400, ReadErrorKind::Throttled),
            ("KMSThrottlingException", 400, ReadErrorKind::Throttled),
            ("ThrottlingException", 400, ReadErrorKind::Throttled),
            ("RequestLimitExceeded", 503, ReadErrorKind::Throttled),
            ("", 429, ReadErrorKind::Throttled),
            ("InternalFailure", 500, ReadErrorKind::Transient),
            ("InternalServerError", 500, ReadErrorKind::Transient),
            ("ServiceUnavailable", 503, ReadErrorKind::Transient),
            ("SomethingNew", 502, ReadErrorKind::Transient),
            ("", 504, ReadErrorKind::Transient),
            ("AccessDeniedException", 400, ReadErrorKind::Other),
            ("", 403, ReadErrorKind::Other),
        ] {
            let code = Some(code).filter(|code| !code.is_empty());
            assert_eq!(kind_of(code, status), kind, "{code:?} with {status}");
        }
    }

    /// What comes of one call to a Kinesis at this endpoint.
    async fn kind_of_call(kinesis: &str) -> Option<ReadErrorKind> {
        let reader = AwsStreamReader::new(Clients::for_endpoints(kinesis, "http://h", "http://h", "us-east-1"));
        let stream = StreamArn::parse("arn:aws:kinesis:us-east-1:111122223333:stream/orders").unwrap();
        reader.summary(&stream).await.err().map(|error| error.kind)
    }

    #[tokio::test]
    async fn a_service_that_cannot_be_reached_may_be_later() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(kind_of_call(&format!("http://{closed}")).await, Some(ReadErrorKind::Transient));
    }

    #[cfg(feature = "hydrator")]
    #[tokio::test]
    async fn a_call_is_tried_once_and_its_error_says_whether_to_try_again() {
        use crate::stand_in::{Answer, StandIn};
        for (status, code, kind) in [
            (500, "InternalFailure", ReadErrorKind::Transient),
            (503, "", ReadErrorKind::Transient),
            (400, "LimitExceededException", ReadErrorKind::Throttled),
            (400, "ResourceNotFoundException", ReadErrorKind::Gone),
            (400, "AccessDeniedException", ReadErrorKind::Other),
        ] {
            let kinesis = StandIn::new(move |_| Answer::json(status, format!(r#"{{"__type":"{code}"}}"#)));
            assert_eq!(kind_of_call(kinesis.url()).await, Some(kind), "{status} {code}");
            assert_eq!(kinesis.requests().len(), 1, "{status} {code}");
        }
        let no_json = StandIn::new(|_| Answer::json(200, "<html>"));
        assert_eq!(kind_of_call(no_json.url()).await, Some(ReadErrorKind::Transient));
    }
}
