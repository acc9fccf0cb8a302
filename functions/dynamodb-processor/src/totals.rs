//! The example of a tumbling window, off unless `TUMBLING_WINDOW=on`: how many orders, and how much in each currency.

use crate::handler::Order;
use partial_batch::{Change, Contribute, RecordContext, RecordError, TumblingWindow, Window};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Adds up the orders of a window.
pub struct OrderTotals;

/// The state of a window.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Number of orders.
    pub orders: u64,
    /// What they come to, by currency.
    pub amounts: BTreeMap<String, Decimal>,
}

/// What one order adds.
pub struct Contribution {
    currency: String,
    amount: Decimal,
}

/// Ten billions of the largest orders still have a sum.
const AMOUNT_MAX: Decimal = Decimal::from_parts(0xa764_0000, 0x0de0_b6b3, 0, false, 0);

/// Where an order's currency is missing or is none: ISO 4217 has a code for that.
const NO_CURRENCY: &str = "XXX";

impl TumblingWindow for OrderTotals {
    type State = Totals;
    type Contribution = Option<Contribution>;

    fn add(&self, totals: &mut Totals, contribution: Option<Contribution>) {
        let Some(Contribution { currency, amount }) = contribution else { return };
        totals.orders += 1;
        let sum = totals.amounts.entry(currency).or_default();
        *sum = sum.saturating_add(amount);
    }

    /// Replace the line with a write to where your totals are needed. It may come twice for one window.
    async fn close(&self, totals: &Totals, window: &Window) -> Result<(), RecordError> {
        tracing::info!(
            window.start = window.start,
            window.end = window.end,
            shard.id = window.shard_id,
            window.is_terminated_early = window.is_terminated_early,
            orders = totals.orders,
            currencies = totals.amounts.len(),
            "window closed"
        );
        Ok(())
    }
}

impl Contribute<Change<Order<'_>>> for OrderTotals {
    async fn contribution(
        &self,
        change: Change<Order<'_>>,
        _context: RecordContext<'_>,
    ) -> Result<Option<Contribution>, RecordError> {
        match change {
            Change::Insert { new } => contribution_of(&new).map(Some),
            Change::Modify { .. } | Change::Remove { .. } => Ok(None),
        }
    }
}

fn contribution_of(order: &Order<'_>) -> Result<Contribution, RecordError> {
    order.validate()?;
    if order.amount.0 > AMOUNT_MAX {
        return Err(RecordError::invalid("`amount` is too large to add up"));
    }
    let is_code = |text: &&str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let currency = order.currency.as_deref().filter(is_code).unwrap_or(NO_CURRENCY);
    Ok(Contribution { currency: currency.to_owned(), amount: order.amount.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_added_up_by_currency() {
        let mut totals = Totals::default();
        for (amount, currency) in [
            ("1.10", r#"{"S":"EUR"}"#),
            ("2.20", r#"{"S":"EUR"}"#),
            ("5", r#"{"NULL":true}"#),
            ("7", r#"{"S":"secret"}"#),
        ] {
            let json = format!(
                r#"{{"order_id":{{"S":"o"}},"customer_id":{{"S":"c"}},"amount":{{"N":"{amount}"}},
                "currency":{currency},"items":{{"L":[]}}}}"#
            );
            let order = records::read_item(&json).unwrap();
            OrderTotals.add(&mut totals, Some(contribution_of(&order).unwrap()));
        }
        OrderTotals.add(&mut totals, None);
        assert_eq!(serde_json::to_string(&totals).unwrap(), r#"{"orders":4,"amounts":{"EUR":"3.30","XXX":"12"}}"#);
        let again: Totals = serde_json::from_str(r#"{"orders":4,"amounts":{"EUR":"3.3","XXX":12}}"#).unwrap();
        assert_eq!(again, totals, "a state may hold numbers as well");
    }

    #[test]
    fn what_cannot_be_added_up_is_invalid() {
        let refused = |amount: &str| {
            let json = format!(
                r#"{{"order_id":{{"S":"o"}},"customer_id":{{"S":"c"}},"amount":{{"N":"{amount}"}},"items":{{"L":[]}}}}"#
            );
            contribution_of(&records::read_item(&json).unwrap()).map(|_| ()).unwrap_err().to_string()
        };
        assert_eq!(refused("-5"), "`amount` is not positive");
        assert_eq!(refused("1000000000000000001"), "`amount` is too large to add up");
    }
}
