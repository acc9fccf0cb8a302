//! JSON text, walked through once: the quick way to read what AWS writes.
//!
//! It is for JSON whose shape is known, in envelopes and items, where most of a reader's time goes into finding out what
//! comes next. It refuses whatever it has a doubt about, and says no more than that: a careful reader, serde_json, decides
//! then. What it takes, serde_json takes too, and reads the same.

mod alike;
mod number;
mod typed;

pub use alike::Habit;
pub use typed::read_json;

use memchr::memchr2;
use serde::de;
use std::borrow::Cow;
use std::fmt;

/// The text is not read. Why does not matter: the careful reader has the last word.
#[derive(Debug)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }
}

/// A text, and how far it is read.
///
/// ```
/// use records::JsonText;
///
/// let mut text = JsonText::new(r#"{"id":"a","more":[1,{"x":null}],"at":1.5}"#, 8);
/// let (mut id, mut at) = (None, None);
/// text.object(|text, key| {
///     match key {
///         "id" => id = Some(text.string()?),
///         "at" => at = Some(text.number()?),
///         _ => drop(text.raw_value()?),
///     }
///     Ok(())
/// })
/// .unwrap();
/// text.end().unwrap();
/// assert_eq!((id.as_deref(), at), (Some("a"), Some(1.5)));
/// ```
#[derive(Debug)]
pub struct JsonText<'de> {
    json: &'de str,
    at: usize,
    levels_left: u8,
}

impl<'de> JsonText<'de> {
    /// A text of which nothing is read yet, and which may nest so many levels deep.
    #[must_use]
    pub fn new(json: &'de str, levels: u8) -> Self {
        Self { json, at: 0, levels_left: levels }
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'de [u8] {
        self.json.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Passes bytes by that were looked at.
    pub(crate) fn pass(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Passes a result on, and reads nothing more after a refusal.
    ///
    /// A type may swallow an error ("a list, or nothing when it is something else"). The text would then be read on from
    /// somewhere inside of what was refused, and be taken for something that it is not. A text of which the end is passed
    /// cannot be: each of its values has something behind it, if only the end.
    #[inline]
    pub(crate) fn settle<T>(&mut self, result: Result<T, Refused>) -> Result<T, Refused> {
        if result.is_err() {
            self.at = self.json.len() + 1;
        }
        result
    }

    /// The next byte that is no space, which is not taken.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        match self.json.as_bytes().get(self.at) {
            Some(&byte) if byte > b' ' => Some(byte),
            _ => self.skip_spaces(),
        }
    }

    /// AWS writes none, so they are kept out of the way.
    #[cold]
    fn skip_spaces(&mut self) -> Option<u8> {
        loop {
            match self.json.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    /// Takes the next byte that is no space.
    #[inline]
    pub(crate) fn take(&mut self, expected: u8) -> Result<(), Refused> {
        if self.peek() != Some(expected) {
            return Err(Refused);
        }
        self.at += 1;
        Ok(())
    }

    /// Takes what separates an element from the one before it; `false` at the end, which is not taken.
    #[inline]
    pub(crate) fn another(&mut self, end: u8, first: &mut bool) -> Result<bool, Refused> {
        if self.peek() == Some(end) {
            return Ok(false);
        }
        if std::mem::take(first) {
            return Ok(true);
        }
        self.take(b',').map(|()| true)
    }

    /// Nothing but spaces may be left.
    ///
    /// # Errors
    ///
    /// When something is.
    pub fn end(mut self) -> Result<(), Refused> {
        if self.peek().is_none() && self.at == self.json.len() { Ok(()) } else { Err(Refused) }
    }

    /// Takes `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Result<bool, Refused> {
        self.peek();
        let rest = self.json.as_bytes().get(self.at..).unwrap_or_default();
        let (value, length) = match rest {
            [b't', b'r', b'u', b'e', ..] => (true, 4),
            [b'f', b'a', b'l', b's', b'e', ..] => (false, 5),
            _ => return Err(Refused),
        };
        self.at += length;
        Ok(value)
    }

    /// Takes a string.
    ///
    /// # Errors
    ///
    /// When there is none.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'de, str>, Refused> {
        self.take(b'"')?;
        let start = self.at;
        let length = plain_length(self.json.as_bytes().get(start..).unwrap_or_default());
        self.at = start + length;
        match self.json.as_bytes().get(self.at) {
            Some(b'"') => {
                self.at += 1;
                self.json.get(start..start + length).map(Cow::Borrowed).ok_or(Refused)
            }
            Some(b'\\') => self.escaped(start),
            _ => Err(Refused),
        }
    }

    /// Takes the rest of a string from its first escape on. What an escape means is left to `serde_json`.
    #[cold]
    fn escaped(&mut self, start: usize) -> Result<Cow<'de, str>, Refused> {
        let bytes = self.json.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.at += 1;
                    let quoted = self.json.get(start - 1..self.at).ok_or(Refused)?;
                    return serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| Refused);
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        Err(Refused)
    }

    /// Reads what is between the brackets of a map or a list.
    pub(crate) fn nested<T>(
        &mut self,
        brackets: [u8; 2],
        read: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        self.levels_left = self.levels_left.checked_sub(1).ok_or(Refused)?;
        let value = self.between(brackets, read)?;
        self.levels_left += 1;
        Ok(value)
    }

    /// Reads what is between brackets, of which nothing may be left over.
    #[inline]
    pub(crate) fn between<T>(
        &mut self,
        [open, close]: [u8; 2],
        read: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        self.take(open)?;
        let value = read(self)?;
        self.take(close)?;
        Ok(value)
    }
}

// What JSON of a known shape is made of.
impl<'de> JsonText<'de> {
    /// Takes an object: `field` is called for each key, and has to take its value.
    ///
    /// # Errors
    ///
    /// When there is none, or when `field` refuses.
    #[inline]
    pub fn object(&mut self, mut field: impl FnMut(&mut Self, &str) -> Result<(), Refused>) -> Result<(), Refused> {
        self.nested([b'{', b'}'], |text| {
            let mut first = true;
            while text.another(b'}', &mut first)? {
                let key = text.string()?;
                text.take(b':')?;
                field(text, &key)?;
            }
            Ok(())
        })
    }

    /// Takes an array: `element` is called before each element, and has to take it.
    ///
    /// # Errors
    ///
    /// When there is none, or when `element` refuses.
    #[inline]
    pub fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), Refused>) -> Result<(), Refused> {
        self.nested([b'[', b']'], |text| {
            let mut first = true;
            while text.another(b']', &mut first)? {
                element(text)?;
            }
            Ok(())
        })
    }

    /// Takes a string that is expected to be long and without escapes, such as base64, and borrows it.
    ///
    /// # Errors
    ///
    /// When there is none, or one with escapes.
    pub fn long_string(&mut self) -> Result<&'de str, Refused> {
        self.take(b'"')?;
        let start = self.at;
        let rest = self.rest();
        let length = memchr2(b'"', b'\\', rest).filter(|length| rest[*length] == b'"').ok_or(Refused)?;
        // All of them, without an end at the first: it is many at a time then.
        if rest[..length].iter().fold(false, |any, byte| any | (*byte < b' ')) {
            return Err(Refused);
        }
        self.at += length + 1;
        self.json.get(start..start + length).ok_or(Refused)
    }

    /// Takes any value, and gives its text.
    ///
    /// # Errors
    ///
    /// When there is none, or one that nests too deep.
    pub fn raw_value(&mut self) -> Result<&'de str, Refused> {
        self.peek();
        let start = self.at;
        self.skip_value()?;
        self.json.get(start..self.at).ok_or(Refused)
    }

    fn skip_value(&mut self) -> Result<(), Refused> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.object(|text, _| text.skip_value()),
            Some(b'[') => self.array(Self::skip_value),
            Some(b'-' | b'0'..=b'9') => self.skip_number(),
            Some(b'n') => self.skip_null(),
            _ => self.boolean().map(drop),
        }
    }

    fn skip_null(&mut self) -> Result<(), Refused> {
        if !self.rest().starts_with(b"null") {
            return Err(Refused);
        }
        self.pass(b"null".len());
        Ok(())
    }
}

/// How many bytes of a string come before its end, its first escape, or a control character, which JSON forbids.
///
/// Eight bytes at a time: strings in items are short, and a vector's set-up costs more than it saves. In each byte of a
/// word `0x80` comes to stand where the byte is looked for; the lowest one is right, and the ones above do not matter.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES * 0x80;
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = is_zero(word ^ (ONES * u64::from(b'"')));
        let backslash = is_zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quote | backslash | control) & HIGHS;
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let done = words.len() * 8;
    let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    done + bytes.iter().skip(done).take_while(|byte| is_plain(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_at_its_first_quote_escape_or_control_character() {
        for length in 0..40 {
            let plain = "é~ \u{7f}\u{80}a![]".chars().cycle().take(length).collect::<String>();
            assert_eq!(plain_length(plain.as_bytes()), plain.len());
            for end in ["\"", "\\", "\0", "\u{1f}", "\n"] {
                let text = format!("{plain}{end}{plain}\"\\\u{1}");
                assert_eq!(plain_length(text.as_bytes()), plain.len(), "{text:?}");
            }
        }
    }

    #[test]
    fn after_a_refusal_there_is_nothing_more_to_read() {
        let mut text = JsonText::new("\"a\"", 8);
        assert!(text.settle::<()>(Err(Refused)).is_err());
        assert!(text.string().is_err());
        assert!(text.raw_value().is_err() && text.boolean().is_err());
        assert!(text.end().is_err());
    }

    /// What serde_json reads, and what the walker makes of it.
    fn check(json: &str) {
        let mut text = JsonText::new(json, 4);
        let raw = text.raw_value().map(str::to_owned);
        let taken = raw.is_ok() && text.end().is_ok();
        let judged = serde_json::from_str::<&serde_json::value::RawValue>(json);
        assert!(!taken || judged.is_ok_and(|judged| judged.get() == raw.unwrap()), "{json} is taken");
    }

    #[test]
    fn values_are_passed_by_as_json_has_them() {
        let takes = |json: &str| {
            check(json);
            JsonText::new(json, 4).raw_value().is_ok_and(|raw| raw == json)
        };
        let good = [
            "0",
            "-0",
            "10",
            "-1.50",
            "1e5",
            "1.5E-7",
            "0.0e+0",
            "null",
            "true",
            "false",
            "\"\"",
            "\"a\\n\\u00e9\"",
            "[]",
            "{}",
            "[1, 2]",
            "{\"a\" : [true,{\"b\":null}] }",
            "[[[[]]]]",
        ];
        for json in good {
            assert!(takes(json), "{json}");
        }
        let bad = [
            "",
            "-",
            "01",
            "-01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "nul",
            "nulll",
            "tru",
            "\"",
            "\"\\x\"",
            "\"\\u00g0\"",
            "\"\u{1}\"",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "[",
            "{",
            "]",
            "NaN",
            "Infinity",
            "[[[[[]]]]]",
        ];
        for json in bad {
            assert!(!takes(json), "{json}");
            check(json);
            check(&format!(" {json} "));
            check(&format!("[{json}]"));
        }
    }

    #[test]
    fn a_long_string_is_borrowed_or_refused() {
        let long = "A".repeat(1_000);
        let mut text = JsonText::new("\"ab\",1", 1);
        assert_eq!(text.long_string().unwrap(), "ab");
        assert_eq!(JsonText::new(&format!("\"{long}\""), 1).long_string().unwrap(), long);
        for bad in ["\"a\\u0041\"", "\"a\nb\"", "\"a", "1", ""] {
            assert!(JsonText::new(bad, 1).long_string().is_err(), "{bad:?}");
        }
    }
}
