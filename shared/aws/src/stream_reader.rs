//! Kinesis and DynamoDB Streams behind the trait that the hydrator reads through.

use crate::Clients;
use crate::clients::chain;
use crate::sdk_records::{dynamodb_record, kinesis_record};
use aws_sdk_dynamodbstreams::types::ShardIteratorType as DynamoDbPosition;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::types::ShardIteratorType as KinesisPosition;
use records::{ShardId, StreamArn, StreamKind, StreamRecord};
use recovery::{Page, Position, ReadError, ReadErrorKind, ShardIterator, StreamReader};
use std::time::Duration;

/// Reads shards of both kinds of stream; the ARN says which.
#[derive(Debug, Clone)]
pub struct AwsStreamReader {
    clients: Clients,
}

impl AwsStreamReader {
    /// A reader on these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { clients }
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

    async fn kinesis_retention(&self, stream: &StreamArn) -> Result<Duration, ReadError> {
        let answer = self.clients.kinesis().describe_stream_summary().stream_arn(stream.as_str()).send().await;
        let answer = answer.map_err(|error| read_error("describe", stream.as_str(), &error))?;
        let summary = answer.stream_description_summary.ok_or_else(|| incomplete(stream, "summary"))?;
        let hours = u64::try_from(summary.retention_period_hours).map_err(|_| incomplete(stream, "retention"))?;
        Ok(Duration::from_secs(hours * 60 * 60))
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

    async fn retention(&self, stream: &StreamArn) -> Result<Duration, ReadError> {
        match stream.kind() {
            StreamKind::Kinesis => self.kinesis_retention(stream).await,
            StreamKind::DynamoDb => Ok(DYNAMODB_RETENTION),
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

fn read_error<E, R>(operation: &str, object: &str, error: &SdkError<E, R>) -> ReadError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let kind = error.code().map_or(ReadErrorKind::Other, kind_of);
    let reason = match (error.code(), error.message()) {
        (Some(code), message) => format!("{code}: {}", message.unwrap_or("no message")),
        (None, _) => chain(error),
    };
    ReadError { kind, message: format!("failed to {operation} `{object}`: {reason}") }
}

/// What an error code means. Texts are for people.
fn kind_of(code: &str) -> ReadErrorKind {
    match code {
        "ExpiredIteratorException" => ReadErrorKind::ExpiredIterator,
        "TrimmedDataAccessException" => ReadErrorKind::Trimmed,
        "ResourceNotFoundException" => ReadErrorKind::Gone,
        "InvalidArgumentException" | "ValidationException" => ReadErrorKind::ForeignPosition,
        "ProvisionedThroughputExceededException" | "LimitExceededException" | "KMSThrottlingException" => {
            ReadErrorKind::Throttled
        }
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
        for (code, kind) in [
            ("ExpiredIteratorException", ReadErrorKind::ExpiredIterator),
            ("TrimmedDataAccessException", ReadErrorKind::Trimmed),
            ("ResourceNotFoundException", ReadErrorKind::Gone),
            ("InvalidArgumentException", ReadErrorKind::ForeignPosition),
            ("ValidationException", ReadErrorKind::ForeignPosition),
            ("ProvisionedThroughputExceededException", ReadErrorKind::Throttled),
            ("LimitExceededException", ReadErrorKind::Throttled),
            ("KMSThrottlingException", ReadErrorKind::Throttled),
            ("AccessDeniedException", ReadErrorKind::Other),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }
}
