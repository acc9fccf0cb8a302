//! What may stand in the list of a field: values as they are, and objects of one operator.

use super::FilterPatternError;
use super::address_block::AddressBlock;
use super::compile::unexpected;
use super::condition::{Condition, TextCondition};
use super::fixed_point::FixedPoint;
use super::wildcard::Wildcard;
use super::written::Written;
use std::ops::Bound;

type Result<T> = std::result::Result<T, FilterPatternError>;

const NUMBER_IN_RANGE: &str = "a number from -5e9 to 5e9";

/// Reads the list of a field.
pub(super) fn conditions(values: Vec<Written>, path: &str) -> Result<Vec<Condition>> {
    if values.is_empty() {
        return Err(unexpected(path, "a list with one value or more"));
    }
    values.into_iter().enumerate().map(|(index, value)| condition(value, &format!("{path}[{index}]"))).collect()
}

fn condition(value: Written, path: &str) -> Result<Condition> {
    match value {
        Written::Null => Ok(Condition::Null),
        Written::Bool(value) => Ok(Condition::Bool(value)),
        Written::Number(number) => Ok(Condition::Number(number)),
        Written::Text(text) => Ok(Condition::Text(TextCondition::Equals(text))),
        Written::Object(fields) => operator(fields, path),
        Written::List(_) => Err(unexpected(path, "a text, a number, true, false, null, or an object of one operator")),
    }
}

fn operator(fields: Vec<(String, Written)>, path: &str) -> Result<Condition> {
    let (name, operand) = only_field(fields, path)?;
    let path = &format!("{path}.{name}");
    Ok(match (name.as_str(), operand) {
        ("exists", Written::Bool(wanted)) => Condition::Exists(wanted),
        ("exists", _) => return Err(unexpected(path, "true or false")),
        ("numeric", Written::List(comparisons)) => Condition::Numeric(numeric(&comparisons, path)?),
        ("numeric", _) => return Err(unexpected(path, "a list of comparisons")),
        ("cidr", operand) => {
            let block = text(operand, path)?;
            Condition::Address(
                AddressBlock::parse(&block).ok_or_else(|| unexpected(path, "a block such as 10.0.0.0/24"))?,
            )
        }
        ("anything-but", operand) => anything_but(operand, path)?,
        ("prefix", Written::Object(fields)) => {
            Condition::Text(TextCondition::PrefixIgnoreCase(ignore_case(fields, path)?))
        }
        ("suffix", Written::Object(fields)) => {
            Condition::Text(TextCondition::SuffixIgnoreCase(ignore_case(fields, path)?))
        }
        ("exactly", operand) => Condition::Text(TextCondition::Equals(text(operand, path)?)),
        (_, operand) => Condition::Text(text_condition(&name, operand, path)?),
    })
}

/// The operators on texts that `anything-but` takes too.
fn text_condition(name: &str, operand: Written, path: &str) -> Result<TextCondition> {
    Ok(match name {
        "prefix" => TextCondition::Prefix(text(operand, path)?),
        "suffix" => TextCondition::Suffix(text(operand, path)?),
        "equals-ignore-case" => TextCondition::EqualsIgnoreCase(text(operand, path)?),
        "wildcard" => {
            let pattern = text(operand, path)?;
            TextCondition::Wildcard(Wildcard::parse(&pattern).map_err(|expected| unexpected(path, expected))?)
        }
        _ => return Err(unexpected(path, "the name of an operator")),
    })
}

fn ignore_case(fields: Vec<(String, Written)>, path: &str) -> Result<String> {
    match only_field(fields, path)? {
        (name, operand) if name == "equals-ignore-case" => text(operand, &format!("{path}.{name}")),
        _ => Err(unexpected(path, "a text, or an object of `equals-ignore-case`")),
    }
}

fn anything_but(operand: Written, path: &str) -> Result<Condition> {
    let expected = "a text, a number, a list of either, or an object of one operator on texts";
    match operand {
        Written::Object(fields) => {
            let (name, operand) = only_field(fields, path)?;
            let path = &format!("{path}.{name}");
            let conditions: Result<Vec<_>> = match operand {
                Written::List(operands) => {
                    operands.into_iter().map(|operand| text_condition(&name, operand, path)).collect()
                }
                operand => text_condition(&name, operand, path).map(|condition| vec![condition]),
            };
            let conditions = conditions?;
            let excludes_all = |condition: &TextCondition| matches!(condition, TextCondition::Prefix(t) | TextCondition::Suffix(t) if t.is_empty());
            if conditions.is_empty() || conditions.iter().any(excludes_all) {
                return Err(unexpected(path, "one text or more, and none of them empty"));
            }
            Ok(Condition::AnythingBut(conditions))
        }
        Written::Text(text) => Ok(Condition::AnythingBut(vec![TextCondition::Equals(text)])),
        Written::Number(_) => Ok(Condition::AnythingButNumbers(vec![number(&operand, path)?])),
        Written::List(values) => match values.first() {
            Some(Written::Text(_)) => {
                let texts = values.into_iter().map(|value| Ok(TextCondition::Equals(text(value, path)?)));
                Ok(Condition::AnythingBut(texts.collect::<Result<_>>()?))
            }
            Some(Written::Number(_)) => {
                let numbers = values.iter().map(|value| number(value, path));
                Ok(Condition::AnythingButNumbers(numbers.collect::<Result<_>>()?))
            }
            _ => Err(unexpected(path, expected)),
        },
        _ => Err(unexpected(path, expected)),
    }
}

/// `["=", 5]`, `[">", 0]`, `["<=", 5]` or a range from below to above, `[">", 0, "<=", 5]`.
fn numeric(comparisons: &[Written], path: &str) -> Result<(Bound<FixedPoint>, Bound<FixedPoint>)> {
    let malformed =
        || unexpected(path, "`=`, `<`, `<=`, `>` or `>=` and a number, or a range such as [\">\", 0, \"<=\", 5]");
    match comparisons {
        [Written::Text(comparison), value] => {
            let value = number(value, path)?;
            match comparison.as_str() {
                "=" => Ok((Bound::Included(value), Bound::Included(value))),
                "<" | "<=" => upper(comparison, value).map(|upper| (Bound::Unbounded, upper)).ok_or_else(malformed),
                _ => lower(comparison, value).map(|lower| (lower, Bound::Unbounded)).ok_or_else(malformed),
            }
        }
        [Written::Text(from), bottom, Written::Text(to), top] => {
            let (bottom, top) = (number(bottom, path)?, number(top, path)?);
            let range = lower(from, bottom).zip(upper(to, top)).ok_or_else(malformed)?;
            if bottom < top {
                Ok(range)
            } else {
                Err(unexpected(path, "a range whose lower end is below its upper end"))
            }
        }
        _ => Err(malformed()),
    }
}

fn lower(comparison: &str, value: FixedPoint) -> Option<Bound<FixedPoint>> {
    match comparison {
        ">" => Some(Bound::Excluded(value)),
        ">=" => Some(Bound::Included(value)),
        _ => None,
    }
}

fn upper(comparison: &str, value: FixedPoint) -> Option<Bound<FixedPoint>> {
    match comparison {
        "<" => Some(Bound::Excluded(value)),
        "<=" => Some(Bound::Included(value)),
        _ => None,
    }
}

fn number(value: &Written, path: &str) -> Result<FixedPoint> {
    let number = if let Written::Number(number) = value { FixedPoint::of(number) } else { None };
    number.ok_or_else(|| unexpected(path, NUMBER_IN_RANGE))
}

fn text(value: Written, path: &str) -> Result<String> {
    if let Written::Text(text) = value { Ok(text) } else { Err(unexpected(path, "a text")) }
}

fn only_field(fields: Vec<(String, Written)>, path: &str) -> Result<(String, Written)> {
    let mut fields = fields.into_iter();
    match (fields.next(), fields.next()) {
        (Some(field), None) => Ok(field),
        _ => Err(unexpected(path, "an object of exactly one operator")),
    }
}
