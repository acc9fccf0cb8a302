//! The sink that `SINK` names: a queue, objects, or both.

use crate::{Clients, S3RangeWriter, S3Sink, SqsSink};
use recovery::{RangeName, RangeSink, RangeWriter, S3Prefix, Sink, SinkEntry, SinkError, SinkTargets};

/// Writes each range to all its targets. An entry is safe when each of them has it.
#[derive(Debug, Clone)]
pub struct AwsSink {
    queue: Option<SqsSink>,
    objects: Option<S3Sink>,
}

impl AwsSink {
    /// A sink of these targets. `batch_bytes_max` bounds one message of the queue and one batch of them.
    ///
    /// What is too large for a message goes to `claim_checks`, or else to where the objects go; with neither it is refused
    /// as too large.
    #[must_use]
    pub fn new(
        clients: &Clients,
        targets: &SinkTargets,
        claim_checks: Option<&S3Prefix>,
        batch_bytes_max: usize,
    ) -> Self {
        let claim_checks = claim_checks.or(targets.objects());
        let queue = targets.queue().map(|url| {
            let queue = SqsSink::new(clients, url.to_string(), batch_bytes_max);
            match claim_checks {
                Some(target) => queue.with_claim_checks(clients, target.clone()),
                None => queue,
            }
        });
        Self { queue, objects: targets.objects().map(|target| S3Sink::new(clients, target.clone())) }
    }
}

impl RangeSink for AwsSink {
    type Writer<'s> = AwsRangeWriter<'s>;

    fn open<'s>(&'s self, name: &RangeName) -> AwsRangeWriter<'s> {
        AwsRangeWriter { queue: self.queue.as_ref(), objects: self.objects.as_ref().map(|objects| objects.open(name)) }
    }
}

/// Writes one range to all targets.
#[derive(Debug)]
pub struct AwsRangeWriter<'s> {
    queue: Option<&'s SqsSink>,
    objects: Option<S3RangeWriter<'s>>,
}

impl RangeWriter for AwsRangeWriter<'_> {
    /// Writes to one target after the other; where the first fails, the second is still tried. The message will come again
    /// either way, and what the queue takes meanwhile is there in case it does not.
    async fn write(&mut self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        let objects = match &mut self.objects {
            // Boxed: the SDK's futures nest deeper than the compiler lays out in one piece.
            Some(objects) => Box::pin(objects.write(entries)).await,
            None => Ok(()),
        };
        let queue = match self.queue {
            Some(queue) => Box::pin(queue.write(entries)).await,
            None => Ok(()),
        };
        both(objects, queue)
    }

    async fn abort(self) {
        if let Some(objects) = self.objects {
            Box::pin(objects.abort()).await;
        }
    }

    async fn close(self) -> Result<(), SinkError> {
        match self.objects {
            Some(objects) => Box::pin(objects.close()).await,
            None => Ok(()),
        }
    }
}

/// The one error there is. Where there are two, a failure says what the other was: it is the one that can pass.
fn both(objects: Result<(), SinkError>, queue: Result<(), SinkError>) -> Result<(), SinkError> {
    let (objects, queue) = match (objects, queue) {
        (Err(objects), Err(queue)) => (objects, queue),
        (objects, queue) => return objects.and(queue),
    };
    match objects {
        SinkError::Failed { count, of, sink, reason } => {
            Err(SinkError::Failed { count, of, sink, reason: format!("{reason}; and {queue}") })
        }
        objects => Err(objects),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::{Answer, StandIn};

    fn entry(id: &str, body: &str) -> SinkEntry {
        SinkEntry { id: id.to_owned(), group: format!("group of {id}"), body: body.to_owned() }
    }

    /// S3 and SQS in one, that acknowledge everything but what the method of the request is refused for.
    fn aws(refused: &'static str) -> StandIn {
        StandIn::new(move |request| {
            if !refused.is_empty() && request.line.starts_with(refused) {
                return Answer::json(403, r#"{"__type":"AccessDenied","message":"no"}"#);
            }
            let ids = (0..request.body.matches(r#""Id":"#).count())
                .map(|id| format!(r#"{{"Id":"{id}","MessageId":"m","MD5OfMessageBody":"0"}}"#));
            let ids: Vec<String> = ids.collect();
            Answer::json(200, format!(r#"{{"Successful":[{}],"Failed":[]}}"#, ids.join(",")))
        })
    }

    /// What is asked of AWS when a range of these entries is written, and what comes of it.
    async fn requests(targets: &str, entries: &[SinkEntry], refused: &'static str) -> (Vec<String>, String) {
        requests_with(Some("s3://claims"), targets, entries, refused).await
    }

    async fn requests_with(
        claim_checks: Option<&str>,
        targets: &str,
        entries: &[SinkEntry],
        refused: &'static str,
    ) -> (Vec<String>, String) {
        let aws = aws(refused);
        let clients = Clients::for_endpoints("http://h", "http://h", aws.url(), "us-east-1").with_s3(aws.url());
        let claim_checks = claim_checks.map(|target| target.parse().unwrap());
        let sink = AwsSink::new(&clients, &targets.parse().unwrap(), claim_checks.as_ref(), 64);
        let mut writer = sink.open(&RangeName::new("r"));
        let outcome = writer.write(entries).await.and(writer.close().await);
        let requests = aws.requests().into_iter().map(|request| format!("{} {}", request.line, request.body));
        (requests.collect(), outcome.err().map(|error| error.to_string()).unwrap_or_default())
    }

    #[tokio::test]
    async fn a_queue_and_objects_both_get_everything() {
        let (requests, error) = requests("http://localhost/q,s3://archive/dlq", &[entry("1", "{}")], "").await;
        assert!(error.is_empty(), "{error}");
        assert!(requests[0].starts_with("POST / ") && requests[0].contains(r#""MessageBody":"{}""#), "{requests:?}");
        assert_eq!(requests[1..], ["PUT /archive/dlq/r.jsonl?x-id=PutObject {}\n"]);
    }

    #[tokio::test]
    async fn what_is_too_large_for_the_queue_is_in_s3_before_its_pointer_is_sent() {
        let large = "x".repeat(65);
        let both = "http://localhost/q,s3://archive";
        for (claims, targets, bucket) in [
            (Some("s3://claims"), "http://localhost/q", "claims"),
            (Some("s3://claims"), both, "claims"),
            (None, both, "archive"),
        ] {
            let (requests, error) = requests_with(claims, targets, &[entry("abc", &large)], "").await;
            assert!(error.is_empty(), "{error}");
            let key = format!("claim-checks/{}.json", crate::sha256::sha256_hex("abc"));
            assert_eq!(requests[0], format!("PUT /{bucket}/{key}?x-id=PutObject {large}"));
            let pointer = format!(r#"{{\"s3BucketName\":\"{bucket}\",\"s3Key\":\"{key}\"}}]""#);
            assert!(requests[1].contains(&pointer), "{requests:?}");
            assert!(requests[1].contains(r#""ExtendedPayloadSize":{"StringValue":"65","#), "{requests:?}");
            assert!(requests[1].contains(r#""DataType":"Number""#), "{requests:?}");
        }
    }

    #[tokio::test]
    async fn a_fifo_queue_gets_groups_and_ids_of_its_alphabet() {
        let entries = [entry("1", "{}"), entry("2", "{}")];
        let (requests, _) = requests("http://localhost/q.fifo", &entries, "").await;
        let text = &requests[0];
        for entry in &entries {
            assert!(text.contains(&format!(r#""MessageGroupId":"{}""#, crate::sha256::sha256_hex(&entry.group))));
            assert!(text.contains(&format!(r#""MessageDeduplicationId":"{}""#, crate::sha256::sha256_hex(&entry.id))));
        }
        let (requests, _) = self::requests("http://localhost/q", &entries, "").await;
        assert!(!requests[0].contains("MessageGroupId"), "a standard queue has no order");
    }

    #[tokio::test]
    async fn what_is_refused_goes_before_anything_that_was_not_sent() {
        let attempts = std::sync::atomic::AtomicUsize::new(0);
        // Of the first batch, the first entry is refused once.
        let aws = StandIn::new(move |request| {
            let refused = attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            let ids = (0..10).filter(|id| request.body.contains(&format!(r#""Id":"{id}""#)) && !(refused && *id == 0));
            let ids = ids.map(|id| format!(r#"{{"Id":"{id}","MessageId":"m","MD5OfMessageBody":"0"}}"#));
            let failed = r#"{"Id":"0","Code":"InternalError","SenderFault":false}"#;
            let successful = ids.collect::<Vec<_>>().join(",");
            let failed = if refused { failed } else { "" };
            Answer::json(200, format!(r#"{{"Successful":[{successful}],"Failed":[{failed}]}}"#))
        });
        let clients = Clients::for_endpoints("http://h", "http://h", aws.url(), "us-east-1");
        let sink = SqsSink::new(&clients, "http://localhost/q.fifo".to_owned(), 1_000);
        let entries: Vec<SinkEntry> = (0..11).map(|id| entry(&id.to_string(), &format!("body {id}."))).collect();
        sink.write(&entries).await.unwrap();
        let sent = aws.requests().into_iter().map(|request| {
            let bodies = entries.iter().filter(|entry| request.body.contains(&entry.body));
            bodies.map(|entry| entry.id.parse().unwrap()).collect::<Vec<u32>>()
        });
        assert_eq!(sent.collect::<Vec<_>>(), [(0..10).collect(), vec![0], vec![10]]);
    }

    #[tokio::test]
    async fn where_one_target_fails_the_other_is_still_tried() {
        let targets = "http://localhost/q,s3://archive";
        let (requests, error) = requests(targets, &[entry("1", "{}")], "POST").await;
        assert!(error.starts_with("failed to write 1 of 1 records to http://localhost/q: AccessDenied"), "{error}");
        assert!(requests.iter().any(|request| request.starts_with("PUT /archive/r.jsonl")), "{requests:?}");
    }

    #[test]
    fn two_failures_are_both_told() {
        let failed = |sink: &str| {
            let (sink, reason) = (sink.to_owned(), "no".to_owned());
            Err(SinkError::Failed { count: 1, of: 1, sink, reason })
        };
        let expected = "failed to write 1 of 1 records to a: no; and failed to write 1 of 1 records to b: no";
        assert_eq!(both(failed("a"), failed("b")).unwrap_err().to_string(), expected);
    }
}
