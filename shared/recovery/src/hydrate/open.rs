//! From the bodies of the queue's messages to on-failure messages.

use super::{HydrateError, Hydrator, Job, Outcome, QueueMessage, TimeLimit};
use crate::{Envelope, ObjectRef, OnFailureMessage, RangeSink, StreamReader, Surroundings};
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

/// Messages opened at once: one may be an object, with an event of 6 MB in it.
const OBJECTS_AT_ONCE: usize = 2;

impl<R: StreamReader, S: RangeSink, A: Surroundings> Hydrator<R, S, A> {
    /// The on-failure messages in those of the queue, and those that hold none. What brings its records along is written,
    /// one after the other, and its records are let go.
    pub(super) async fn open(&self, queue: &[QueueMessage], time: TimeLimit) -> (Vec<Job>, Vec<(usize, HydrateError)>) {
        // Objects have half of the time: the streams' records expire as well.
        let now = Instant::now();
        let until = now + time.read_until.saturating_duration_since(now) / 2;
        let opened = stream::iter(queue.iter().enumerate()).map(async |(index, message)| {
            let opened = self.open_message(index, &message.body, until).await;
            opened.into_iter().map(move |opened| (index, opened)).collect::<Vec<_>>()
        });
        let opened: Vec<_> = opened.buffered(OBJECTS_AT_ONCE).collect().await;
        let (mut jobs, mut unread) = (Vec::new(), Vec::new());
        for (index, opened) in opened.into_iter().flatten() {
            match opened {
                Ok(job) => jobs.push(job),
                Err(error) => unread.push((index, error)),
            }
        }
        (jobs, unread)
    }

    async fn open_message(&self, queue_message: usize, body: &str, until: Instant) -> Vec<Result<Job, HydrateError>> {
        let objects = match Envelope::parse(body) {
            Ok(Envelope::OnFailure(message)) => return vec![self.open_job(queue_message, message, until).await],
            Ok(Envelope::Test) => {
                tracing::info!("S3 tests its notification: the message names no record");
                return Vec::new();
            }
            Ok(Envelope::Objects(objects)) => objects,
            Err(error) => return vec![Err(error.into())],
        };
        let mut opened = Vec::with_capacity(objects.len());
        for object in objects {
            opened.push(match self.read_object(object, until).await {
                Ok(message) => self.open_job(queue_message, message, until).await,
                Err(error) => Err(error),
            });
        }
        opened
    }

    async fn read_object(&self, object: ObjectRef, until: Instant) -> Result<Box<OnFailureMessage>, HydrateError> {
        let read = timeout_at(until, self.surroundings.object(&object)).await.map_err(|_| HydrateError::Deadline)?;
        let text = read.map_err(HydrateError::Object)?;
        let message = OnFailureMessage::parse(&text);
        message.map(Box::new).map_err(|error| HydrateError::ObjectMessage {
            bucket: object.bucket,
            key: object.key,
            error,
        })
    }

    async fn open_job(
        &self,
        queue_message: usize,
        mut message: Box<OnFailureMessage>,
        until: Instant,
    ) -> Result<Job, HydrateError> {
        let delivered = timeout_at(until, self.deliver_payload(&message)).await;
        let outcome = delivered.unwrap_or(Some(Outcome::Stays(HydrateError::Deadline)));
        message.payload = None;
        Ok(Job { queue_message, message, outcome })
    }
}
