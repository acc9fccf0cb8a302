//! The account at the end.

use serde_json::{Value, json};

/// What became of everything that was put in.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The Kinesis stream.
    pub kinesis: SourceReport,
    /// The table's stream.
    pub dynamodb: SourceReport,
    /// Invocations of the hydrator.
    pub hydrator_invocations: u64,
    /// Messages in the hydrator's dead-letter queue, each of which names records that are not back.
    pub waiting_messages: u64,
    /// From the first record put in to the last one accounted for.
    pub seconds: f64,
}

/// What became of one source's records. A record counts once in each number that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceReport {
    /// Put in.
    pub produced: u64,
    /// Handled by a function, by its own response.
    pub handled: u64,
    /// Named by an on-failure message.
    pub dead_lettered: u64,
    /// Back from the recovered queue.
    pub recovered: u64,
    /// Back, and byte for byte what was put in.
    pub identical: u64,
    /// Named by a loss report.
    pub lost: u64,
    /// Handled more than once, or handled and dead-lettered as well.
    pub duplicates: u64,
    /// Invocations of the processor that reached it.
    pub invocations: u64,
    /// Neither handled nor recovered nor reported lost.
    pub unaccounted: u64,
    /// Seen on the way, but never put in; or put in twice under one identity.
    pub unknown: u64,
    /// Handled, though the producer made it so that no processor should.
    pub poison_handled: u64,
}

impl Report {
    /// Records that are neither handled nor recovered nor reported lost.
    #[must_use]
    pub fn unaccounted(&self) -> u64 {
        self.kinesis.unaccounted + self.dynamodb.unaccounted
    }

    /// Records that differ from what was put in, were never put in, or were handled though they are poison.
    #[must_use]
    pub fn different(&self) -> u64 {
        let different =
            |source: &SourceReport| source.recovered - source.identical + source.unknown + source.poison_handled;
        different(&self.kinesis) + different(&self.dynamodb)
    }

    /// Whether every record is accounted for, and every recovered one is what was put in.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.unaccounted() == 0 && self.different() == 0
    }

    /// The sentence that says so.
    #[must_use]
    pub fn sentence(&self) -> String {
        let produced = self.kinesis.produced + self.dynamodb.produced;
        let lost = self.kinesis.lost + self.dynamodb.lost;
        if !self.holds() {
            let waiting = match self.waiting_messages {
                0 => String::new(),
                count => format!(" {count} on-failure message(s) wait in the hydrator's dead-letter queue."),
            };
            return format!(
                "NOT every record is accounted for: {} of {produced} are missing, {} are not what was put in, \
                 or poison that was handled.{waiting}",
                self.unaccounted(),
                self.different(),
            );
        }
        let recovered = self.kinesis.recovered + self.dynamodb.recovered;
        let lost = if lost == 0 { "none lost".to_owned() } else { format!("{lost} reported lost") };
        format!("Every record is accounted for: {produced} produced, {recovered} recovered byte for byte, {lost}.")
    }

    /// The report as one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "sources": { "kinesis": self.kinesis.json(), "dynamodb": self.dynamodb.json() },
            "unaccounted": self.unaccounted(),
            "different": self.different(),
            "waiting_messages": self.waiting_messages,
            "hydrator_invocations": self.hydrator_invocations,
            "seconds": (self.seconds * 1_000.0).round() / 1_000.0,
        })
    }
}

impl SourceReport {
    fn json(&self) -> Value {
        json!({
            "produced": self.produced,
            "handled": self.handled,
            "dead_lettered": self.dead_lettered,
            "recovered": self.recovered,
            "identical": self.identical,
            "lost": self.lost,
            "duplicates": self.duplicates,
            "invocations": self.invocations,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(produced: u64, handled: u64, recovered: u64, identical: u64, unaccounted: u64) -> SourceReport {
        SourceReport {
            produced,
            handled,
            dead_lettered: recovered,
            recovered,
            identical,
            lost: 0,
            duplicates: 0,
            invocations: 1,
            unaccounted,
            unknown: 0,
            poison_handled: 0,
        }
    }

    fn report(kinesis: SourceReport) -> Report {
        let dynamodb = source(0, 0, 0, 0, 0);
        Report { kinesis, dynamodb, hydrator_invocations: 1, waiting_messages: 0, seconds: 1.5 }
    }

    #[test]
    fn the_account_holds_only_when_nothing_is_missing_and_nothing_differs() {
        assert!(report(source(10, 9, 1, 1, 0)).holds());
        assert!(!report(source(10, 9, 0, 0, 1)).holds());
        assert!(!report(source(10, 9, 1, 0, 0)).holds());
        let mut unknown = source(10, 9, 1, 1, 0);
        unknown.unknown = 1;
        assert!(!report(unknown).holds());
    }

    #[test]
    fn the_sentence_says_what_is_missing() {
        let sentence = report(source(10, 9, 0, 0, 1)).sentence();
        assert!(sentence.starts_with("NOT every record is accounted for: 1 of 10 are missing"), "{sentence}");
        let sentence = report(source(10, 9, 1, 1, 0)).sentence();
        assert!(sentence.contains("10 produced, 1 recovered byte for byte, none lost"), "{sentence}");
    }
}
