//! What is put in: by a seed, or from a file.

use crate::orders::{self, Orders};
use anyhow::Context;
use records::Item;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use thiserror::Error;

/// Everything that is put into the streams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Workload {
    /// Records for the Kinesis stream.
    pub kinesis: Vec<KinesisPayload>,
    /// Writes to the table, each of which becomes one record of its stream. They are made in order of their kind: puts
    /// of new items, then of items that are there, then deletes.
    pub dynamodb: Vec<TableWrite>,
}

/// One record for Kinesis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KinesisPayload {
    /// Chooses the shard.
    pub partition_key: String,
    /// The payload, whatever its bytes.
    pub data: Vec<u8>,
    /// Whether it is known to be one that no processor should handle.
    pub poison: bool,
}

/// One write to the orders table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableWrite {
    /// What is written.
    pub change: TableChange,
    /// Whether it is known to be one that no processor should handle.
    pub poison: bool,
}

/// What a write does to the orders table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableChange {
    /// A new item.
    Insert {
        /// The item.
        new: Item,
    },
    /// An item replaced.
    Modify {
        /// The item before.
        old: Item,
        /// The item after.
        new: Item,
    },
    /// An item deleted.
    Remove {
        /// The item before.
        old: Item,
    },
}

/// A workload that cannot be put in.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WorkloadError {
    /// A line is larger than a Kinesis record.
    #[error("line {line} has {bytes} bytes: a Kinesis record takes at most {RECORD_BYTES_MAX}")]
    LineTooLong {
        /// Counted from 1.
        line: usize,
        /// Its length without the line feed.
        bytes: usize,
    },
}

/// What a Kinesis record takes, data and partition key together, less the longest key used here.
pub const RECORD_BYTES_MAX: usize = 1_048_576 - orders::KEY_BYTES_MAX;

/// One write to the table for this many records to Kinesis.
const KINESIS_RECORDS_PER_TABLE_WRITE: usize = 10;

impl Workload {
    /// `records` orders for Kinesis and a tenth of it for the table; a few in a thousand are poison, of every kind.
    ///
    /// The same seed makes the same orders.
    #[must_use]
    pub fn generate(records: usize, seed: u64) -> Self {
        let mut orders = Orders::new(seed);
        Self {
            kinesis: orders.kinesis(records),
            dynamodb: orders.table_writes(records / KINESIS_RECORDS_PER_TABLE_WRITE),
        }
    }

    /// One Kinesis record for each line of a file, and no table writes.
    ///
    /// Lines end with a line feed, which is not part of the record; what else they hold does not matter. A file that
    /// ends with a line feed has no line behind it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a line does not fit into a Kinesis record.
    pub fn from_file(path: &Path) -> anyhow::Result<Self> {
        let bytes = read_bounded(path).with_context(|| format!("failed to read `{}`", path.display()))?;
        Self::from_lines(&bytes).with_context(|| format!("failed to use `{}`", path.display()))
    }

    fn from_lines(bytes: &[u8]) -> Result<Self, WorkloadError> {
        let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let payload = |(index, data): (usize, &[u8])| {
            let line = index + 1;
            if data.len() > RECORD_BYTES_MAX {
                return Err(WorkloadError::LineTooLong { line, bytes: data.len() });
            }
            let partition_key = orders::customer_of(data).unwrap_or_else(|| format!("line-{line}"));
            Ok(KinesisPayload { partition_key, data: data.to_vec(), poison: false })
        };
        let kinesis = lines.split(|byte| *byte == b'\n').enumerate().map(payload).collect::<Result<_, _>>()?;
        Ok(Self { kinesis, dynamodb: Vec::new() })
    }
}

/// The largest file, in bytes: its records are held in memory, by the services too.
const INPUT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

fn read_bounded(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    anyhow::ensure!(bytes.len() as u64 <= INPUT_BYTES_MAX, "expected at most {INPUT_BYTES_MAX} bytes");
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
        Workload::from_lines(bytes).unwrap().kinesis.into_iter().map(|payload| payload.data).collect()
    }

    #[test]
    fn each_line_is_a_record_whatever_its_bytes() {
        assert_eq!(lines(b"a\r\n\n\xff\0\n"), [b"a\r".to_vec(), b"".to_vec(), b"\xff\0".to_vec()]);
        assert_eq!(lines(b"a\nb"), [b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(lines(b"\n"), [b"".to_vec()]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn an_order_goes_to_its_customers_shard() {
        let workload = Workload::from_lines(b"{\"customer_id\":\"c-7\"}\nnonsense\n{\"customer_id\":\"\"}").unwrap();
        let keys: Vec<_> = workload.kinesis.iter().map(|payload| payload.partition_key.as_str()).collect();
        assert_eq!(keys, ["c-7", "line-2", "line-3"]);
    }

    #[test]
    fn a_customer_too_long_for_a_key_is_no_key() {
        let crabs = "\u{1f980}".repeat(129);
        let workload = Workload::from_lines(format!("{{\"customer_id\":\"{crabs}\"}}").as_bytes()).unwrap();
        assert_eq!(workload.kinesis[0].partition_key, "line-1");
    }

    #[test]
    fn a_line_that_no_record_holds_is_named() {
        let mut bytes = b"short\n".to_vec();
        bytes.extend(vec![b'x'; RECORD_BYTES_MAX + 1]);
        let error = Workload::from_lines(&bytes).unwrap_err();
        assert_eq!(error, WorkloadError::LineTooLong { line: 2, bytes: RECORD_BYTES_MAX + 1 });
    }

    #[test]
    fn the_same_seed_makes_the_same_orders_and_another_seed_others() {
        assert_eq!(Workload::generate(500, 7), Workload::generate(500, 7));
        assert_ne!(Workload::generate(500, 7), Workload::generate(500, 8));
        let workload = Workload::generate(500, 7);
        assert_eq!((workload.kinesis.len(), workload.dynamodb.len()), (500, 50));
    }
}
