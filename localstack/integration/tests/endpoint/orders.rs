//! What is put in: good orders, and poison that no processor handles.

use records::{AttributeValue, Item};
use serde_json::json;

/// A good order.
pub(crate) fn good(id: &str) -> Vec<u8> {
    let items = json!([{"sku": "A", "qty": 2, "price": 10}]);
    json!({"order_id": id, "customer_id": "customer-1", "amount": 20, "items": items}).to_string().into_bytes()
}

/// Bytes that are no order, and no text either.
pub(crate) fn poison(mark: u8) -> Vec<u8> {
    vec![0, 0xff, mark, b'\n']
}

/// An order as an item, after each of its changes. With a negative amount no processor handles it. Of one item, because
/// its changes share a shard: AWS gives a table's stream several.
pub(crate) fn changes<const COUNT: usize>(amounts: [i32; COUNT]) -> [Item; COUNT] {
    amounts.map(item)
}

fn item(amount: i32) -> Item {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    Item::from([
        ("order_id".to_owned(), text("o-1")),
        ("customer_id".to_owned(), text("customer-1")),
        ("amount".to_owned(), AttributeValue::N(amount.to_string())),
        ("items".to_owned(), AttributeValue::L(Vec::new())),
    ])
}
