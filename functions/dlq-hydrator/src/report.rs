//! What an invocation says: a line for each message, and one with the metrics for each stream.

use lambda_runtime::Context;
use records::ShardRange;
use recovery::{Account, Hydration, Outcome, Part, Totals};
use std::time::{Duration, SystemTime};
use telemetry::{InvocationLine, metrics};

/// Writes the lines. Losses are errors: somebody has to know.
pub fn log(context: &Context, duration: Duration, hydration: &Hydration) {
    for message in &hydration.messages {
        for part in &message.parts {
            log_part(context, &message.message_id, part);
        }
    }
    if hydration.totals.is_empty() {
        invocation_line(context, duration, None, &Totals::default()).print();
    }
    for (stream, totals) in &hydration.totals {
        invocation_line(context, duration, stream.as_deref(), totals).print();
    }
}

/// What a line is about: every line of a message says the same of it.
struct Subject<'a> {
    context: &'a Context,
    message_id: &'a str,
    range: Option<&'a ShardRange>,
}

/// One line at a level, with its subject in front of what else it says. What is `None` is left out.
macro_rules! say {
    ($level:ident, $subject:expr, $($said:tt)+) => {
        tracing::$level!(
            faas.invocation_id = $subject.context.request_id,
            faas.trace_id = $subject.context.xray_trace_id.as_deref(),
            message.id = $subject.message_id,
            stream.arn = $subject.range.map(|range| range.stream().as_str()),
            shard.id = $subject.range.map(|range| range.shard().as_str()),
            range.start = $subject.range.map(|range| range.start().as_str()),
            range.end = $subject.range.map(|range| range.end().as_str()),
            $($said)+
        )
    };
}

fn log_part(context: &Context, message_id: &str, part: &Part) {
    let range = part.message.as_deref().map(|message| &message.range);
    let subject = Subject { context, message_id, range };
    match &part.outcome {
        Outcome::Done(account) => log_account(&subject, account, "message hydrated"),
        Outcome::HandedOn(account) => log_account(&subject, account, "rest of the message handed on"),
        Outcome::Duplicate => say!(info, subject, "message says the same as another"),
        Outcome::Stays(error) => say!(error, subject, %error, "message not hydrated: it stays on its queue"),
    }
}

fn log_account(subject: &Subject<'_>, account: &Account, text: &str) {
    say!(
        info,
        subject,
        verdict = account.verdict.map(|verdict| verdict.as_str()),
        records.delivered = account.delivered,
        records.recovered = account.recovered,
        records.lost = account.lost,
        records.candidates = account.candidates,
        "{text}"
    );
    if account.lost > 0 {
        say!(error, subject, records.lost = account.lost, "records lost");
    }
}

fn invocation_line(context: &Context, duration: Duration, stream: Option<&str>, totals: &Totals) -> InvocationLine {
    let mut line = InvocationLine::new(SystemTime::now(), &context.env_config.function_name, stream);
    line.field("message", "hydration done")
        .field("faas.invocation_id", &context.request_id)
        .field("faas.trace_id", context.xray_trace_id.as_deref())
        .field("duration_ms", duration.as_secs_f64() * 1_000.0);
    for (metric, count) in [
        (&metrics::MESSAGES, totals.messages),
        (&metrics::MESSAGES_FAILED, totals.failed_messages),
        (&metrics::MESSAGES_EXPIRED, totals.expired_messages),
        (&metrics::RECORDS_DELIVERED, totals.delivered),
        (&metrics::RECORDS_RECOVERED, totals.recovered),
        (&metrics::RECORDS_LOST, totals.lost),
        (&metrics::RECORDS_CANDIDATES, totals.candidates),
        (&metrics::STREAM_READS, totals.reads),
        (&metrics::STREAM_THROTTLES, totals.throttles),
    ] {
        line.metric(metric, count as f64);
    }
    if let Some(seconds) = totals.seconds_until_expiry {
        line.metric(&metrics::SECONDS_UNTIL_EXPIRY, seconds);
    }
    line
}
