//! What the mapping does, which is AWS here: how records end, where the checkpoint stands, what the destination is told.

use super::Ledger;
use event_source_mapping::Ending;
use records::EpochMillis;
use records::SequenceNumber;

impl Ledger {
    /// The mapping is done with these records of the shard, and its checkpoint stands there.
    pub fn advanced(
        &mut self,
        shard: usize,
        ids: &[u32],
        ending: Ending,
        checkpoint: Option<&SequenceNumber>,
        now: EpochMillis,
    ) {
        for id in ids {
            self.note([2, u64::from(*id), ending as u64]);
            if let Some(objection) = self.objection(*id, ending, now) {
                self.complain_of(*id, now, &objection);
            }
            self.entries[*id as usize].ended = Some(ending);
        }
        if let Some(checkpoint) = checkpoint {
            self.passed(shard, checkpoint, now);
        }
    }

    /// Why the record must not end like this, held against what was seen of it.
    fn objection(&self, id: u32, ending: Ending, now: EpochMillis) -> Option<String> {
        let entry = self.entry(id);
        if let Some(before) = entry.ended {
            return Some(format!("ends as {ending:?}, and did so before as {before:?}"));
        }
        let reason = match ending {
            Ending::Handled if !(entry.handled || entry.quarantined) => "counts as handled, and no handler handled it",
            Ending::Handled if !entry.passes => "counts as handled, and the filter drops it",
            Ending::Filtered if entry.passes => "counts as filtered, and the filter lets it through",
            Ending::Delivered if !entry.named => "counts as delivered, and the destination has no message of it",
            // AWS drops what it has no destination for, and what the destination does not take.
            Ending::Dropped if self.terms.has_destination && !entry.refused => "is dropped, and nobody refused it",
            Ending::Delivered | Ending::Dropped if !self.may_be_given_up(id, now) => {
                "is given up before its retries are used up, and is not too old"
            }
            Ending::Trimmed if now.0 < entry.arrival + self.terms.retention_ms => {
                "counts as trimmed, and the stream still keeps it"
            }
            _ => return None,
        };
        Some(reason.to_owned())
    }

    /// Given up is what has failed once more than it may be retried, or is older than it may become.
    fn may_be_given_up(&self, id: u32, now: EpochMillis) -> bool {
        let entry = self.entry(id);
        let is_exhausted = self.terms.retries.is_some_and(|retries| entry.invocations > retries);
        is_exhausted || self.terms.record_age_ms.is_some_and(|age_ms| now.0 - entry.arrival > age_ms)
    }

    /// The checkpoint passes a record that is done with, or that was trimmed before the mapping read it; no other.
    fn passed(&mut self, shard: usize, checkpoint: &SequenceNumber, now: EpochMillis) {
        let line = &self.shards[shard];
        let end = line.ids.partition_point(|id| self.entry(*id).record.sequence_number() <= checkpoint);
        let newly = line.ids[line.passed.min(end)..end].to_vec();
        if end < line.passed {
            self.complain(&format!("the checkpoint of shard {shard} runs backwards to {checkpoint}"));
        }
        self.shards[shard].passed = end;
        for id in newly {
            let entry = self.entry(id);
            if entry.ended.is_none() && entry.trims_at > now.0 {
                self.complain_of(id, now, &format!("the checkpoint passes it to {checkpoint}, and it is open"));
            }
        }
    }

    /// The shard is finished: its records are all done with, or trimmed before they were read.
    pub fn finished(&mut self, shard: usize, now: EpochMillis) {
        let ids = self.shards.get(shard).map_or(Vec::new(), |line| line.ids.clone());
        for id in ids {
            let entry = self.entry(id);
            if entry.ended.is_none() && entry.trims_at > now.0 {
                self.complain_of(id, now, "its shard is finished, and it is open");
            }
        }
    }

    /// The mapping sends a message about these records, which names the range.
    pub fn sent(&mut self, ids: &[u32], start: &str, end: &str, batch_size: usize, now: EpochMillis) {
        self.note([3, ids.len() as u64, now.0.unsigned_abs()]);
        self.counted.messages += 1;
        let number = |id: Option<&u32>| id.map(|id| self.entry(*id).record.sequence_number().as_str());
        if (number(ids.first()), number(ids.last()), ids.len()) != (Some(start), Some(end), batch_size) {
            self.complain(&format!("a message names {batch_size} records from {start} to {end} and is about {ids:?}"));
        }
    }

    /// What became of that message.
    pub fn answered(&mut self, ids: &[u32], was_taken: bool, says_taken: bool, now: EpochMillis) {
        for id in ids {
            let entry = &mut self.entries[*id as usize];
            entry.named |= was_taken;
            entry.named_at = entry.named_at.or(was_taken.then_some(now.0));
            entry.refused |= !says_taken;
        }
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return };
        if was_taken {
            let range = (self.place_in_shard(*first), self.place_in_shard(*last));
            let shard = self.entry(*first).shard;
            self.shards[shard].ranges.push(range);
        }
    }

    pub(super) fn place_in_shard(&self, id: u32) -> usize {
        self.shards[self.entry(id).shard].ids.partition_point(|other| *other < id)
    }
}
