//! An SQS queue as the sink of a function that seldom needs one.
//!
//! A processor writes to its sink when it quarantines a record, and most environments never do. They should not pay on
//! their cold start for a client that nobody uses: it is built when the first entry is written.

use crate::SqsSink;
use crate::clients::sqs_of_function;
use recovery::{Sink, SinkEntry, SinkError};
use std::sync::OnceLock;

/// Sends entries to a standard queue, with a client that is built on the first write: region and credentials as Lambda sets
/// them, and the endpoint of `AWS_ENDPOINT_URL_SQS` or `AWS_ENDPOINT_URL` where there is one.
#[derive(Debug)]
pub struct LazySqsSink {
    queue_url: String,
    batch_bytes_max: usize,
    sink: OnceLock<SqsSink>,
}

impl LazySqsSink {
    /// A sink on the queue, of which nothing is built yet. `batch_bytes_max` bounds one message and one batch, and is cut
    /// to [`MESSAGE_BYTES_MAX`](crate::MESSAGE_BYTES_MAX), which is the bound on AWS.
    #[must_use]
    pub fn new(queue_url: String, batch_bytes_max: usize) -> Self {
        Self { queue_url, batch_bytes_max, sink: OnceLock::new() }
    }

    /// The one sink, whoever asks first.
    fn sink(&self) -> &SqsSink {
        self.sink.get_or_init(|| SqsSink::with_client(sqs_of_function(), self.queue_url.clone(), self.batch_bytes_max))
    }
}

impl Sink for LazySqsSink {
    async fn write(&self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        // Boxed: the SDK's futures nest deeper than the compiler lays out in one piece.
        Box::pin(self.sink().write(entries)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::process::Command;
    use std::sync::mpsc;

    /// Set for the child only, to the URL of a queue.
    const QUEUE_URL_IN_A_CHILD: &str = "AWS_EDGE_TEST_QUEUE_URL_IN_A_CHILD";

    fn entry() -> SinkEntry {
        SinkEntry { id: "id".to_owned(), group: "key".to_owned(), body: "{}".to_owned() }
    }

    #[test]
    fn a_new_sink_has_built_nothing_and_needs_no_runtime() {
        assert!(LazySqsSink::new("http://localhost:1/q".to_owned(), 1).sink.get().is_none());
    }

    /// What the library does not let a test do in its own process: it would have to set environment variables.
    #[tokio::test]
    async fn in_a_child_with_an_environment_that_names_the_queue() {
        let Ok(queue_url) = std::env::var(QUEUE_URL_IN_A_CHILD) else { return };
        let sink = LazySqsSink::new(queue_url, 100);
        assert!(sink.sink.get().is_none());
        let entries = [entry()];
        let (one, other) = tokio::join!(sink.write(&entries), sink.write(&entries));
        assert!(sink.sink.get().is_some());
        println!("{}", outcome(&one));
        println!("{}", outcome(&other));
    }

    fn outcome(result: &Result<(), SinkError>) -> String {
        match result {
            Ok(()) => "written".to_owned(),
            Err(SinkError::Failed { count, of, sink, .. }) => format!("failed {count} of {of} to {sink}"),
            Err(other) => format!("something else: {other}"),
        }
    }

    /// What the child says of its two writes to a queue at the endpoint.
    fn writes_of_a_child(endpoint: &str) -> String {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lazy_sink::tests::in_a_child_with_an_environment_that_names_the_queue", "--nocapture"])
            .env(QUEUE_URL_IN_A_CHILD, format!("{endpoint}/111122223333/recovered"))
            .env("AWS_ENDPOINT_URL_SQS", endpoint)
            .envs([("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")])
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(child.status.success() && output.contains("1 passed"), "{output}");
        output
    }

    #[test]
    fn the_first_write_finds_the_queue_by_the_environment() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        // It ends with the test's process.
        std::thread::spawn(move || serve_sqs(&listener, &sender));
        let output = writes_of_a_child(&endpoint);
        assert_eq!(output.matches("written").count(), 2, "{output}");
        for _ in 0..2 {
            let request = requests.try_recv().unwrap().to_lowercase();
            assert!(request.contains("amazonsqs.sendmessagebatch"), "{request}");
            assert!(request.contains("/eu-central-1/sqs/aws4_request"), "{request}");
        }
        assert!(requests.try_recv().is_err(), "nothing else is asked of anybody");
    }

    /// Acknowledges a batch of one on each connection, and passes the request on.
    fn serve_sqs(listener: &TcpListener, requests: &mpsc::Sender<String>) {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = Vec::new();
            // The request's JSON ends with the list of entries.
            while !request.ends_with(b"}]}") {
                let mut buffer = [0; 4_096];
                let read = connection.read(&mut buffer).unwrap();
                assert!(read > 0, "the request is cut off");
                request.extend_from_slice(&buffer[..read]);
            }
            requests.send(String::from_utf8_lossy(&request).into_owned()).unwrap();
            let body = r#"{"Successful":[{"Id":"0","MessageId":"m-1","MD5OfMessageBody":"0"}],"Failed":[]}"#;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close";
            write!(connection, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    }

    #[test]
    fn a_queue_that_cannot_be_reached_fails_the_write() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let endpoint = format!("http://{closed}");
        let output = writes_of_a_child(&endpoint);
        let expected = format!("failed 1 of 1 to {endpoint}/111122223333/recovered");
        assert_eq!(output.matches(&expected).count(), 2, "{output}");
    }
}
