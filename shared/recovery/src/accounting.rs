//! What became of the records: delivered is recovered and lost, always.

use crate::Verdict;
use std::ops::AddAssign;

/// What a message, or a part of one, comes to. Each record that Lambda gave up is counted once, in the part that ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// What the range proved to be; `None` while its end is not read.
    pub verdict: Option<Verdict>,
    /// Records of the failed batch.
    pub delivered: u64,
    /// Those of them that are in the sink.
    pub recovered: u64,
    /// Those of them that are reported lost.
    pub lost: u64,
    /// Other records of the range that are in the sink as well, since nobody can tell them from those of the batch, or
    /// which lie between them.
    pub candidates: u64,
}

impl Account {
    /// The account of a range at its end: of `batch_size` records `accounted` were counted before, `written` were written
    /// since, and `lost` are missing.
    #[must_use]
    pub fn at_end(verdict: Verdict, batch_size: u64, accounted: u64, written: u64, lost: u64) -> Self {
        let delivered = batch_size.saturating_sub(accounted);
        let lost = lost.min(delivered);
        let recovered = delivered - lost;
        let candidates = written.saturating_sub(recovered);
        Self { verdict: Some(verdict), delivered, recovered, lost, candidates }
    }

    /// The account of the part of a range that is done, when the rest is handed on.
    #[must_use]
    pub fn of_part(batch_size: u64, accounted: u64, written: u64, lost: u64) -> Self {
        let open = batch_size.saturating_sub(accounted);
        let lost = lost.min(open.saturating_sub(1));
        // The last record is one of the batch and not found yet.
        let recovered = written.min(open.saturating_sub(lost).saturating_sub(1));
        Self { verdict: None, delivered: recovered + lost, recovered, lost, candidates: written - recovered }
    }
}

/// The sums of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// On-failure messages.
    pub messages: u64,
    /// Records, as in [`Account`].
    pub delivered: u64,
    /// Records, as in [`Account`].
    pub recovered: u64,
    /// Records, as in [`Account`].
    pub lost: u64,
    /// Records, as in [`Account`].
    pub candidates: u64,
    /// Messages of whose records none was left.
    pub expired_messages: u64,
    /// Messages that stay on their queue.
    pub failed_messages: u64,
    /// GetRecords calls.
    pub reads: u64,
    /// Calls that the service refused because it was asked too often.
    pub throttles: u64,
    /// The least time in which the stream forgets a record of a message, when the invocation began; 0 for one that is
    /// past. `None` where no message says when its records arrived.
    pub seconds_until_expiry: Option<f64>,
}

impl AddAssign<Account> for Totals {
    fn add_assign(&mut self, account: Account) {
        self.delivered += account.delivered;
        self.recovered += account.recovered;
        self.lost += account.lost;
        self.candidates += account.candidates;
        self.expired_messages += u64::from(account.verdict == Some(Verdict::Expired));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn delivered_is_recovered_and_lost(
            batch_size in 1_u64..20, accounted in 0_u64..20, written in 0_u64..40, lost in 0_u64..20,
        ) {
            let parts = [
                Account::at_end(Verdict::Partial, batch_size, accounted, written, lost),
                Account::of_part(batch_size, accounted, written, lost),
            ];
            for part in parts {
                prop_assert_eq!(part.delivered, part.recovered + part.lost);
                prop_assert!(part.delivered <= batch_size);
            }
        }

        #[test]
        fn the_parts_of_a_range_deliver_what_the_whole_does(
            batch_size in 1_u64..20, found in 0_u64..40, cut in 0_u64..40,
        ) {
            // The last record of a range is never in a part that is handed on.
            let cut = cut.min(found.saturating_sub(1));
            let first = Account::of_part(batch_size, 0, cut, 0);
            let lost = batch_size.saturating_sub(found);
            let last = Account::at_end(Verdict::Complete, batch_size, first.delivered, found - cut, lost);
            let whole = Account::at_end(Verdict::Complete, batch_size, 0, found, lost);
            prop_assert_eq!(first.delivered + last.delivered, whole.delivered);
            prop_assert_eq!(first.recovered + last.recovered, whole.recovered);
            prop_assert_eq!(first.candidates + last.candidates, whole.candidates);
        }
    }
}
