//! How much one invocation can carry.

/// The largest event of a synchronous invocation, in bytes: 6 MB (documented).
pub const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The bytes of an event around its records: `{"Records":[` and `]}`.
const ENVELOPE_BYTES: usize = r#"{"Records":[]}"#.len();

/// How many of the records in front fit into one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit {
    /// The number of records; zero only if there are none, since a record too large for any invocation stands alone.
    pub records: usize,
    /// Whether no further record could join them.
    pub full: bool,
}

/// Fits records of these sizes into one batch, by count and by bytes.
pub(crate) fn fit(sizes: impl Iterator<Item = usize>, batch_size: usize) -> Fit {
    let mut records = 0;
    let mut bytes = ENVELOPE_BYTES;
    for size in sizes {
        let comma = usize::from(records > 0);
        let grown = bytes.saturating_add(size).saturating_add(comma);
        if records > 0 && grown > PAYLOAD_BYTES_MAX {
            return Fit { records, full: true };
        }
        bytes = grown;
        records += 1;
        if records == batch_size || bytes > PAYLOAD_BYTES_MAX {
            return Fit { records, full: true };
        }
    }
    Fit { records, full: false }
}

/// Whether a record of this size fits into no invocation, not even alone.
pub(crate) fn is_oversized(record_bytes: usize) -> bool {
    record_bytes.saturating_add(ENVELOPE_BYTES) > PAYLOAD_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sizes: &[usize], batch_size: usize, records: usize, full: bool) {
        assert_eq!(fit(sizes.iter().copied(), batch_size), Fit { records, full }, "{sizes:?}");
    }

    #[test]
    fn a_batch_ends_at_its_size_or_at_six_megabytes_to_the_byte() {
        let half = (PAYLOAD_BYTES_MAX - ENVELOPE_BYTES - 1) / 2;
        let rest = PAYLOAD_BYTES_MAX - ENVELOPE_BYTES - 1 - half;
        check(&[], 10, 0, false);
        check(&[1, 1, 1], 10, 3, false);
        check(&[1, 1, 1], 2, 2, true);
        check(&[half, rest], 10, 2, false);
        check(&[half, rest + 1], 10, 1, true);
        check(&[half, rest, 1], 10, 2, true);
    }

    #[test]
    fn a_record_too_large_for_any_invocation_stands_alone() {
        let largest = PAYLOAD_BYTES_MAX - ENVELOPE_BYTES;
        assert!(!is_oversized(largest));
        assert!(is_oversized(largest + 1));
        check(&[largest + 1, 1], 10, 1, true);
        check(&[1, largest + 1], 10, 1, true);
    }
}
