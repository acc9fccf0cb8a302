//! Which queue: its URL.

use std::fmt;
use std::str::FromStr;

/// An HTTP URL with a host and a path; which queue it names, SQS knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrl(Box<str>);

impl QueueUrl {
    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueueUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for QueueUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let named = rest.and_then(|rest| rest.split_once('/')).is_some_and(|(host, path)| {
            !host.is_empty() && !path.trim_matches('/').is_empty() && !text.contains(char::is_whitespace)
        });
        if named { Ok(Self(text.into())) } else { Err("it is no https:// or http:// URL with a host and a path") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_named_by_a_url_with_a_host_and_a_path() {
        for good in ["https://sqs.us-east-1.amazonaws.com/111122223333/recovered", "http://localhost:4566/q"] {
            assert_eq!(good.parse::<QueueUrl>().unwrap().as_str(), good);
        }
        let arn = "arn:aws:sqs:us-east-1:111122223333:recovered";
        for bad in ["recovered", "s3://bucket/prefix", arn, "https://x", "https:// /", "https:///q", "http://h/"] {
            assert!(bad.parse::<QueueUrl>().is_err(), "{bad} was accepted");
        }
    }
}
