//! Any text as the body of a queue's message: beside itself with SNS around it, and beside the rest of its range.

use recovery::{Envelope, OnFailureMessage, Progress};
use serde_json::json;

/// AWS's largest `BatchSize`.
const BATCH_SIZE_MAX: u64 = 10_000;

/// Bytes as the body of a queue's message, and as what an S3 object holds.
pub fn on_failure(data: &[u8]) {
    let Ok(body) = std::str::from_utf8(data) else { return };
    let unwrapped = OnFailureMessage::parse(body);
    match Envelope::parse(body) {
        Ok(Envelope::OnFailure(message)) => {
            check(&message);
            by_sns(&message);
            // What is wrapped takes an envelope.
            if let Ok(unwrapped) = unwrapped {
                assert_eq!(unwrapped, *message);
            }
        }
        Ok(Envelope::Objects(objects)) => {
            assert!(unwrapped.is_err() && !objects.is_empty());
            assert!(objects.iter().all(|object| !object.bucket.is_empty() && !object.key.is_empty()));
        }
        Ok(Envelope::Test) => assert!(unwrapped.is_err()),
        Err(error) => assert_eq!(unwrapped.map_err(|_| ()), Err(()), "an envelope refuses a message: {error}"),
    }
}

fn check(message: &OnFailureMessage) {
    let range = &message.range;
    assert!(range.start() <= range.end());
    assert!((1..=BATCH_SIZE_MAX).contains(&message.batch_size));
    if let Some(progress) = &message.progress {
        assert!(progress.start <= progress.after && progress.after == *range.start());
    }
    serde_json::from_str::<serde_json::Value>(message.text.get()).expect("any reader can read the text");
    let alone = OnFailureMessage::parse(message.text.get()).expect("the text is a message");
    assert_eq!(alone, OnFailureMessage { payload: None, ..message.clone() }, "the text is all but the payload");
    let (found, accounted) = message.progress.as_ref().map_or((1, 1), |before| (before.found, before.accounted));
    let start = message.progress.as_ref().map_or(range.start(), |before| &before.start).clone();
    for after in [range.start(), range.end()] {
        rest(message, &Progress { after: after.clone(), start: start.clone(), found, accounted, lost: 0 });
    }
}

/// The rest of a range is what is left of the same message.
fn rest(message: &OnFailureMessage, progress: &Progress) {
    let rest = message.rest(progress).expect("progress within the range");
    let again = OnFailureMessage::parse(&rest).expect("a rest is a message");
    assert_eq!((again.progress.as_ref(), again.range.start()), (Some(progress), &progress.after));
    assert_eq!((again.range.end(), again.range.stream()), (message.range.end(), message.range.stream()));
    assert_eq!((again.batch_size, &again.failure), (message.batch_size, &message.failure));
    assert_eq!((again.first_arrival, again.last_arrival), (message.first_arrival, message.last_arrival));
    assert_eq!(again.rest(progress).expect("progress within the range"), rest, "written again it is the same");
}

/// A topic in between changes nothing; a second one is refused.
fn by_sns(message: &OnFailureMessage) {
    let wrap = |text: &str| json!({ "Type": "Notification", "TopicArn": "t", "Message": text }).to_string();
    let wrapped = wrap(message.text.get());
    let Ok(Envelope::OnFailure(again)) = Envelope::parse(&wrapped) else { panic!("a topic delivers something else") };
    assert_eq!(*again, OnFailureMessage { payload: None, ..message.clone() });
    assert!(Envelope::parse(&wrap(&wrapped)).is_err());
}
