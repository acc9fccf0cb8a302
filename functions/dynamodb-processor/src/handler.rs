//! The one file to replace in a fork: the order, as the table holds it, and what to do when it changes.

use partial_batch::{Change, RecordContext, RecordError};
use records::Number;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

/// An order, an item of the table with the key `order_id`. Attributes that it does not name may be there.
#[derive(Deserialize)]
pub struct Order {
    /// The table's key.
    pub order_id: String,
    /// Whose order it is.
    pub customer_id: String,
    /// What the customer pays.
    #[serde(deserialize_with = "decimal")]
    pub amount: Decimal,
    /// ISO 4217 code.
    #[expect(dead_code, reason = "part of an order, though no rule of the example reads it")]
    pub currency: Option<String>,
    /// RFC 3339 time.
    #[expect(dead_code, reason = "part of an order, though no rule of the example reads it")]
    pub created_at: Option<String>,
    /// What was bought; may be empty.
    pub items: Vec<OrderItem>,
}

/// One line of an order.
#[derive(Deserialize)]
pub struct OrderItem {
    /// Article number.
    #[expect(dead_code, reason = "part of an order, though no rule of the example reads it")]
    pub sku: String,
    /// Number of pieces.
    pub qty: i64,
    /// Price of one piece.
    #[serde(deserialize_with = "decimal")]
    pub price: Decimal,
}

/// Handles one change. Replace the body with what your business does; everything else is done for you.
///
/// The new image is validated. The old one is history: it has to be an order, not a valid one.
///
/// # Errors
///
/// [`RecordError::invalid`] for an order that breaks a rule: no retry can mend it. Return [`RecordError::retryable`]
/// for what another attempt may not meet.
pub async fn handle(change: Change<Order>, _context: RecordContext) -> Result<(), RecordError> {
    match change {
        Change::Insert { new } | Change::Modify { new, .. } => new.validate(),
        Change::Remove { .. } => Ok(()),
    }
}

impl Order {
    fn validate(&self) -> Result<(), RecordError> {
        if self.order_id.is_empty() {
            return Err(RecordError::invalid("`order_id` is empty"));
        }
        if self.customer_id.is_empty() {
            return Err(RecordError::invalid("`customer_id` is empty"));
        }
        if self.amount <= Decimal::ZERO {
            return Err(RecordError::invalid("`amount` is not positive"));
        }
        if self.items.iter().any(|item| item.qty < 1) {
            return Err(RecordError::invalid("an item's `qty` is below 1"));
        }
        self.validate_sum()
    }

    /// The amount may differ from the sum of the items by less than a cent, for prices have more digits than amounts.
    fn validate_sum(&self) -> Result<(), RecordError> {
        if self.items.is_empty() {
            return Ok(());
        }
        let cent = Decimal::new(1, 2);
        let difference = self
            .items
            .iter()
            .try_fold(self.amount, |rest, item| rest.checked_sub(item.price.checked_mul(Decimal::from(item.qty))?));
        match difference {
            Some(difference) if difference.abs() < cent => Ok(()),
            Some(_) => Err(RecordError::invalid("`amount` differs from the sum of the items by a cent or more")),
            None => Err(RecordError::invalid("the sum of the items is too large to count")),
        }
    }
}

/// Money is decimal, and so are DynamoDB's numbers.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let number = Number::deserialize(deserializer)?;
    let text = number.as_str();
    let decimal = text.parse().or_else(|_| Decimal::from_scientific(text));
    decimal.map_err(|_| serde::de::Error::custom("a number is out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::{Item, from_item};

    const GOOD: &str = r#"{"order_id":{"S":"o-1"},"customer_id":{"S":"c-1"},"amount":{"N":"30.03"},
        "currency":{"NULL":true},"items":{"L":[{"M":{"sku":{"S":"A"},"qty":{"N":"3"},"price":{"N":"10.01"}}}]},
        "note":{"SS":["unknown"]}}"#;

    fn check(json: &str, expected: Result<(), &str>) {
        let item: Item = serde_json::from_str(json).unwrap();
        let result = match from_item::<Order>(&item) {
            Ok(order) => order.validate().map_err(|error| error.to_string()),
            Err(_) => Err("does not fit".to_owned()),
        };
        assert_eq!(result, expected.map_err(str::to_owned), "{json}");
    }

    #[test]
    fn every_rule_can_fail() {
        let order = |from: &str, to: &str| {
            assert!(GOOD.contains(from), "{from} is not in the order");
            GOOD.replace(from, to)
        };
        check(GOOD, Ok(()));
        check(&order("\"o-1\"", "\"\""), Err("`order_id` is empty"));
        check(&order("\"c-1\"", "\"\""), Err("`customer_id` is empty"));
        check(&order("30.03", "0"), Err("`amount` is not positive"));
        check(&order("30.03", "-1E+2"), Err("`amount` is not positive"));
        check(&order("\"N\":\"3\"", "\"N\":\"0\""), Err("an item's `qty` is below 1"));
        check(&order("\"N\":\"3\"", "\"N\":\"2.5\""), Err("does not fit"));
        check(&order("{\"N\":\"30.03\"}", "{\"S\":\"30.03\"}"), Err("does not fit"));
        check(&order("{\"S\":\"o-1\"}", "{\"N\":\"1\"}"), Err("does not fit"));
        let differs = Err("`amount` differs from the sum of the items by a cent or more");
        check(&order("30.03", "30.04"), differs);
        check(&order("30.03", "30.0399999"), Ok(()));
    }

    #[test]
    fn attributes_that_are_missing_are_missed() {
        for field in ["order_id", "customer_id", "amount", "items", "sku", "qty", "price"] {
            check(&GOOD.replace(&format!("\"{field}\""), "\"renamed\""), Err("does not fit"));
        }
    }
}
