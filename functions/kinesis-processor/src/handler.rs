//! The one file to replace in a fork: the order, as it comes on the stream, and what to do with it.

use partial_batch::{Arrived, Change, Payload, RecordContext, RecordError, Text};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::str::FromStr;

/// An order: the JSON in a Kinesis record, or an item of a table whose changes come on the stream. Fields that it does not
/// name may be there. Its texts are borrowed from the record: an owned `String` would do as well, and take a little longer.
#[derive(Deserialize)]
pub struct Order<'p> {
    /// Unique id.
    #[serde(borrow)]
    pub order_id: Text<'p>,
    /// The partition key too: one customer's orders stay in order.
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

/// Money is decimal.
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

/// Handles one record. Replace the body with what your business does; everything else is done for you.
///
/// Of a change, the new image is validated. The old one is history: it has to be an order, not a valid one.
///
/// # Errors
///
/// [`RecordError::invalid`] for an order that breaks a rule: no retry can mend it. Return [`RecordError::retryable`]
/// for what another attempt may not meet.
pub async fn handle(arrived: Arrived<Order<'_>>, _context: RecordContext<'_>) -> Result<(), RecordError> {
    match arrived {
        Arrived::Json(order) | Arrived::Change(Change::Insert { new: order } | Change::Modify { new: order, .. }) => {
            order.validate()
        }
        Arrived::Change(Change::Remove { .. }) => Ok(()),
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

    const GOOD: &str = r#"{"order_id":"o-1","customer_id":"c-1","amount":30.03,"currency":"EUR",
        "created_at":"2026-01-05T10:00:00Z","items":[{"sku":"A","qty":3,"price":10.01}],"note":"unknown"}"#;

    fn check(json: &str, expected: Result<(), &str>) {
        let order: Result<Order<'_>, _> = serde_json::from_str(json);
        let result = match order {
            Ok(order) => order.validate().map_err(|error| error.to_string()),
            Err(_) => Err("does not parse".to_owned()),
        };
        assert_eq!(result, expected.map_err(str::to_owned), "{json}");
    }

    #[test]
    fn a_good_order_passes_with_and_without_its_optional_parts() {
        check(GOOD, Ok(()));
        check(r#"{"order_id":"o","customer_id":"c","amount":1,"items":[]}"#, Ok(()));
    }

    #[test]
    fn every_rule_can_fail() {
        let order = |from: &str, to: &str| {
            assert!(GOOD.contains(from), "{from} is not in the order");
            GOOD.replace(from, to)
        };
        check(&order("\"o-1\"", "\"\""), Err("`order_id` is empty"));
        check(&order("\"c-1\"", "\"\""), Err("`customer_id` is empty"));
        check(&order("30.03", "0"), Err("`amount` is not positive"));
        check(&order("30.03", "-30.03"), Err("`amount` is not positive"));
        check(&order("\"qty\":3", "\"qty\":0"), Err("an item's `qty` is below 1"));
        check(&order("\"qty\":3", "\"qty\":-3"), Err("an item's `qty` is below 1"));
        check(&order("\"qty\":3", "\"qty\":2.5"), Err("does not parse"));
        check(&order("30.03", "\"30.03\""), Err("does not parse"));
        check(&order("30.03", "1e300"), Err("does not parse"));
        for field in ["order_id", "customer_id", "amount", "items", "sku", "qty", "price"] {
            check(&order(&format!("\"{field}\""), "\"renamed\""), Err("does not parse"));
        }
        check(&GOOD[..GOOD.len() - 1], Err("does not parse"));
    }

    #[test]
    fn the_sum_is_compared_to_the_cent() {
        let order = |amount: &str| GOOD.replace("30.03", amount);
        let differs = Err("`amount` differs from the sum of the items by a cent or more");
        check(&order("30.0399"), Ok(()));
        check(&order("30.04"), differs);
        check(&order("30.0201"), Ok(()));
        check(&order("30.02"), differs);
        check(
            &GOOD.replace("30.03", "7076099858872.569").replace("10.01", "884512482359.07").replace(":3,", ":8,"),
            Ok(()),
        );
        let many = GOOD.replace("10.01", "1e28").replace("\"qty\":3", "\"qty\":9223372036854775807");
        check(&many, Err("the sum of the items is too large to count"));
    }
}
