//! The one file to replace in a fork: the order, as the table holds it, and what to do when it changes.

use partial_batch::{Change, Payload, RecordContext, RecordError, Text};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::str::FromStr;

/// An order, an item of the table with the key `order_id`. Attributes that it does not name may be there. Its texts are borrowed from the record: an owned `String` would do as well, and take a little longer.
#[derive(Deserialize)]
pub struct Order<'p> {
    /// The table's key.
    #[serde(borrow)]
    pub order_id: Text<'p>,
    /// Whose order it is.
    #[serde(borrow)]
    pub customer_id: Text<'p>,
    /// What the customer pays.
    #[serde(deserialize_with = "records::number::exact")]
    pub amount: Money,
    /// ISO 4217 code.
    #[serde(borrow)]
    pub currency: Option<Text<'p>>,
    /// What was bought; may be empty.
    #[serde(borrow)]
    pub items: Vec<OrderItem<'p>>,
}

/// One line of an order.
#[derive(Deserialize)]
pub struct OrderItem<'p> {
    /// Article number.
    #[serde(borrow)]
    #[expect(dead_code, reason = "part of an order, though no rule of the example reads it")]
    pub sku: Text<'p>,
    /// Number of pieces.
    pub qty: i64,
    /// Price of one piece.
    #[serde(deserialize_with = "records::number::exact")]
    pub price: Money,
}

/// Money is decimal, and so are DynamoDB's numbers.
#[derive(Clone, Copy)]
pub struct Money(pub Decimal);

impl FromStr for Money {
    type Err = rust_decimal::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().or_else(|_| Decimal::from_scientific(text)).map(Self)
    }
}

/// Stands for `Order<'p>`, whatever the lifetime.
pub enum Orders {}

impl Payload for Orders {
    type Of<'p> = Order<'p>;
}

/// Handles one change. Replace the body with what your business does; everything else is done for you.
///
/// The new image is validated. The old one is history: it has to be an order, not a valid one.
///
/// # Errors
///
/// [`RecordError::invalid`] for an order that breaks a rule: no retry can mend it. Return [`RecordError::retryable`]
/// for what another attempt may not meet.
pub async fn handle(change: Change<Order<'_>>, _context: RecordContext<'_>) -> Result<(), RecordError> {
    match change {
        Change::Insert { new } | Change::Modify { new, .. } => new.validate(),
        Change::Remove { .. } => Ok(()),
    }
}

impl Order<'_> {
    /// The rules of an order.
    pub fn validate(&self) -> Result<(), RecordError> {
        if self.order_id.is_empty() {
            return Err(RecordError::invalid("`order_id` is empty"));
        }
        if self.customer_id.is_empty() {
            return Err(RecordError::invalid("`customer_id` is empty"));
        }
        if self.amount.0 <= Decimal::ZERO {
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
            .try_fold(self.amount.0, |rest, item| rest.checked_sub(item.price.0.checked_mul(Decimal::from(item.qty))?));
        match difference {
            Some(difference) if difference.abs() < cent => Ok(()),
            Some(_) => Err(RecordError::invalid("`amount` differs from the sum of the items by a cent or more")),
            None => Err(RecordError::invalid("the sum of the items is too large to count")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::read_item;

    const GOOD: &str = r#"{"order_id":{"S":"o-1"},"customer_id":{"S":"c-1"},"amount":{"N":"30.03"},
        "currency":{"NULL":true},"items":{"L":[{"M":{"sku":{"S":"A"},"qty":{"N":"3"},"price":{"N":"10.01"}}}]},
        "note":{"SS":["unknown"]}}"#;

    fn check(json: &str, expected: Result<(), &str>) {
        let result = match read_item::<Order<'_>>(json) {
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
