//! What lies in the sinks: quarantined and recovered records, each held against what was produced, and loss reports, each
//! held against what the stream has trimmed.

use super::Ledger;
use crate::stream::shard_name;
use records::EpochMillis;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A record or a loss report, as far as the account looks at it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    source: Option<Source<'a>>,
    certainty: Option<&'a str>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    start_sequence_number: Option<&'a str>,
    end_sequence_number: Option<&'a str>,
    count: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source<'a> {
    stream_arn: &'a str,
    /// Absent where the event does not name it.
    shard_id: Option<&'a str>,
    sequence_number: &'a str,
}

/// Which sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The processor's quarantine.
    Quarantine,
    /// The hydrator's.
    Hydrator,
}

impl Ledger {
    /// The sink has an entry.
    pub fn written(&mut self, writer: Writer, body: &str, now: EpochMillis) {
        self.note([4, body.len() as u64, now.0.unsigned_abs()]);
        let Ok(written) = serde_json::from_str::<Written<'_>>(body) else {
            return self.complain(&format!("a sink has something that nobody can read: {body}"));
        };
        match (written.kind, written.source, written.event) {
            ("record", Some(source), Some(event)) => {
                let is_certain = written.certainty == Some("certain");
                self.recovered(writer, &source, event.get(), is_certain, now);
            }
            ("loss", ..) if writer == Writer::Hydrator => {
                let (start, end) = (written.start_sequence_number, written.end_sequence_number);
                let bounds = start.zip(end).and_then(|(start, end)| self.find(start).zip(self.find(end)));
                match bounds.zip(written.count) {
                    Some(((start, end), count)) => self.reported_lost(start, end, count, now),
                    None => self.complain(&format!("a loss report names what was never produced: {body}")),
                }
            }
            _ => self.complain(&format!("a sink has neither a record nor a loss report: {body}")),
        }
    }

    /// What the hydrator's sink holds is about to be told anew.
    pub fn forget_sink(&mut self) {
        self.entries.iter_mut().for_each(|entry| (entry.recovered, entry.lost) = (false, false));
    }

    fn recovered(&mut self, writer: Writer, source: &Source<'_>, event: &str, is_certain: bool, now: EpochMillis) {
        let Some(id) = self.find(source.sequence_number) else {
            let number = source.sequence_number;
            return self.complain(&format!("{number} lies in a sink, and was never produced"));
        };
        let (shard, place) = (self.entry(id).shard, self.place_in_shard(id));
        if *event != *self.entry(id).delivered {
            return self.complain_of(id, now, &format!("lies in a sink as something else: {event}"));
        }
        let home = shard_name(shard);
        if source.stream_arn != self.terms.stream_arn || source.shard_id.is_some_and(|shard| shard != home) {
            self.complain_of(id, now, "lies in a sink as that of another shard");
        }
        if writer == Writer::Quarantine {
            if !self.entry(id).passes {
                self.complain_of(id, now, "is quarantined, and the filter drops it");
            }
            self.entries[id as usize].quarantined = true;
            return;
        }
        let in_a_range = self.shards[shard].ranges.iter().any(|(start, end)| (*start..=*end).contains(&place));
        if !in_a_range {
            self.complain_of(id, now, "is recovered, and no message names it");
        }
        if is_certain && !self.entry(id).named {
            self.complain_of(id, now, "is called certain, and was in no batch that was given up");
        }
        self.entries[id as usize].recovered = true;
    }

    /// Lost is what the stream had trimmed when the report was written; not one more than that.
    fn reported_lost(&mut self, start: u32, end: u32, count: u64, now: EpochMillis) {
        let shard = self.entry(start).shard;
        let (first, last) = (self.place_in_shard(start), self.place_in_shard(end));
        let within: Vec<u32> = self.shards[shard].ids.get(first..=last).map_or(Vec::new(), <[u32]>::to_vec);
        let trimmed: Vec<u32> = within.into_iter().filter(|id| self.entry(*id).trims_at <= now.0).collect();
        if count == 0 || count > trimmed.len() as u64 {
            let trimmed = trimmed.len();
            let claim = format!("{count} are reported lost from it on, and the stream has trimmed {trimmed} of them");
            self.complain_of(start, now, &claim);
        }
        trimmed.iter().for_each(|id| self.entries[*id as usize].lost = true);
    }
}
