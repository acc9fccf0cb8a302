//! The fast reader beside the careful one: it never accepts what the careful one refuses, and reads no other value.

mod hostile;
mod items;
mod spelling;
mod targets;

use super::{read_carefully, read_fast};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Debug;
use targets::{Anything, Borrowing, Everything, Lenient, Shapes, Stubborn};

/// Both readers on one text and one type. Whether the fast one took it.
fn agree<'de, T: Deserialize<'de> + Debug>(json: &'de str) -> bool {
    let Some(fast) = read_fast::<T>(json) else { return false };
    match read_carefully::<T>(json) {
        // Debug texts, since NaN is not equal to itself.
        Ok(careful) => assert_eq!(format!("{fast:?}"), format!("{careful:?}"), "{json}"),
        Err(error) => panic!("only the fast reader takes {json}: {error}"),
    }
    true
}

fn agree_on_all_types(json: &str) {
    agree::<Anything>(json);
    agree::<Everything>(json);
    agree::<Shapes>(json);
    agree::<Lenient>(json);
    agree::<Stubborn>(json);
    agree::<BTreeMap<String, Stubborn>>(json);
    agree::<BTreeMap<String, Option<Stubborn>>>(json);
    agree::<Option<Anything>>(json);
    agree::<(Anything, Anything)>(json);
    agree::<Vec<Anything>>(json);
    agree::<serde_json::Value>(json);
    agree::<serde::de::IgnoredAny>(json);
    agree::<BTreeMap<String, String>>(json);
    agree::<BTreeMap<u32, f32>>(json);
    agree::<BTreeMap<String, Option<Vec<i64>>>>(json);
}

#[test]
fn a_token_that_breaks_off_is_read_as_the_careful_reader_reads_it() {
    // What stands behind the break looks as if the token had ended well.
    let broken = [
        "\"\\x\"",
        "\"1\n",
        "\"\\ud800\"",
        "",
        "nul",
        "tru",
        "[\"\\x\"]",
        "[\"1\n]",
        "[true,]",
        "[{\"S\":}]",
        "{\n",
        "{]",
    ];
    for field in [
        "a", "b", "text", "float", "exact", "present", "pair", "nested", "tags", "numbers", "bytes", "channel",
        "anything",
    ] {
        for tag in ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"] {
            for content in broken {
                agree_on_all_types(&format!(r#"{{"{field}":{{"{tag}":{content}}}}}"#));
                agree_on_all_types(&format!(r#"{{"{field}":{{"{tag}":{content}}}"#));
                agree_on_all_types(&format!(r#"{{"{field}":{{"L":[{{"{tag}":{content}}}]}}}}"#));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_is_well_formed_is_taken_by_both(json in items::well_formed()) {
        agree_on_all_types(&json);
        assert!(read_fast::<Anything>(&json).is_some(), "the fast reader refuses {json}");
        assert!(read_fast::<serde::de::IgnoredAny>(&json).is_some(), "the fast reader refuses {json}");
    }

    #[test]
    fn an_item_that_fits_its_type_is_taken_by_both(json in items::fitting()) {
        assert!(agree::<Everything>(&json), "the fast reader refuses {json}");
        assert!(agree::<Anything>(&json), "the fast reader refuses {json}");
        agree_on_all_types(&json);
        // The careful reader has nothing to borrow from, so it has no word on this one.
        let borrowing = read_fast::<Borrowing<'_>>(&json).unwrap();
        let owned = read_fast::<Everything>(&json).unwrap();
        assert_eq!((&*borrowing.text, &*borrowing.name), (owned.text.as_str(), owned.name.0.as_str()));
    }

    #[test]
    fn what_hardly_fits_is_read_as_the_careful_reader_reads_it(json in items::hardly_fitting()) {
        agree_on_all_types(&json);
    }

    #[test]
    fn what_was_tampered_with_is_read_as_the_careful_reader_reads_it(
        json in prop_oneof![items::well_formed(), items::fitting(), items::hardly_fitting()],
        damage in hostile::damage(),
    ) {
        agree_on_all_types(&damage.done_to(&json));
    }

    #[test]
    fn random_tokens_are_read_as_the_careful_reader_reads_them(json in hostile::tokens()) {
        agree_on_all_types(&json);
    }
}
