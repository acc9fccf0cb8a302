//! Texts of items in every shape.

use super::spelling::spelling;
use crate::AttributeValue;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Attributes by name; a name may come twice.
type Attributes = Vec<(String, AttributeValue)>;

/// Any item that DynamoDB could hold, in any spelling.
pub(super) fn well_formed() -> impl Strategy<Value = String> {
    // A name that comes twice is no fault, but `from_item` visits only the last.
    let attributes = prop::collection::btree_map(name(), attribute(number().boxed()), 0..6);
    spelt(attributes.prop_map(|item| item.into_iter().collect()))
}

/// An item that fits [`Everything`](super::targets::Everything).
pub(super) fn fitting() -> impl Strategy<Value = String> {
    spelt(fields(false))
}

/// An item that comes near to [`Everything`](super::targets::Everything), and names some fields twice.
pub(super) fn hardly_fitting() -> impl Strategy<Value = String> {
    spelt((fields(true), vec(any::<prop::sample::Index>(), 0..2)).prop_map(|(mut fields, twice)| {
        for index in twice {
            fields.push(index.get(&fields).clone());
        }
        fields
    }))
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![select(vec!["a", "b", "text", "S", "é", ""]).prop_map(str::to_owned), string()]
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,20}",
        "\\PC{0,12}",
        vec(select(vec!['"', '\\', '/', '\n', '\t', '\0', '\u{1f}', '\u{7f}', 'é', '\u{ffff}', '😀', 'a']), 0..12)
            .prop_map(String::from_iter),
    ]
}

/// A number as DynamoDB writes it.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i8>().prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        "-?[1-9][0-9]{37}",
        "-?[0-9]{1,20}\\.[0-9]{1,18}",
        "-?[1-9](\\.[0-9]{1,5})?E[+-][0-9]{1,3}",
    ]
}

/// A number, or what only looks like one.
fn dubious_number() -> BoxedStrategy<String> {
    let dubious = select(vec!["", "abc", "NaN", "inf", "-inf", "+5", "-0", " 1", "1 ", "0x10", "1e", "1_000", "١"]);
    prop_oneof![3 => number(), 1 => dubious.prop_map(str::to_owned)].boxed()
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..8)
}

fn attribute(number: BoxedStrategy<String>) -> BoxedStrategy<AttributeValue> {
    let leaf = prop_oneof![
        string().prop_map(AttributeValue::S),
        number.clone().prop_map(AttributeValue::N),
        bytes().prop_map(AttributeValue::B),
        any::<bool>().prop_map(AttributeValue::Bool),
        any::<bool>().prop_map(AttributeValue::Null),
        vec(string(), 0..4).prop_map(AttributeValue::StringSet),
        vec(select(vec!["1", "1", "-2.5", "300"]).prop_map(str::to_owned), 0..4).prop_map(AttributeValue::NumberSet),
        vec(number, 0..4).prop_map(AttributeValue::NumberSet),
        vec(bytes(), 0..4).prop_map(AttributeValue::BinarySet),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            prop::collection::btree_map(name(), inner, 0..4).prop_map(AttributeValue::M),
        ]
    })
    .boxed()
}

/// The fields of [`Everything`](super::targets::Everything). When `faulty`, any of them may be missing or be anything.
fn fields(faulty: bool) -> impl Strategy<Value = Attributes> {
    let s = |text: &str| AttributeValue::S(text.to_owned());
    let n = |strategy: BoxedStrategy<String>| strategy.prop_map(AttributeValue::N).boxed();
    let map = |name: &str, value| AttributeValue::M([(name.to_owned(), value)].into());
    let till = any::<u8>().prop_map(move |till| map("shop", map("till", AttributeValue::N(till.to_string()))));
    let pair = (any::<i8>(), string()).prop_map(|(number, text)| {
        AttributeValue::L(vec![AttributeValue::N(number.to_string()), AttributeValue::S(text)])
    });
    let nested = prop::collection::btree_map(name(), vec(any::<i8>(), 0..3), 0..3).prop_map(|lists| {
        let list = |numbers: Vec<i8>| {
            AttributeValue::L(numbers.into_iter().map(|number| AttributeValue::N(number.to_string())).collect())
        };
        AttributeValue::M(lists.into_iter().map(|(name, numbers)| (name, list(numbers))).collect())
    });
    let sku = string().prop_map(move |text| map("sku", AttributeValue::S(text)));
    let fields: Vec<(&str, BoxedStrategy<AttributeValue>)> = vec![
        ("text", "[a-zé]{0,12}".prop_map(AttributeValue::S).boxed()),
        ("name", "[a-z]{0,12}".prop_map(AttributeValue::S).boxed()),
        ("letter", select(vec![s("a"), s("é"), s("😀")]).boxed()),
        ("small", n(any::<i8>().prop_map(|n| n.to_string()).boxed())),
        ("large", n(any::<u128>().prop_map(|n| n.to_string()).boxed())),
        ("float", n(number().boxed())),
        ("single", n(number().boxed())),
        ("number", n(number().boxed())),
        ("exact", n(number().boxed())),
        ("flag", any::<bool>().prop_map(AttributeValue::Bool).boxed()),
        ("absent", any::<bool>().prop_map(AttributeValue::Null).boxed()),
        ("present", string().prop_map(AttributeValue::S).boxed()),
        ("nothing", any::<bool>().prop_map(AttributeValue::Null).boxed()),
        ("bytes", bytes().prop_map(AttributeValue::B).boxed()),
        ("pair", pair.boxed()),
        ("nested", nested.boxed()),
        ("lines", vec(sku, 0..3).prop_map(AttributeValue::L).boxed()),
        ("tags", vec(string(), 0..3).prop_map(AttributeValue::StringSet).boxed()),
        ("numbers", vec(any::<u64>().prop_map(|n| n.to_string()), 0..3).prop_map(AttributeValue::NumberSet).boxed()),
        ("blobs", vec(bytes(), 0..3).prop_map(AttributeValue::BinarySet).boxed()),
        ("channel", prop_oneof![Just(s("web")), till].boxed()),
        ("anything", attribute(number().boxed())),
    ];
    let number = if faulty { dubious_number() } else { number().boxed() };
    let known = fields.into_iter().map(|(name, strategy)| {
        let fits = strategy.prop_map(move |value| Some((name.to_owned(), value)));
        if !faulty {
            return fits.boxed();
        }
        // A fault in one of many fields: after more than that, the readers would never get far.
        let other = attribute(number.clone()).prop_map(move |value| Some((name.to_owned(), value)));
        prop_oneof![80 => fits, 2 => other, 1 => Just(None)].boxed()
    });
    let unknown = prop::collection::btree_map("unknown[0-9]", attribute(number.clone()), 0..3);
    let fields = (known.collect::<Vec<_>>(), unknown);
    fields
        .prop_map(|(known, unknown)| known.into_iter().flatten().chain(unknown).collect::<Attributes>())
        .prop_shuffle()
}

fn spelt(attributes: impl Strategy<Value = Attributes>) -> impl Strategy<Value = String> {
    (attributes, spelling())
        .prop_map(|(attributes, spelling)| spelling.spell(attributes.iter().map(|(name, value)| (name, value))))
}
