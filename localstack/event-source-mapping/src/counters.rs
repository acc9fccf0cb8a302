//! What a shard has done so far.

use crate::{Ending, Verdict};
use std::ops::AddAssign;

/// Counts since the shard was opened. In brackets: the metric of AWS that counts the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Polls that were answered.
    pub polls: u64,
    /// Records that polls returned (`PolledEventCount`).
    pub polled_records: u64,
    /// Invocations that reached the function.
    pub invocations: u64,
    /// Records in those invocations, each time anew (`InvokedEventCount`).
    pub invoked_records: u64,
    /// Invocations that failed as a whole: an error, or a response that handled no record.
    pub failed_invocations: u64,
    /// Invocations after which a part of the batch was left.
    pub partial_invocations: u64,
    /// Invocations that never reached the function.
    pub undelivered_invocations: u64,
    /// Batches or pieces cut in half.
    pub splits: u64,
    /// Records that the function handled.
    pub handled_records: u64,
    /// Messages that the destination took.
    pub delivered_messages: u64,
    /// Records in those messages (`OnFailureDestinationDeliveredEventCount`).
    pub delivered_records: u64,
    /// Messages that the destination did not take (`DestinationDeliveryFailures`).
    pub destination_failures: u64,
    /// Records that the filters dropped (`FilteredOutEventCount`).
    pub filtered_records: u64,
    /// Records given up without a trace: no destination, or it failed (`DroppedEventCount`).
    pub dropped_records: u64,
    /// Records that the stream trimmed while they were retried. No metric of AWS counts them.
    pub trimmed_records: u64,
    /// Tumbling windows whose last invocation failed for good. No metric of AWS counts them.
    pub lost_windows: u64,
}

impl Counters {
    /// Counts an invocation of `records` records.
    pub(crate) fn invoke(&mut self, records: usize, verdict: Verdict) {
        if verdict == Verdict::Undelivered {
            self.undelivered_invocations += 1;
            return;
        }
        self.invocations += 1;
        self.invoked_records += records as u64;
        match verdict {
            Verdict::Success | Verdict::Undelivered => {}
            Verdict::RetryFrom(1..) => self.partial_invocations += 1,
            Verdict::RetryFrom(0) | Verdict::Failed => self.failed_invocations += 1,
        }
    }

    /// Counts `records` records that are done with.
    pub(crate) fn end(&mut self, records: usize, ending: Ending) {
        let records = records as u64;
        match ending {
            Ending::Handled => self.handled_records += records,
            Ending::Filtered => self.filtered_records += records,
            Ending::Dropped => self.dropped_records += records,
            Ending::Trimmed => self.trimmed_records += records,
            Ending::Delivered => {
                self.delivered_messages += 1;
                self.delivered_records += records;
            }
        }
    }
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.polls += other.polls;
        self.polled_records += other.polled_records;
        self.invocations += other.invocations;
        self.invoked_records += other.invoked_records;
        self.failed_invocations += other.failed_invocations;
        self.partial_invocations += other.partial_invocations;
        self.undelivered_invocations += other.undelivered_invocations;
        self.splits += other.splits;
        self.handled_records += other.handled_records;
        self.delivered_messages += other.delivered_messages;
        self.delivered_records += other.delivered_records;
        self.destination_failures += other.destination_failures;
        self.filtered_records += other.filtered_records;
        self.dropped_records += other.dropped_records;
        self.trimmed_records += other.trimmed_records;
        self.lost_windows += other.lost_windows;
    }
}
