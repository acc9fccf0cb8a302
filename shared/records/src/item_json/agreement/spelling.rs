//! The JSON text of an item in one of its many spellings.

use crate::AttributeValue;
use base64_simd::STANDARD;
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt::Write;

/// Which spaces come between the tokens, and which characters are escaped: a series of choices, used in turn.
#[derive(Debug, Clone)]
pub(super) struct Spelling(Vec<u8>);

/// Half of the spellings are the one of AWS, without a space or an escape that is not needed.
pub(super) fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![Just(vec![0]), vec(prop_oneof![6 => Just(0), 1 => any::<u8>()], 1..60)].prop_map(Spelling)
}

impl Spelling {
    pub(super) fn spell<'a>(&self, item: impl IntoIterator<Item = (&'a String, &'a AttributeValue)>) -> String {
        let mut pen = Pen { text: String::new(), choices: self.0.iter().copied().cycle() };
        pen.item(item);
        pen.space();
        pen.text
    }
}

struct Pen<I> {
    text: String,
    choices: I,
}

impl<I: Iterator<Item = u8>> Pen<I> {
    fn space(&mut self) {
        let spaces = ["", " ", "\n", "\t\r", "  \n    "];
        let choice = usize::from(self.choices.next().unwrap());
        self.text.push_str(spaces.get(choice).copied().unwrap_or_default());
    }

    fn token(&mut self, token: &str) {
        self.space();
        self.text.push_str(token);
    }

    fn string(&mut self, string: &str) {
        self.token("\"");
        for character in string.chars() {
            if self.choices.next().unwrap() % 16 == 15 {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(self.text, "\\u{unit:04X}").unwrap();
                }
            } else {
                let quoted = serde_json::to_string(&character).unwrap();
                self.text.push_str(&quoted[1..quoted.len() - 1]);
            }
        }
        self.text.push('"');
    }

    fn list<T>(&mut self, brackets: [&str; 2], elements: impl IntoIterator<Item = T>, write: fn(&mut Self, T)) {
        self.token(brackets[0]);
        for (index, element) in elements.into_iter().enumerate() {
            if index > 0 {
                self.token(",");
            }
            write(self, element);
        }
        self.token(brackets[1]);
    }

    fn item<'a>(&mut self, item: impl IntoIterator<Item = (&'a String, &'a AttributeValue)>) {
        self.list(["{", "}"], item, |pen, (name, value)| {
            pen.string(name);
            pen.token(":");
            pen.attribute(value);
        });
    }

    fn attribute(&mut self, value: &AttributeValue) {
        self.token("{");
        match value {
            AttributeValue::S(text) => self.tagged("S").string(text),
            AttributeValue::N(text) => self.tagged("N").string(text),
            AttributeValue::B(bytes) => self.tagged("B").string(&STANDARD.encode_to_string(bytes)),
            AttributeValue::Bool(value) => self.tagged("BOOL").token(&value.to_string()),
            AttributeValue::Null(value) => self.tagged("NULL").token(&value.to_string()),
            AttributeValue::M(item) => self.tagged("M").item(item),
            AttributeValue::L(list) => self.tagged("L").list(["[", "]"], list, Self::attribute),
            AttributeValue::StringSet(set) => self.tagged("SS").list(["[", "]"], set, |pen, text| pen.string(text)),
            AttributeValue::NumberSet(set) => self.tagged("NS").list(["[", "]"], set, |pen, text| pen.string(text)),
            AttributeValue::BinarySet(set) => {
                self.tagged("BS").list(["[", "]"], set, |pen, bytes| pen.string(&STANDARD.encode_to_string(bytes)));
            }
        }
        self.token("}");
    }

    fn tagged(&mut self, tag: &str) -> &mut Self {
        self.string(tag);
        self.token(":");
        self
    }
}
