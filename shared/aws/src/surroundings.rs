//! S3, Lambda and SQS behind the trait for what the hydrator seldom asks.

use crate::Clients;
use crate::call::{chain, reason};
use crate::queue::{self, MessageAttributes};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use records::StreamArn;
use recovery::{OBJECT_BYTES_MAX, ObjectRef, ServiceError, Surroundings};
use std::fmt;
use std::sync::OnceLock;

/// Bounds the pages of a list of mappings, of 100 each. A function with thousands of mappings is none that this finds its
/// way in.
const MAPPING_PAGES_MAX: usize = 20;

/// Asks AWS.
#[derive(Debug, Clone)]
pub struct AwsSurroundings {
    clients: Clients,
    /// The hydrator's own queue: its ARN and its URL, once it was asked for.
    queue: OnceLock<(String, String)>,
}

impl AwsSurroundings {
    /// Surroundings behind these clients, of which none is built before it is used.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        Self { clients: clients.clone(), queue: OnceLock::new() }
    }

    /// The mappings of a function, whatever their sources: asked for by the stream, those of its consumers are left out.
    async fn mappings(&self, function_arn: &str) -> Result<Vec<EventSourceMappingConfiguration>, ServiceError> {
        const OPERATION: &str = "list the event source mappings of";
        let (mut mappings, mut marker) = (Vec::new(), None);
        for _ in 0..MAPPING_PAGES_MAX {
            let request = self.clients.lambda().list_event_source_mappings().function_name(function_arn);
            let listed = request
                .set_marker(marker.take())
                .send()
                .await
                .map_err(|error| failed(OPERATION, function_arn, &error))?;
            mappings.extend(listed.event_source_mappings.unwrap_or_default());
            marker = listed.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(mappings);
            }
        }
        Err(refused(OPERATION, function_arn, format_args!("more than {MAPPING_PAGES_MAX} pages")))
    }

    async fn queue_url(&self, queue_arn: &str) -> Result<String, ServiceError> {
        const OPERATION: &str = "find the url of";
        if let Some((arn, url)) = self.queue.get()
            && arn == queue_arn
        {
            return Ok(url.clone());
        }
        let parts: Vec<&str> = queue_arn.split(':').collect();
        let ["arn", _, "sqs", _, account, name] = parts[..] else {
            return Err(refused(OPERATION, queue_arn, "expected the ARN of an SQS queue"));
        };
        let request = self.clients.sqs().get_queue_url().queue_name(name).queue_owner_aws_account_id(account);
        let answer = request.send().await.map_err(|error| failed(OPERATION, queue_arn, &error))?;
        let url = answer.queue_url.ok_or_else(|| refused(OPERATION, queue_arn, "the answer has no url"))?;
        // Another queue than the first one is asked for each time: the hydrator has but one.
        let _ = self.queue.set((queue_arn.to_owned(), url.clone()));
        Ok(url)
    }
}

impl Surroundings for AwsSurroundings {
    async fn object(&self, object: &ObjectRef) -> Result<String, ServiceError> {
        const OPERATION: &str = "get object";
        let name = format!("s3://{}/{}", object.bucket, object.key);
        let request = self.clients.s3().get_object().bucket(&object.bucket).key(&object.key);
        let answer = request.set_version_id(object.version_id.clone()).send().await;
        let mut answer = answer.map_err(|error| failed(OPERATION, &name, &error))?;
        let too_large = || refused(OPERATION, &name, format_args!("it has more than {OBJECT_BYTES_MAX} bytes"));
        let length = answer.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        if length > OBJECT_BYTES_MAX {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        while let Some(piece) =
            answer.body.try_next().await.map_err(|error| refused(OPERATION, &name, chain(&error)))?
        {
            // The length is what the service says; this is what it sends.
            if bytes.len() as u64 + piece.len() as u64 > OBJECT_BYTES_MAX {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        String::from_utf8(bytes).map_err(|error| refused(OPERATION, &name, error.utf8_error()))
    }

    async fn filter_patterns(
        &self,
        function_arn: &str,
        stream: &StreamArn,
    ) -> Result<Option<Vec<String>>, ServiceError> {
        match self.mappings(function_arn).await {
            Ok(listed) => Ok(patterns_of_the_one(listed, stream)),
            Err(error) if error.is_missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send(&self, queue_arn: &str, body: &str) -> Result<(), ServiceError> {
        let url = self.queue_url(queue_arn).await?;
        let sent = queue::send(&self.clients, &url, body, &MessageAttributes::new()).await;
        sent.map(drop).map_err(|error| ServiceError { message: chain(&error), is_missing: false })
    }
}

/// The patterns of the one mapping that reads the stream, directly or as a consumer. `None` where there is none or more
/// than one, and where Lambda does not say: it keeps criteria to itself that are encrypted with a key of the customer's.
fn patterns_of_the_one(mappings: Vec<EventSourceMappingConfiguration>, stream: &StreamArn) -> Option<Vec<String>> {
    let consumers = format!("{stream}/consumer/");
    let reads = |source: &str| source == stream.as_str() || source.starts_with(&consumers);
    let mut mappings = mappings.into_iter().filter(|mapping| mapping.event_source_arn.as_deref().is_some_and(reads));
    let (mapping, None) = (mappings.next()?, mappings.next()) else { return None };
    if mapping.filter_criteria_error.is_some() {
        return None;
    }
    match mapping.filter_criteria {
        Some(criteria) => criteria.filters.unwrap_or_default().into_iter().map(|filter| filter.pattern).collect(),
        None if mapping.kms_key_arn.is_some() => None,
        None => Some(Vec::new()),
    }
}

/// Codes by which a service says that something is not there.
const MISSING: [&str; 6] =
    ["NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NotFound", "QueueDoesNotExist", "ResourceNotFoundException"];

fn failed<E, R>(operation: &str, object: &str, error: &SdkError<E, R>) -> ServiceError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug,
{
    let is_missing = error.code().is_some_and(|code| MISSING.contains(&code));
    ServiceError { is_missing, ..refused(operation, object, reason(error)) }
}

fn refused(operation: &str, object: &str, reason: impl fmt::Display) -> ServiceError {
    ServiceError { message: format!("failed to {operation} `{object}`: {reason}"), is_missing: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::{Answer, Request, StandIn};

    const STREAM: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";
    const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:orders:live";

    fn surroundings(answer: impl Fn(&Request) -> Answer + Send + 'static) -> (AwsSurroundings, StandIn) {
        let aws = StandIn::new(answer);
        let clients = Clients::for_endpoints("http://h", "http://h", aws.url(), "us-east-1");
        (AwsSurroundings::new(&clients.with_s3(aws.url()).with_lambda(aws.url())), aws)
    }

    fn object(key: &str) -> ObjectRef {
        ObjectRef { bucket: "failures".to_owned(), key: key.to_owned(), version_id: None, size_bytes: None }
    }

    #[tokio::test]
    async fn an_object_is_its_text() {
        let (surroundings, aws) = surroundings(|request| match &request.line {
            line if line.contains("missing") => Answer::xml(404, "<Error><Code>NoSuchKey</Code></Error>"),
            line if line.contains("denied") => Answer::xml(403, "<Error><Code>AccessDenied</Code></Error>"),
            _ => Answer::json(200, "{\"a\":\"\u{e9}\"}"),
        });
        assert_eq!(surroundings.object(&object("a b/+1")).await.unwrap(), "{\"a\":\"\u{e9}\"}");
        assert_eq!(aws.requests()[0].line, "GET /failures/a%20b/%2B1?x-id=GetObject");
        let error = surroundings.object(&object("missing")).await.unwrap_err();
        assert!(error.is_missing && error.message.contains("get object `s3://failures/missing`: NoSuchKey"), "{error}");
        assert!(!surroundings.object(&object("denied")).await.unwrap_err().is_missing);
    }

    #[tokio::test]
    async fn an_object_beyond_the_bound_is_not_read() {
        let (surroundings, _aws) =
            surroundings(|_| Answer::json(200, "x".repeat(usize::try_from(OBJECT_BYTES_MAX).unwrap() + 1)));
        let error = surroundings.object(&object("large")).await.unwrap_err();
        assert!(error.message.ends_with("it has more than 16777216 bytes") && !error.is_missing, "{error}");
    }

    /// The patterns that are found among mappings, given as their JSON.
    async fn patterns(mappings: &'static [&'static str]) -> Option<Vec<String>> {
        let (surroundings, aws) = surroundings(|request| {
            // A page each.
            let page: usize = request.line.split("Marker=").nth(1).map_or(0, |text| text[..1].parse().unwrap());
            let next = if page + 1 < mappings.len() { format!(r#""{}""#, page + 1) } else { "null".to_owned() };
            let mapping = mappings.get(page).copied().unwrap_or_default();
            Answer::json(200, format!(r#"{{"EventSourceMappings":[{mapping}],"NextMarker":{next}}}"#))
        });
        let found = surroundings.filter_patterns(FUNCTION, &StreamArn::parse(STREAM).unwrap()).await.unwrap();
        let function = "FunctionName=arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Aorders%3Alive";
        assert!(aws.requests().iter().all(|request| request.line.contains(function)), "{:?}", aws.requests());
        found
    }

    const PLAIN: &str = r#"{"EventSourceArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders"}"#;
    const FILTERED: &str = r#"{"EventSourceArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders",
        "FilterCriteria":{"Filters":[{"Pattern":"{\"a\":[1]}"},{"Pattern":"{}"}]}}"#;
    const ENCRYPTED: &str = r#"{"EventSourceArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders",
        "KMSKeyArn":"arn:aws:kms:us-east-1:111122223333:key/k"}"#;
    const UNREADABLE: &str = r#"{"EventSourceArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders",
        "FilterCriteriaError":{"ErrorCode":"AccessDenied","Message":"no"}}"#;
    const CONSUMER: &str = r#"{"EventSourceArn":
        "arn:aws:kinesis:us-east-1:111122223333:stream/orders/consumer/fast:1700000000",
        "FilterCriteria":{"Filters":[{"Pattern":"{}"}]}}"#;
    const OTHER: &str = r#"{"EventSourceArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders-2"}"#;

    #[tokio::test]
    async fn the_patterns_are_those_of_the_one_mapping_between_stream_and_function() {
        assert_eq!(patterns(&[]).await, None);
        assert_eq!(patterns(&[OTHER]).await, None);
        assert_eq!(patterns(&[PLAIN, OTHER]).await, Some(vec![]));
        assert_eq!(patterns(&[FILTERED]).await, Some(vec![r#"{"a":[1]}"#.to_owned(), "{}".to_owned()]));
        assert_eq!(patterns(&[PLAIN, FILTERED]).await, None, "which of the two it was, nobody knows");
        assert_eq!(patterns(&[PLAIN, CONSUMER]).await, None, "nor whether it was the stream or its consumer");
        assert_eq!(patterns(&[OTHER, CONSUMER]).await, Some(vec!["{}".to_owned()]));
    }

    #[tokio::test]
    async fn encrypted_criteria_are_unknown_and_not_absent() {
        assert_eq!(patterns(&[ENCRYPTED]).await, None);
        assert_eq!(patterns(&[UNREADABLE]).await, None);
    }

    #[tokio::test]
    async fn a_function_that_is_gone_has_no_mapping() {
        let (surroundings, _aws) =
            surroundings(|_| Answer::json(404, "{}").header("x-amzn-errortype", "ResourceNotFoundException"));
        let stream = StreamArn::parse(STREAM).unwrap();
        assert_eq!(surroundings.filter_patterns(FUNCTION, &stream).await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_url_of_the_own_queue_is_asked_for_once() {
        let (surroundings, aws) = surroundings(|request| {
            if request.head.contains("getqueueurl") || request.head.contains("GetQueueUrl") {
                Answer::json(200, r#"{"QueueUrl":"http://localhost/111122223333/failures"}"#)
            } else {
                Answer::json(200, r#"{"MessageId":"m-1","MD5OfMessageBody":"99914b932bd37a50b983c5e7c90ae93b"}"#)
            }
        });
        for _ in 0..2 {
            surroundings.send("arn:aws:sqs:us-east-1:111122223333:failures", "{}").await.unwrap();
        }
        let bodies: Vec<_> = aws.requests().into_iter().map(|request| request.body).collect();
        assert_eq!(bodies.len(), 3, "{bodies:?}");
        assert_eq!(bodies[0], r#"{"QueueName":"failures","QueueOwnerAWSAccountId":"111122223333"}"#);
        let error = surroundings.send("arn:aws:sns:us-east-1:111122223333:t", "{}").await.unwrap_err();
        assert!(error.message.ends_with("expected the ARN of an SQS queue"), "{error}");
    }
}
