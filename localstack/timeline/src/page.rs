//! The page: the assets of `page/`, filled with a timeline's data.
//!
//! Text from outside enters in two places only: as JSON, in which no `<` is left, and as the document's title, escaped.
//! The script puts it into the page as text.

use crate::Timeline;
use crate::columns::Columns;

const TEMPLATE: &str = include_str!("../page/page.html");
const STYLE: &str = include_str!("../page/page.css");
const SCRIPT: &str = include_str!("../page/page.js");

/// One self-contained page that shows `timeline`: no network, no framework, its data inside.
///
/// # Errors
///
/// Only where `serde_json` cannot write to memory.
pub fn html(timeline: &Timeline) -> Result<String, serde_json::Error> {
    let data = embeddable(&serde_json::to_string(&Columns::of(timeline))?);
    let title = escaped(&timeline.title);
    Ok(filled(TEMPLATE, |name| match name {
        "title" => &title,
        "style" => STYLE,
        "data" => &data,
        "script" => SCRIPT,
        _ => "",
    }))
}

/// The template with each `{{name}}` replaced. One pass: what is put in is not searched again.
fn filled<'a>(template: &'a str, value: impl Fn(&str) -> &'a str) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, tail)| Some((before, tail.split_once("}}")?)))
    {
        page.push_str(before);
        page.push_str(value(name));
        rest = after;
    }
    page.push_str(rest);
    page
}

/// JSON that may stand in a script element. Outside of strings JSON has none of these characters, and inside of them an
/// escape means the same: neither `</script` nor `<!--` is left to end or to bend the element.
fn embeddable(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => text.push_str("\\u003c"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            other => text.push(other),
        }
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fate, InvocationEntry, InvocationOutcome, Lane, RecordEntry, Run};

    /// Batches of 100 that are all handled, with sequence numbers as long as those of Kinesis.
    fn orderly(records: u32) -> Timeline {
        let record = |number: u32| RecordEntry {
            lane: 0,
            label: format!("4965{:052}", u64::from(number) * 1_234_567_891),
            arrived_ms: i64::from(number),
            fate: Fate::Handled,
        };
        let batch = |first: u32| InvocationEntry {
            lane: 0,
            slot: 0,
            start_ms: u64::from(first) * 7,
            end_ms: u64::from(first) * 7 + u64::from(first % 13),
            records: vec![Run { first, last: (first + 99).min(records) }],
            attempt: 1,
            outcome: InvocationOutcome::Handled,
            response: r#"{"batchItemFailures":[]}"#.into(),
            follows: None,
        };
        Timeline {
            title: "orderly".into(),
            lanes: vec![Lane {
                name: "shardId-000000000000".into(),
                source: "kinesis".into(),
                slots: 1,
                parents: vec![],
            }],
            records: (1..=records).map(record).collect(),
            invocations: (1..=records).step_by(100).map(batch).collect(),
            ..Timeline::default()
        }
    }

    /// What stands between the tags of the element that holds the data.
    fn data(page: &str) -> &str {
        let start = page.find(r#"id="data">"#).unwrap() + r#"id="data">"#.len();
        &page[start..start + page[start..].find("</script>").unwrap()]
    }

    #[test]
    fn text_from_outside_cannot_leave_its_place() {
        let attack = "</script><script>alert(1)</script><!--\u{2028}\u{2029}&{{script}}";
        let mut timeline = orderly(2);
        timeline.title = attack.into();
        timeline.records[0].label = attack.into();
        timeline.invocations[0].response = attack.into();
        let page = html(&timeline).unwrap();
        assert!(!page.contains("<script>alert"), "a script came in");
        assert_eq!(page.matches("</script>").count(), 2, "of the data and of the page's own script");
        assert!(page.contains(
            "<title>&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;!--\u{2028}\u{2029}&amp;{{script}}</title>"
        ));
        let data = data(&page);
        assert!(!data.contains(['<', '\u{2028}', '\u{2029}']), "{data}");
        let read: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(read["records"]["tails"][0], attack);
        assert_eq!(read["title"], attack);
    }

    #[test]
    fn a_page_names_no_address_and_loads_nothing() {
        let page = html(&orderly(1)).unwrap();
        for needle in ["http:", "https:", "src=", "href=", "url(", "@import", "fetch(", "innerHTML", "eval("] {
            assert!(!page.contains(needle), "{needle}");
        }
        let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
        assert!(page.contains(policy));
    }

    #[test]
    fn fifty_thousand_records_make_a_page_below_a_megabyte_and_a_quarter() {
        let page = html(&orderly(50_000)).unwrap();
        assert!(page.len() < 1_250_000, "{} bytes", page.len());
    }

    #[test]
    fn each_name_of_the_template_is_filled() {
        let page = html(&Timeline::default()).unwrap();
        let script = page.find("<script>").unwrap();
        assert!(!page[..script].contains("{{"));
        assert_eq!(filled("a{{x}}b{{y}}", |name| if name == "x" { "{{y}}" } else { "2" }), "a{{y}}b2");
    }
}
