//! Blocks of IP addresses.

use std::net::IpAddr;

/// The operand of `cidr`, such as `10.0.0.0/24` or `2001:db8::/32`. EventBridge takes no block of a single address.
#[derive(Debug, Clone)]
pub(super) struct AddressBlock {
    base: IpAddr,
    /// Bits that may differ, counted from the right: 1 to 128.
    open_bits: u32,
}

impl AddressBlock {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (base, prefix_bits) = text.split_once('/')?;
        let base: IpAddr = base.parse().ok()?;
        let open_bits = if base.is_ipv4() { 32_u32 } else { 128 }.checked_sub(prefix_bits.parse().ok()?)?;
        (open_bits > 0).then_some(Self { base, open_bits })
    }

    /// Whether a text is an address of the block.
    pub(super) fn contains(&self, text: &str) -> bool {
        match (self.base, text.parse()) {
            (IpAddr::V4(base), Ok(IpAddr::V4(address))) => self.agree(base.to_bits().into(), address.to_bits().into()),
            (IpAddr::V6(base), Ok(IpAddr::V6(address))) => self.agree(base.to_bits(), address.to_bits()),
            _ => false,
        }
    }

    fn agree(&self, a: u128, b: u128) -> bool {
        (a ^ b).checked_shr(self.open_bits).unwrap_or(0) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_the_addresses_that_begin_with_its_bits() {
        let block = AddressBlock::parse("10.1.2.99/24").unwrap();
        assert!(block.contains("10.1.2.0") && block.contains("10.1.2.255"));
        assert!(!block.contains("10.1.3.0") && !block.contains("::a01:200") && !block.contains("10.1.2"));
        let block = AddressBlock::parse("2001:db8::/32").unwrap();
        assert!(block.contains("2001:0db8:1::7") && !block.contains("2001:db9::"));
        assert!(AddressBlock::parse("0.0.0.0/0").unwrap().contains("255.255.255.255"));
        assert!(AddressBlock::parse("::/0").unwrap().contains("ffff::"));
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in
            ["", "10.0.0.0", "10.0.0.0/", "10.0.0.0/32", "::/128", "10.0.0.0/-1", "10.0.0/8", "a/8", "10.0.0.0/8/8"]
        {
            assert!(AddressBlock::parse(text).is_none(), "{text}");
        }
    }
}
