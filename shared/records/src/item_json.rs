//! Typed items straight out of their JSON text, without an [`Item`] in between.
//!
//! There are two readers. The fast one ([`attribute`]) walks the text once and hands each value to the type as it passes
//! by. The careful one reads an [`Item`] and then the type out of it; it knows no shortcut, and its errors are good. The
//! fast one may refuse whatever it likes, for then the careful one decides. It must not accept what the careful one
//! refuses, nor read another value; the tests in `agreement` hold it to that.

mod attribute;
mod tag;

#[cfg(test)]
mod agreement;

use crate::json_text::JsonText;
use crate::{Item, ItemError, from_item};
use attribute::Root;
use serde::Deserialize;

/// How deep maps and lists may nest in DynamoDB. What nests deeper is none of its items, and is read carefully.
const LEVELS: u8 = 32;

/// Reads the typed JSON of an item, `{"order_id":{"S":"o-1"}}`, into a type, by the rules of [`from_item`].
///
/// Strings without escapes can be borrowed: a `#[serde(borrow)] Cow<'de, str>` is borrowed where it can be and owned where
/// it cannot. A plain `&'de str` refuses a string with an escape, and of an item with any other fault the error does not tell
/// which. In what order a type sees the attributes is not defined, nor what it sees of a name that the text has twice
/// (DynamoDB never has one); derived types and maps do not notice.
///
/// # Errors
///
/// When the text is no item, or the item does not fit the type. The message never quotes a value.
///
/// ```
/// use std::borrow::Cow;
///
/// #[derive(serde::Deserialize)]
/// struct Order<'a> { #[serde(borrow)] order_id: Cow<'a, str>, quantity: u32 }
///
/// let order: Order<'_> = records::read_item(r#"{"order_id":{"S":"o-1"},"quantity":{"N":"3"}}"#).unwrap();
/// assert!(matches!(order.order_id, Cow::Borrowed("o-1")));
/// assert_eq!(order.quantity, 3);
/// ```
pub fn read_item<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, ItemError> {
    match read_fast(json) {
        Some(read) => Ok(read),
        None => read_carefully(json),
    }
}

/// What the fast reader makes of the text; `None` when it has any doubt.
fn read_fast<'de, T: Deserialize<'de>>(json: &'de str) -> Option<T> {
    let mut text = JsonText::new(json, LEVELS);
    let read = T::deserialize(Root(&mut text)).ok()?;
    text.end().is_ok().then_some(read)
}

#[cold]
fn read_carefully<'de, T: Deserialize<'de>>(json: &str) -> Result<T, ItemError> {
    let item: Item = serde_json::from_str(json).map_err(|error| malformed(&error))?;
    from_item(&item)
}

/// The message gives the place, for serde's own words can quote what is there.
fn malformed(error: &serde_json::Error) -> ItemError {
    let (line, column) = (error.line(), error.column());
    let expected = r#"expected an attribute such as {"S":"text"}"#;
    serde::de::Error::custom(format_args!("malformed typed JSON at line {line} column {column}: {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttributeValue, Number};
    use std::borrow::Cow;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Order<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
        quantity: u8,
        amount: Option<Number>,
    }

    fn error(json: &str) -> String {
        read_item::<Order<'_>>(json).unwrap_err().to_string()
    }

    #[test]
    fn strings_are_borrowed_where_they_have_no_escapes() {
        let read = |json| read_item::<Order<'_>>(json).unwrap();
        let plain = read(r#" {"id":{"S":"é"},"quantity":{"N":"3"},"amount":{"N":"1.50"}} "#);
        assert!(matches!(plain.id, Cow::Borrowed("é")));
        assert_eq!((plain.quantity, plain.amount.unwrap().as_str()), (3, "1.50"));
        let escaped = read(r#"{"quantity":{"N":"3"},"id":{"S":"\u00e9"}}"#);
        assert!(matches!(escaped.id, Cow::Owned(ref id) if id == "é"));
        let borrowed: std::collections::BTreeMap<&str, &str> = read_item(r#"{"id":{"S":"a"}}"#).unwrap();
        assert_eq!(borrowed["id"], "a");
    }

    #[test]
    fn what_does_not_fit_is_told_as_from_item_tells_it() {
        assert_eq!(error(r#"{"id":{"S":"secret"}}"#), "missing field `quantity`");
        let float = r#"{"id":{"S":"a"},"quantity":{"N":"31415"}}"#;
        assert_eq!(error(float), "expected a number that fits u8, got an N attribute that does not");
        assert_eq!(error(r#"{"id":{"B":"c2VjcmV0"}}"#), "expected a string, got an attribute of another type");
    }

    #[test]
    fn a_plain_str_is_told_what_would_tell_more() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only the reading is tested")]
        struct Plain<'a> {
            id: &'a str,
            quantity: u8,
        }
        assert_eq!(read_item::<Plain<'_>>(r#"{"id":{"S":"a"},"quantity":{"N":"1"}}"#).unwrap().id, "a");
        for bad in [r#"{"id":{"S":"a\n"},"quantity":{"N":"1"}}"#, r#"{"id":{"S":"a"}}"#] {
            let error = read_item::<Plain<'_>>(bad).unwrap_err().to_string();
            assert!(error.contains("has an escape, or the item another fault"), "{error}");
        }
    }

    #[test]
    fn what_is_no_item_is_told_by_its_place_and_never_quoted() {
        let expected = r#"malformed typed JSON at line 1 column 12: expected an attribute such as {"S":"text"}"#;
        assert_eq!(error(r#"{"id":{"S":1}}"#), expected);
        for bad in [
            "",
            "null",
            r#""secret""#,
            r#"[{"S":"secret"},{"N":"1"}]"#,
            r#"{"id":"secret","quantity":{"N":"1"}}"#,
            r#"{"id":{"SECRET":"secret"},"quantity":{"N":"1"}}"#,
            r#"{"id":{},"quantity":{"N":"1"}}"#,
            r#"{"id":{"S":"secret","N":"1"},"quantity":{"N":"1"}}"#,
            r#"{"id":{"S":"secret"},"quantity":{"N":1}}"#,
            r#"{"id":{"S":"secret"},"quantity":{"N":"1"},"unknown":{"B":"secret"}}"#,
            r#"{"id":{"S":"secret"},"quantity":{"N":"1"},"unknown":{"M":[]}}"#,
            r#"{"id":{"S":"secret"},"quantity":{"N":"1"}} secret"#,
        ] {
            let error = error(bad);
            assert!(error.starts_with("malformed typed JSON at line 1 column "), "{bad}: {error}");
            assert!(!error.to_lowercase().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_refusal_that_a_type_swallows_does_not_derail_the_reading() {
        /// A list of bytes, or nothing when it is something else.
        #[derive(Debug, PartialEq)]
        struct Lenient(Option<Vec<u8>>);
        impl<'de> Deserialize<'de> for Lenient {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self(Vec::deserialize(deserializer).ok()))
            }
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Two {
            a: Lenient,
            b: Lenient,
        }
        let both = Two { a: Lenient(None), b: Lenient(Some(vec![1])) };
        assert_eq!(read_item(r#"{"a":{"L":[{"S":"x"},{"N":"1"}]},"b":{"NS":["1"]}}"#), Ok(both));
        for broken in [
            // After its refusal the text goes on as if nothing was wrong with it.
            r#"{"a":{"L":[{"S":"x"},{,"b":{"NS":["1"]}}"#,
            r#"{"a":{"L":[{"S":"x"}]},"b":}"#,
            r#"{"a":,"b":{"NS":["1"]}}"#,
            r#"{"a":{"NS":["1"],"b":{"NS":["1"]}}"#,
        ] {
            assert!(read_item::<Two>(broken).unwrap_err().to_string().starts_with("malformed"), "{broken}");
        }
    }

    #[test]
    fn what_is_wide_is_not_deep() {
        let lines = vec![r#"{"M":{"sku":{"S":"a"},"tags":{"L":[]}}}"#; 100].join(",");
        assert!(read_fast::<serde_json::Value>(&format!(r#"{{"lines":{{"L":[{lines}]}}}}"#)).is_some());
    }

    #[test]
    fn hostile_nesting_overflows_no_stack() {
        let nested = |levels: usize, open: &str, close: &str| {
            format!(r#"{{"a":{}{{"S":"x"}}{}}}"#, open.repeat(levels), close.repeat(levels))
        };
        let check = move || {
            for levels in [31, 32, 33, 61, 62, 63, 64, 127, 128, 255, 256, 100_000] {
                for json in [nested(levels, r#"{"M":{"a":"#, "}}"), nested(levels, r#"{"L":["#, "]}")] {
                    let read = read_item::<serde_json::Value>(&json);
                    assert_eq!(read.is_ok(), levels < 63, "{levels} levels");
                    assert_eq!(read_fast::<serde_json::Value>(&json).is_some(), levels <= 32, "{levels} levels");
                    assert_eq!(read_item::<serde::de::IgnoredAny>(&json).is_ok(), levels < 63, "{levels} levels");
                    let item: Option<Item> = serde_json::from_str(&json).ok();
                    let bytes = item.map(|item| item.values().map(AttributeValue::payload_bytes).sum::<usize>());
                    assert_eq!(bytes.is_some(), levels < 63, "{levels} levels");
                }
            }
        };
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(check);
        thread.unwrap().join().unwrap();
    }

    /// Half of what a thread gets by default, for a handler stands on the stack as well.
    const STACK_BYTES: usize = 1 << 20;
}
