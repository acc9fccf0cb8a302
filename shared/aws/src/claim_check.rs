//! Entries that are too large for a queue: the entry goes to S3, and a pointer to it goes to the queue.
//!
//! The pointer is the one of Amazon's Extended Client Library, so that its readers find the entry by themselves. An entry's
//! key follows from its id: written again, it is the same object. A reader that deletes the object with its message,
//! which the library does unless told otherwise, may therefore meet a second message whose object is gone.

use crate::Clients;
use crate::call::reason;
use crate::sha256::sha256_hex;
use crate::sqs_sink::NotWritten;
use recovery::{S3Prefix, SinkEntry};

/// Below the prefix of the sink's objects.
const FOLDER: &str = "claim-checks";

/// Puts entries into S3 for a queue.
#[derive(Debug, Clone)]
pub(crate) struct ClaimChecks {
    clients: Clients,
    target: S3Prefix,
}

impl ClaimChecks {
    pub fn new(clients: &Clients, target: S3Prefix) -> Self {
        Self { clients: clients.clone(), target }
    }

    /// The message that stands for the entry.
    pub fn pointer(&self, entry: &SinkEntry) -> String {
        // Neither holds a character that JSON escapes.
        let (bucket, key) = (self.target.bucket(), self.key(entry));
        format!(
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{{"s3BucketName":"{bucket}","s3Key":"{key}"}}]"#
        )
    }

    /// Puts the entry where its pointer points.
    pub async fn put(&self, entry: &SinkEntry) -> Result<(), NotWritten> {
        let key = self.key(entry);
        let put = self.clients.s3().put_object().bucket(self.target.bucket()).key(&key);
        let put = put.content_type("application/json").body(entry.body.clone().into_bytes().into());
        put.send().await.map(drop).map_err(|error| NotWritten {
            sink: format!("s3://{}/{key}", self.target.bucket()),
            reason: reason(&error),
        })
    }

    fn key(&self, entry: &SinkEntry) -> String {
        self.target.key(&format!("{FOLDER}/{}.json", sha256_hex(&entry.id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pointer_is_the_one_of_the_extended_client() {
        let clients = Clients::for_endpoints("http://h", "http://h", "http://h", "us-east-1");
        let entry = SinkEntry { id: "abc".to_owned(), group: String::new(), body: "{}".to_owned() };
        let pointer = ClaimChecks::new(&clients, "s3://archive/dlq".parse().unwrap()).pointer(&entry);
        let expected = concat!(
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"archive","s3Key":"#,
            r#""dlq/claim-checks/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.json"}]"#
        );
        assert_eq!(pointer, expected);
    }
}
