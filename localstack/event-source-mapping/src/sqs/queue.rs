//! A standard SQS queue in memory: visibility time-outs, receive counts, redrive.

use records::EpochMillis;
use std::collections::BTreeMap;

/// What the model needs to know of a received message.
pub trait QueueMessage {
    /// The message's id, which is what a partial batch response names.
    fn message_id(&self) -> &str;

    /// The length in bytes of the message in the JSON that the function is given.
    fn payload_bytes(&self) -> usize;
}

/// A queue, perhaps with one for its dead letters behind it.
///
/// Messages come in the order they were sent, which a standard queue does not promise but mostly does.
#[derive(Debug)]
pub struct Queue {
    visibility_timeout_ms: i64,
    redrive: Option<Redrive>,
    /// By the order of sending, which is also what a message's id is made of.
    messages: BTreeMap<u64, Stored>,
    sent: u64,
}

/// Where a queue puts the messages that were received too often.
#[derive(Debug)]
pub struct Redrive {
    /// How often a message is received before it goes.
    pub max_receive_count: u32,
    /// Where it goes.
    pub dead_letter_queue: Box<Queue>,
}

#[derive(Debug)]
struct Stored {
    message_id: String,
    body: String,
    sent_at: EpochMillis,
    receive_count: u32,
    visible_at: EpochMillis,
}

/// A message as one receive returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The message's id; it stays with the message, into the dead-letter queue too.
    pub message_id: String,
    /// Deletes the message; a later receive makes it worthless.
    pub receipt: (u64, u32),
    /// What was sent.
    pub body: String,
    /// When it was sent first (`SentTimestamp`): a redrive does not change it.
    pub sent_at: EpochMillis,
    /// How often it was received from this queue, this time included (`ApproximateReceiveCount`).
    pub receive_count: u32,
}

impl QueueMessage for Received {
    fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The body and about as much as the attributes around it take.
    fn payload_bytes(&self) -> usize {
        self.body.len() + 512
    }
}

impl Queue {
    /// An empty queue without redrive.
    #[must_use]
    pub fn new(visibility_timeout_ms: i64) -> Self {
        Self { visibility_timeout_ms, redrive: None, messages: BTreeMap::new(), sent: 0 }
    }

    /// Sends messages that were received `max_receive_count` times to `dead_letter_queue` instead of receiving them again.
    #[must_use]
    pub fn with_redrive(self, max_receive_count: u32, dead_letter_queue: Queue) -> Self {
        let redrive = Redrive { max_receive_count, dead_letter_queue: Box::new(dead_letter_queue) };
        Self { redrive: Some(redrive), ..self }
    }

    /// Puts a message into the queue and returns its id.
    pub fn send(&mut self, now: EpochMillis, body: impl Into<String>) -> String {
        let message_id = format!("message-{}", self.sent);
        let body = body.into();
        self.store(Stored { message_id: message_id.clone(), body, sent_at: now, receive_count: 0, visible_at: now });
        message_id
    }

    /// Returns up to `max` visible messages and hides them for the visibility time-out.
    pub fn receive(&mut self, now: EpochMillis, max: usize) -> Vec<Received> {
        self.redrive_visible(now);
        let visible = self.messages.iter_mut().filter(|(_, message)| message.visible_at <= now);
        visible
            .take(max)
            .map(|(order, message)| {
                message.receive_count += 1;
                message.visible_at = EpochMillis(now.0.saturating_add(self.visibility_timeout_ms));
                Received {
                    message_id: message.message_id.clone(),
                    receipt: (*order, message.receive_count),
                    body: message.body.clone(),
                    sent_at: message.sent_at,
                    receive_count: message.receive_count,
                }
            })
            .collect()
    }

    /// Deletes a message and says whether it did: the receipt of an earlier receive deletes nothing.
    pub fn delete(&mut self, receipt: (u64, u32)) -> bool {
        let (order, receive_count) = receipt;
        let valid = self.messages.get(&order).is_some_and(|message| message.receive_count == receive_count);
        valid && self.messages.remove(&order).is_some()
    }

    /// How many messages the queue holds, hidden ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether the queue holds no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The queue of the dead letters, if there is one.
    pub fn dead_letter_queue(&mut self) -> Option<&mut Queue> {
        self.redrive.as_mut().map(|redrive| &mut *redrive.dead_letter_queue)
    }

    /// Moves what became visible and was received too often. SQS does so at a receive (documented), with the id, the body
    /// and the time of the first sending unchanged.
    fn redrive_visible(&mut self, now: EpochMillis) {
        let Some(Redrive { max_receive_count, dead_letter_queue }) = &mut self.redrive else { return };
        let dead = |message: &Stored| message.visible_at <= now && message.receive_count >= *max_receive_count;
        for (_, message) in self.messages.extract_if(.., |_, message| dead(message)) {
            dead_letter_queue.store(Stored { receive_count: 0, visible_at: now, ..message });
        }
    }

    fn store(&mut self, message: Stored) {
        self.messages.insert(self.sent, message);
        self.sent += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(received: &[Received]) -> Vec<&str> {
        received.iter().map(|message| message.body.as_str()).collect()
    }

    #[test]
    fn a_received_message_is_hidden_until_its_time_is_out() {
        let mut queue = Queue::new(30_000);
        queue.send(EpochMillis(0), "a");
        let first = queue.receive(EpochMillis(1000), 10);
        assert_eq!(bodies(&first), ["a"]);
        assert_eq!(queue.receive(EpochMillis(30_999), 10), []);
        let second = queue.receive(EpochMillis(31_000), 10);
        assert_eq!(second[0].receive_count, 2);
        assert!(!queue.delete(first[0].receipt), "the first receipt is worthless by now");
        assert!(queue.delete(second[0].receipt));
        assert!(queue.is_empty());
    }

    #[test]
    fn a_message_received_too_often_is_found_in_the_dead_letter_queue_as_it_was_sent() {
        let mut queue = Queue::new(1000).with_redrive(2, Queue::new(1000));
        let id = queue.send(EpochMillis(5), "a");
        assert_eq!(queue.receive(EpochMillis(1000), 1).len(), 1);
        assert_eq!(queue.receive(EpochMillis(2000), 1).len(), 1);
        assert_eq!(queue.dead_letter_queue().unwrap().len(), 0);
        assert_eq!(queue.receive(EpochMillis(3000), 1), []);
        assert!(queue.is_empty());
        let dead = queue.dead_letter_queue().unwrap().receive(EpochMillis(3000), 1);
        assert_eq!((&dead[0].message_id, dead[0].sent_at, dead[0].receive_count), (&id, EpochMillis(5), 1));
    }
}
