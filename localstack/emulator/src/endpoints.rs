//! Where the services listen, for clients in this process and for child processes.

use crate::REGION;

/// One URL per service, `http://127.0.0.1:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Amazon Kinesis Data Streams.
    pub kinesis: String,
    /// Amazon DynamoDB, and DynamoDB Streams.
    pub dynamodb: String,
    /// Amazon SQS.
    pub sqs: String,
    /// Amazon S3. Buckets are addressed by path, `http://127.0.0.1:PORT/BUCKET/KEY`.
    pub s3: String,
}

impl Endpoints {
    /// The environment with which an AWS SDK in a child process finds the services, and has credentials to sign with.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL_KINESIS", self.kinesis.as_str()),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.dynamodb),
            ("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", &self.dynamodb),
            ("AWS_ENDPOINT_URL_SQS", &self.sqs),
            ("AWS_ENDPOINT_URL_S3", &self.s3),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            // Any pair of equal texts is good for all services; see `s3.rs`.
            ("AWS_ACCESS_KEY_ID", "emulator"),
            ("AWS_SECRET_ACCESS_KEY", "emulator"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}
