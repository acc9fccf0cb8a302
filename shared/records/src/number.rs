//! Numbers with all of their digits. Serde knows integers and floats, and DynamoDB's decimals of 38 digits are neither.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// The name of a newtype which tells the readers of items to hand over a number's text, and only for an N attribute.
pub(crate) const NUMBER: &str = "$records::Number";

/// The name by which [`exact`] asks for a number's text.
pub(crate) const TEXT: &str = "$records::number::exact";

/// Whether a newtype of this name wants the text of a number.
pub(crate) fn wants_text(name: &str) -> bool {
    name == NUMBER || name == TEXT
}

/// A number with all of its digits, as DynamoDB's decimal text. Read it into the decimal type of your choice, or let
/// [`exact`] do so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Box<str>);

impl Number {
    /// The decimal text, such as `-12.50` or `1E+20`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NUMBER, NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a DynamoDB number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        Ok(Number(text.into()))
    }
}

/// Reads a number into a type that parses decimal text, such as a decimal, for `#[serde(deserialize_with)]`.
///
/// The type gets the text as it was written, digit for digit: that of an N attribute, or of a number in JSON. Where serde_json
/// reads the payload, which is where the quick reader has a doubt about something in it, the text is the shortest decimal that
/// names the float: the one that was written, up to 15 digits. An exponent (`1E+20`) reaches `from_str` as it is.
///
/// # Errors
///
/// When it is no number, or `from_str` refuses the text. The message does not quote it.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Order { #[serde(deserialize_with = "records::number::exact")] amount: u128 }
///
/// let item: Order = records::read_item(r#"{"amount":{"N":"12345678901234567890123"}}"#).unwrap();
/// let json: Order = serde_json::from_str(r#"{"amount":12}"#).unwrap();
/// assert_eq!((item.amount, json.amount), (12_345_678_901_234_567_890_123, 12));
/// ```
pub fn exact<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(TEXT, Exact(PhantomData))
}

/// Takes the text of a number. A reader that does not know the newtype's name hands itself over.
struct Exact<T>(PhantomData<T>);

impl<'de, T: FromStr> Visitor<'de> for Exact<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_| out_of_range())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(Plain(PhantomData))
    }
}

/// Takes a number of plain JSON, and no string that holds one.
struct Plain<T>(PhantomData<T>);

impl<T: FromStr> Visitor<'_> for Plain<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        parse_text_of(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        parse_text_of(number)
    }

    fn visit_u128<E: de::Error>(self, number: u128) -> Result<T, E> {
        parse_text_of(number)
    }

    fn visit_i128<E: de::Error>(self, number: i128) -> Result<T, E> {
        parse_text_of(number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        parse_text_of(number)
    }
}

fn parse_text_of<T: FromStr, E: de::Error>(number: impl fmt::Display) -> Result<T, E> {
    number.to_string().parse().map_err(|_| out_of_range())
}

#[cold]
fn out_of_range<E: de::Error>() -> E {
    E::custom("a number is out of range")
}

/// A kind of number that serde can ask for.
pub(crate) trait Numeric: FromStr {
    /// What to say when an N attribute holds another number.
    const DOES_NOT_FIT: &str;

    /// Hands the number to a visitor.
    fn visit<'de, V: Visitor<'de>, E: de::Error>(self, visitor: V) -> Result<V::Value, E>;
}

macro_rules! numeric {
    ($($number:ty => $visit:ident,)*) => {$(
        impl Numeric for $number {
            const DOES_NOT_FIT: &str =
                concat!("expected a number that fits ", stringify!($number), ", got an N attribute that does not");

            fn visit<'de, V: Visitor<'de>, E: de::Error>(self, visitor: V) -> Result<V::Value, E> {
                visitor.$visit(self)
            }
        }
    )*};
}

numeric! {
    i8 => visit_i8,
    i16 => visit_i16,
    i32 => visit_i32,
    i64 => visit_i64,
    i128 => visit_i128,
    u8 => visit_u8,
    u16 => visit_u16,
    u32 => visit_u32,
    u64 => visit_u64,
    u128 => visit_u128,
    f32 => visit_f32,
    f64 => visit_f64,
}

/// Reads the text of an N attribute as the kind of number that a type asked for.
pub(crate) fn visit_number<'de, N: Numeric, V: Visitor<'de>, E: de::Error>(
    text: &str,
    visitor: V,
) -> Result<V::Value, E> {
    match text.parse::<N>() {
        Ok(number) => number.visit(visitor),
        Err(_) => Err(E::custom(N::DOES_NOT_FIT)),
    }
}

/// Reads the text of an N attribute for a type that takes any kind of number.
pub(crate) fn visit_any_number<'de, V: Visitor<'de>, E: de::Error>(text: &str, visitor: V) -> Result<V::Value, E> {
    if let Ok(number) = text.parse::<u64>() {
        return visitor.visit_u64(number);
    }
    if let Ok(number) = text.parse::<i64>() {
        return visitor.visit_i64(number);
    }
    match text.parse::<f64>() {
        Ok(number) => visitor.visit_f64(number),
        Err(_) => Err(E::custom("expected a decimal number in an N attribute")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever text it is parsed from, but for one that is out of its range.
    #[derive(Debug, PartialEq)]
    struct Text(String);

    impl FromStr for Text {
        type Err = ();

        fn from_str(text: &str) -> Result<Self, ()> {
            if text == "31415" { Err(()) } else { Ok(Self(text.to_owned())) }
        }
    }

    #[derive(Debug, Deserialize)]
    struct Order {
        #[serde(deserialize_with = "exact")]
        amount: Text,
    }

    fn amount<E: fmt::Display>(order: Result<Order, E>) -> Result<String, String> {
        order.map(|order| order.amount.0).map_err(|error| error.to_string())
    }

    /// `plain` is the number in JSON, `typed` the one in an item.
    fn check(plain: &str, expected_plain: Result<&str, &str>, typed: &str, expected_typed: Result<&str, &str>) {
        let plain = format!(r#"{{"amount":{plain}}}"#);
        let typed = format!(r#"{{"amount":{typed}}}"#);
        let error = |result: Result<&str, &str>| result.map(str::to_owned).map_err(str::to_owned);
        let got = amount(serde_json::from_str(&plain)).map_err(|e| e.split(" at line").next().unwrap().to_owned());
        assert_eq!(got, error(expected_plain), "{plain}");
        let exactly = expected_plain.map(|_| plain.trim_matches(|c: char| !c.is_ascii_digit() && c != '-').to_owned());
        assert_eq!(
            crate::read_json::<Order>(&plain).map(|order| order.amount.0),
            exactly.ok(),
            "{plain}, digit for digit"
        );
        assert_eq!(amount(crate::read_item(&typed)), error(expected_typed), "{typed}");
        let item = serde_json::from_str(&typed).unwrap();
        assert_eq!(amount(crate::from_item(&item)), error(expected_typed), "{typed}");
    }

    #[test]
    fn a_number_is_the_text_that_was_written() {
        check("12", Ok("12"), r#"{"N":"12"}"#, Ok("12"));
        check("-12", Ok("-12"), r#"{"N":"-12.50"}"#, Ok("-12.50"));
        check("123456789.012345", Ok("123456789.012345"), r#"{"N":"1E+20"}"#, Ok("1E+20"));
        let digits = "12345678901234567890123456789012345.678";
        check("18446744073709551615", Ok("18446744073709551615"), &format!(r#"{{"N":"{digits}"}}"#), Ok(digits));
        let small = format!("0.{}1", "0".repeat(50));
        check("1e-51", Ok(&small), r#"{"N":"0"}"#, Ok("0"));
    }

    #[test]
    fn what_is_no_number_or_out_of_range_is_refused_without_its_value() {
        let (range, number) = ("a number is out of range", "expected a number, got an attribute of another type");
        check("31415", Err(range), r#"{"N":"31415"}"#, Err(range));
        check(r#""12""#, Err(r#"invalid type: string "12", expected a number"#), r#"{"S":"12"}"#, Err(number));
        check("true", Err("invalid type: boolean `true`, expected a number"), r#"{"NULL":true}"#, Err(number));
    }
}
