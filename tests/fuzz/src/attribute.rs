//! Any bytes as the typed JSON of an item: beside the way through an `Item`.

use crate::alike::{Anything, Single};
use crate::order::{Lenient, Order, Shapes, Skipped};
use records::{Item, Number, from_item, read_item};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// An item, read into one type after the other.
pub fn attribute_values(json: &[u8]) {
    let Ok(json) = str::from_utf8(json) else { return };
    agree::<Order<'_>>(json);
    agree::<Anything>(json);
    agree::<Lenient>(json);
    agree::<Shapes>(json);
    agree::<Skipped>(json);
    agree::<IgnoredAny>(json);
    agree::<Option<Anything>>(json);
    agree::<Vec<Anything>>(json);
    agree::<BTreeMap<u32, Single>>(json);
    agree::<BTreeMap<String, Number>>(json);
    agree::<BTreeMap<String, Option<Vec<i64>>>>(json);
    // Serde_json's own value knows one key when it comes first, and the order of attributes is not defined.
    if !json.contains("$serde_json::private::") {
        agree::<Value>(json);
    }
    borrowed(json);
    written(json);
}

fn agree<'de, T: Deserialize<'de> + PartialEq + Debug>(json: &'de str) {
    let careful = serde_json::from_str::<Item>(json);
    match (read_item::<T>(json), careful) {
        (Ok(read), Ok(item)) => assert_eq!(Ok(read), from_item(&item)),
        (Ok(read), Err(error)) => panic!("it is taken as {read:?}, and is no item: {error}"),
        (Err(error), Ok(item)) => assert_eq!(Err(error), from_item::<T>(&item)),
        (Err(_), Err(_)) => {}
    }
}

/// What is borrowed is what would have been copied.
fn borrowed(json: &str) {
    if let Ok(borrowed) = read_item::<BTreeMap<&str, &str>>(json) {
        let owned = read_item::<BTreeMap<String, String>>(json).expect("what can be borrowed can be copied");
        let borrowed = borrowed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        assert_eq!(borrowed.collect::<BTreeMap<_, _>>(), owned);
    }
}

/// An item survives the way out and in.
fn written(json: &str) {
    if let Ok(item) = serde_json::from_str::<Item>(json) {
        let text = serde_json::to_string(&item).expect("an item is JSON");
        assert_eq!(serde_json::from_str::<Item>(&text).ok(), Some(item));
    }
}
