//! Orders, good and poisoned, by a seed.

use crate::workload::{KinesisPayload, TableChange, TableWrite};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use records::{AttributeValue, Item};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Four in a thousand orders are poison.
const POISON_PER_THOUSAND: usize = 4;

/// One in this many table writes replaces an item, and one in twice as many deletes one.
const WRITES_PER_MODIFY: usize = 8;

/// What can be wrong with an order on Kinesis.
#[derive(Debug, Clone, Copy)]
enum Poison {
    MalformedJson,
    NoText,
    Nothing,
    MissingField,
    EmptyOrderId,
    EmptyCustomerId,
    NegativeAmount,
    NoPieces,
    WrongSum,
}

const ALL_POISON: [Poison; 9] = [
    Poison::MalformedJson,
    Poison::NoText,
    Poison::Nothing,
    Poison::MissingField,
    Poison::EmptyOrderId,
    Poison::EmptyCustomerId,
    Poison::NegativeAmount,
    Poison::NoPieces,
    Poison::WrongSum,
];

/// What can be wrong with an order in the table: an item is always typed JSON, and its key is never empty.
const TABLE_POISON: [Poison; 5] =
    [Poison::MissingField, Poison::EmptyCustomerId, Poison::NegativeAmount, Poison::NoPieces, Poison::WrongSum];

/// A source of orders.
pub(crate) struct Orders {
    random: SmallRng,
    next_id: usize,
}

impl Orders {
    pub fn new(seed: u64) -> Self {
        Self { random: SmallRng::seed_from_u64(seed), next_id: 0 }
    }

    /// Orders for the Kinesis stream.
    pub fn kinesis(&mut self, count: usize) -> Vec<KinesisPayload> {
        let poisoned = self.poisoned(count);
        (0..count)
            .map(|index| {
                let mut order = self.order();
                let partition_key = order["customer_id"].as_str().unwrap_or_default().to_owned();
                let data = match poisoned.get(&index) {
                    Some(n) => poisoned_bytes(&mut order, ALL_POISON[n % ALL_POISON.len()]),
                    None => order.to_string().into_bytes(),
                };
                KinesisPayload { partition_key, data, poison: poisoned.contains_key(&index) }
            })
            .collect()
    }

    /// Writes to the table: new orders, some of which are then replaced, and some of which are then deleted.
    pub fn table_writes(&mut self, count: usize) -> Vec<TableWrite> {
        let modifies = count / WRITES_PER_MODIFY;
        let removes = modifies / 2;
        let inserts = count - modifies - removes;
        let poisoned = self.poisoned(inserts);
        let mut writes = Vec::with_capacity(count);
        let mut good = Vec::new();
        for index in 0..inserts {
            let mut order = self.order();
            match poisoned.get(&index) {
                Some(n) => spoil(&mut order, TABLE_POISON[n % TABLE_POISON.len()]),
                None => good.push(order.clone()),
            }
            let poison = poisoned.contains_key(&index);
            writes.push(TableWrite { change: TableChange::Insert { new: item(&order) }, poison });
        }
        let mut good = good.into_iter();
        for (index, old) in good.by_ref().take(modifies).enumerate() {
            let mut new = old.clone();
            new["currency"] = json!("CHF");
            // A good order can become a poisoned one.
            let poison = index == 0;
            if poison {
                spoil(&mut new, Poison::NegativeAmount);
            }
            writes.push(TableWrite { change: TableChange::Modify { old: item(&old), new: item(&new) }, poison });
        }
        let remove = |old: Value| TableWrite { change: TableChange::Remove { old: item(&old) }, poison: false };
        writes.extend(good.take(removes).map(remove));
        writes
    }

    /// Which of `count` orders are poison, counted through: a few in a thousand, and one at least.
    fn poisoned(&mut self, count: usize) -> HashMap<usize, usize> {
        let poison = (count * POISON_PER_THOUSAND).div_ceil(1_000).min(count);
        let sample = rand::seq::index::sample(&mut self.random, count, poison);
        sample.iter().enumerate().map(|(n, index)| (index, n)).collect()
    }

    fn order(&mut self) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        let items: Vec<(u64, u64)> = (0..self.random.random_range(0..5))
            .map(|_| (self.random.random_range(1..9), self.random.random_range(99..20_000)))
            .collect();
        let cents: u64 = items.iter().map(|(pieces, price)| pieces * price).sum();
        let cents = if items.is_empty() { self.random.random_range(1..100_000) } else { cents };
        let currency = *["EUR", "USD", "GBP"].choose(&mut self.random).unwrap_or(&"EUR");
        json!({
            "order_id": format!("order-{id:08}"),
            "customer_id": format!("customer-{:05}", self.random.random_range(0..5_000)),
            "amount": money(cents),
            "currency": currency,
            "created_at": format!("2026-01-{:02}T{:02}:00:00Z", id % 28 + 1, id % 24),
            "items": items.iter().map(|(pieces, price)| json!({
                "sku": format!("SKU-{:06}", self.random.random_range(0..1_000_000)),
                "qty": pieces,
                "price": money(*price),
            })).collect::<Vec<_>>(),
        })
    }
}

/// Cents as a number with a fraction. The cast is exact for what orders cost, and so is the shortest decimal of it.
#[expect(clippy::cast_precision_loss, reason = "cents stay far below 2^53")]
fn money(cents: u64) -> Value {
    if cents.is_multiple_of(100) { json!(cents / 100) } else { json!(cents as f64 / 100.0) }
}

fn poisoned_bytes(order: &mut Value, poison: Poison) -> Vec<u8> {
    match poison {
        Poison::MalformedJson => {
            let mut bytes = order.to_string().into_bytes();
            bytes.truncate(bytes.len() / 2);
            bytes
        }
        Poison::NoText => vec![0xff, 0x00, 0xfe, b'\n', 0x80],
        Poison::Nothing => Vec::new(),
        _ => {
            spoil(order, poison);
            order.to_string().into_bytes()
        }
    }
}

/// Breaks one rule of an order.
fn spoil(order: &mut Value, poison: Poison) {
    match poison {
        Poison::MissingField => {
            order.as_object_mut().and_then(|fields| fields.remove("amount"));
        }
        Poison::EmptyOrderId => order["order_id"] = json!(""),
        Poison::EmptyCustomerId => order["customer_id"] = json!(""),
        Poison::NegativeAmount => order["amount"] = json!(-5),
        Poison::NoPieces => order["items"] = json!([{"sku": "SKU-0", "qty": 0, "price": 1}]),
        Poison::WrongSum => order["items"] = json!([{"sku": "SKU-0", "qty": 1, "price": 1_000_000}]),
        // These are no JSON to begin with.
        Poison::MalformedJson | Poison::NoText | Poison::Nothing => {}
    }
}

/// The order as an item of the table.
fn item(order: &Value) -> Item {
    match attribute(order) {
        AttributeValue::M(item) => item,
        _ => Item::new(),
    }
}

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(*flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(list) => AttributeValue::L(list.iter().map(attribute).collect()),
        Value::Object(fields) => AttributeValue::M(fields.iter().map(|(k, v)| (k.clone(), attribute(v))).collect()),
    }
}

/// The longest partition key used, in bytes. Kinesis takes 256 characters.
pub(crate) const KEY_BYTES_MAX: usize = 256;

/// The customer of an order in JSON, whatever else is wrong with it; the key it would have been put under.
pub(crate) fn customer_of(data: &[u8]) -> Option<String> {
    let order: Value = serde_json::from_slice(data).ok()?;
    let customer = order.get("customer_id")?.as_str()?;
    (1..=KEY_BYTES_MAX).contains(&customer.len()).then(|| customer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_in_a_thousand_are_poison_and_never_none() {
        for (count, poison) in [(20_000, 80), (1_000, 4), (10, 1), (1, 1), (0, 0)] {
            assert_eq!(Orders::new(1).poisoned(count).len(), poison, "of {count}");
        }
    }

    #[test]
    fn table_writes_hold_each_kind_of_change() {
        let writes = Orders::new(1).table_writes(200);
        let count = |kind: fn(&TableChange) -> bool| writes.iter().filter(|write| kind(&write.change)).count();
        assert_eq!(count(|change| matches!(change, TableChange::Modify { .. })), 25);
        assert_eq!(count(|change| matches!(change, TableChange::Remove { .. })), 12);
        assert_eq!(writes.len(), 200);
    }
}
