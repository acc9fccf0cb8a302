//! Which objects: a bucket and what their keys begin with.

use std::fmt;
use std::str::FromStr;

/// A bucket and a prefix, as `s3://bucket/prefix`; the prefix may be missing, and a slash at its end changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Prefix {
    bucket: Box<str>,
    /// Without a slash at either end; empty where there is none.
    prefix: Box<str>,
}

/// A key has 1,024 bytes at most, and a range's own name takes up to half of it.
const PREFIX_BYTES_MAX: usize = 512;

/// What S3 lists as safe in keys, with the `=` of partitions as in `day=7`.
const PREFIX_PUNCTUATION: &str = "!-_.*'()=/";

impl S3Prefix {
    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key of the object at `path` below the prefix.
    #[must_use]
    pub fn key(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }
}

impl fmt::Display for S3Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "s3://{}{slash}{}", self.bucket, self.prefix)
    }
}

impl FromStr for S3Prefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("s3://").ok_or("it does not begin with s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !is_bucket_name(bucket) {
            return Err("a bucket's name has 3 to 63 lowercase letters, digits, dots and hyphens, \
                        and begins and ends with a letter or a digit");
        }
        let is_safe = |c: char| c.is_ascii_alphanumeric() || PREFIX_PUNCTUATION.contains(c);
        if prefix.len() > PREFIX_BYTES_MAX || !prefix.chars().all(is_safe) {
            return Err("a prefix has up to 512 letters, digits and characters of !-_.*'()=/");
        }
        // Clients and proxies resolve such segments, each in its own way.
        if !prefix.is_empty() && prefix.split('/').any(|segment| ["", ".", ".."].contains(&segment)) {
            return Err("no segment of a prefix is empty or dots alone");
        }
        Ok(Self { bucket: bucket.into(), prefix: prefix.into() })
    }
}

fn is_bucket_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.chars().all(|c| is_plain(c) || c == '.' || c == '-')
        && name.starts_with(is_plain)
        && name.ends_with(is_plain)
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, bucket: &str, key: &str) {
        let parsed: S3Prefix = text.parse().unwrap();
        assert_eq!((parsed.bucket(), parsed.key("a/b").as_str()), (bucket, key), "{text}");
        assert_eq!(parsed.to_string(), text.trim_end_matches('/'));
    }

    #[test]
    fn objects_are_named_by_a_bucket_and_a_prefix() {
        check("s3://archive", "archive", "a/b");
        check("s3://archive/", "archive", "a/b");
        check("s3://archive/dlq", "archive", "dlq/a/b");
        check("s3://my.archive-1/dlq/team=a/", "my.archive-1", "dlq/team=a/a/b");
    }

    #[test]
    fn what_s3_would_take_for_something_else_is_refused() {
        let long = format!("s3://archive/{}", "x".repeat(PREFIX_BYTES_MAX + 1));
        let buckets = ["s3://", "s3:///x", "s3://ab", "s3://Archive", "s3://-archive", "s3://a..b", "s3://a_b/x"];
        let prefixes = ["s3://archive//x", "s3://archive/x//", "s3://archive/x/../y", "s3://archive/a b", &long];
        let others = ["archive/x", "https://archive/x", "S3://archive/x", ""];
        for bad in buckets.iter().chain(&prefixes).chain(&others) {
            assert!(bad.parse::<S3Prefix>().is_err(), "{bad} was accepted");
        }
    }
}
