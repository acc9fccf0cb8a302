//! What a message becomes on its way through a queue, a topic, or a bucket.

use crate::lock;
use crate::plan::{Destination, TOPIC_ARN};
use crate::world::World;
use event_source_mapping::OnFailureMessage;
use serde_json::json;

const MAPPING_UUID: &str = "6d5c1f3a-0000-4000-8000-000000000000";

impl World {
    /// Puts an on-failure message where the hydrator will find it.
    pub fn send_on_failure(&self, message: &OnFailureMessage, event: String) {
        let body = match self.plan.destination.kind {
            Destination::Topic { raw: false } => message.notification(TOPIC_ARN).map(|body| body.to_string()),
            Destination::Bucket => self.put_object(message, &event),
            _ => serde_json::to_string(message),
        };
        let body = body.expect("a message is JSON");
        lock(&self.queue).send(self.clock.now(), body);
    }

    /// Puts the message with its payload into the bucket, and returns the notification of that.
    fn put_object(&self, message: &OnFailureMessage, event: &str) -> Result<String, serde_json::Error> {
        let (key, body) = (message.object_key(MAPPING_UUID), message.with_payload(event)?.to_string());
        if lock(&self.objects).insert(key.clone(), body).is_some() {
            lock(&self.ledger).complain(&format!("the object {key} replaces another"));
        }
        let object = json!({"bucket": {"name": "orders-failed"}, "object": {"key": key}});
        Ok(json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": object}]}).to_string())
    }
}
