//! Where the records go that a mapping gives up: `DestinationConfig.OnFailure.Destination`.

use super::field::SettingsError;
use std::fmt::{Display, Formatter};

pub(super) const KEY: &str = "DestinationConfig.OnFailure.Destination";

/// An on-failure destination. Queues and topics are told which records; a bucket gets their payload too (documented).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A standard SQS queue, by its ARN.
    Queue(Box<str>),
    /// A standard SNS topic, by its ARN.
    Topic(Box<str>),
    /// An S3 bucket, by its ARN.
    Bucket(Box<str>),
}

impl Destination {
    /// Accepts what AWS accepts; FIFO queues and topics it refuses (documented).
    pub(super) fn parse(arn: &str) -> Result<Self, SettingsError> {
        let refused = |expected: &str| Err(SettingsError::refused(KEY, format!("{arn:?}"), expected));
        let parts: Vec<&str> = arn.split(':').collect();
        match parts[..] {
            ["arn", _, "sqs" | "sns", .., name] if name.ends_with(".fifo") => {
                refused("a standard queue or topic, or a bucket, not a FIFO one")
            }
            ["arn", _, "sqs", _, _, name] if !name.is_empty() => Ok(Self::Queue(arn.into())),
            ["arn", _, "sns", _, _, name] if !name.is_empty() => Ok(Self::Topic(arn.into())),
            ["arn", _, "s3", "", "", name] if !name.is_empty() => Ok(Self::Bucket(arn.into())),
            _ => refused("the ARN of a queue, a topic or a bucket"),
        }
    }

    /// The ARN, as it was given.
    #[must_use]
    pub fn arn(&self) -> &str {
        match self {
            Self::Queue(arn) | Self::Topic(arn) | Self::Bucket(arn) => arn,
        }
    }
}

impl Display for Destination {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.arn())
    }
}
