//! Multicast, extended capability ID 0012h. PCIe 6.2, 7.9.11.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x12,
    key: "multicast",
    name: "Multicast",
    section: "PCIe 6.2, 7.9.11",
    layout: Some(layout),
    registers: &[
        MulticastCapability::REGISTER,
        MulticastControl::REGISTER,
        McBaseAddress::REGISTER,
        McReceive::REGISTER,
        McBlockAll::REGISTER,
        McBlockUntranslated::REGISTER,
        McOverlayBar::REGISTER,
    ],
};

register! {
    /// How much multicast the function can do.
    pub struct MulticastCapability(u16) at 0x04, "capability", "McastCap", "PCIe 6.2, 7.9.11.2" {
        /// Most groups.
        5:0 mc_max_group Ro "MaxGroups" = Meaning::Quantity(minus_one),
        /// Size of the window that an endpoint asks for; reserved in ports.
        13:8 mc_window_size_requested Ro "WindowSz" = Meaning::Quantity(window_size),
        /// A port can make ECRC anew after replacing an address; reserved in endpoints.
        15 mc_ecrc_regeneration_supported Ro "ECRCRegen",
    }
    /// Whether multicast is in use.
    pub struct MulticastControl(u16) at 0x06, "control", "McastCtl", "PCIe 6.2, 7.9.11.3" {
        /// Groups in use.
        5:0 mc_num_group Rw "NumGroups" = Meaning::Quantity(minus_one),
        /// Multicast is on.
        15 mc_enable Rw "Enable",
    }
    /// Where the multicast address range is.
    pub struct McBaseAddress(u64) at 0x08, "mc_base_address", "McastBAR", "PCIe 6.2, 7.9.11.4" {
        /// Lowest bit of the group number in an address; at least 12 while multicast is on.
        5:0 mc_index_position Rw "IndexPos",
        /// Start of the range.
        63:12 mc_base_address Rw "BaseAddr" = Meaning::Quantity(pages),
    }
    /// Which groups the function receives, or a port forwards.
    pub struct McReceive(u64) at 0x10, "mc_receive", "McastReceiveVec", "PCIe 6.2, 7.9.11.5" {
        /// One bit for each group.
        63:0 groups Rw "McastReceiveVec" = Meaning::Hex,
    }
    /// To which groups the function must not send.
    pub struct McBlockAll(u64) at 0x18, "mc_block_all", "McastBlockAllVec", "PCIe 6.2, 7.9.11.6" {
        /// One bit for each group.
        63:0 groups Rw "McastBlockAllVec" = Meaning::Hex,
    }
    /// To which groups the function must not send with untranslated addresses.
    pub struct McBlockUntranslated(u64) at 0x20, "mc_block_untranslated", "McastBlockUntransVec", "PCIe 6.2, 7.9.11.7" {
        /// One bit for each group.
        63:0 groups Rw "McastBlockUntransVec" = Meaning::Hex,
    }
    /// Where a port moves multicast packets to, so that the device behind it needs no range of its own. Ports only.
    pub struct McOverlayBar(u64) at 0x28, "mc_overlay_bar", "McastOverlayBAR", "PCIe 6.2, 7.9.11.8" {
        /// Size of the range; nothing is moved where it is below 6.
        5:0 mc_overlay_size Rw "OverlaySize" = Meaning::Quantity(overlay_size),
        /// Start of the range.
        63:6 mc_overlay_bar Rw "BaseAddr" = Meaning::Quantity(overlay_address),
    }
}

fn window_size(encoding: u64) -> Quantity {
    Quantity::Bytes((encoding < 64).then(|| 1 << encoding))
}

/// Sizes below 2^6 stand for no overlay.
fn overlay_size(encoding: u64) -> Quantity {
    if encoding < 6 { Quantity::Bytes(Some(0)) } else { window_size(encoding) }
}

fn pages(number: u64) -> Quantity {
    Quantity::Offset(number << 12)
}

fn overlay_address(number: u64) -> Quantity {
    Quantity::Offset(number << 6)
}

/// Device/Port Types that have an overlay: root port, upstream and downstream switch port.
const PORTS: std::ops::RangeInclusive<u8> = 4..=6;

fn layout(builder: &mut Builder<'_>) {
    let port = builder.context.port_type.is_some_and(|port_type| PORTS.contains(&port_type));
    builder.load(0x04, if port { 0x2c } else { 0x24 });
    builder.add::<MulticastCapability>();
    builder.add::<MulticastControl>();
    builder.add::<McBaseAddress>();
    builder.add::<McReceive>();
    builder.add::<McBlockAll>();
    builder.add::<McBlockUntranslated>();
    if port {
        builder.add::<McOverlayBar>();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    const BODY: [u32; 11] = [0x8003_9a3f, 0xfe00_000e, 0x12, 5, 6, 7, 8, 9, 0x8000_0000, 0xd000_0014, 0x34];

    #[test]
    fn a_port_has_an_overlay() {
        let decoded = Case::new(0x12).body(&BODY).port_type(6).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 44));
        for (path, value) in [
            ("capability.mc_max_group", 63),
            ("capability.mc_window_size_requested", 0x1a),
            ("capability.mc_ecrc_regeneration_supported", 1),
            ("control.mc_num_group", 3),
            ("control.mc_enable", 1),
            ("mc_base_address.mc_index_position", 14),
            ("mc_base_address.mc_base_address", 0x12_fe00_0000 >> 12),
            ("mc_receive.groups", 0x0000_0006_0000_0005),
            ("mc_block_all.groups", 0x0000_0008_0000_0007),
            ("mc_block_untranslated.groups", 0x8000_0000_0000_0009),
            ("mc_overlay_bar.mc_overlay_size", 20),
            ("mc_overlay_bar.mc_overlay_bar", 0x34_d000_0000 >> 6),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.capability.end, 0x130);
    }

    #[test]
    fn an_endpoint_has_none() {
        let decoded = Case::new(0x12).body(&BODY).port_type(0).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 36));
        assert_eq!(decoded.paths().len(), 6);
        assert_eq!(decoded.capability.end, 0x128);
        assert_eq!(Case::new(0x12).body(&BODY).decode().paths().len(), 6);
    }

    #[test]
    fn sizes() {
        assert_eq!(window_size(0), Quantity::Bytes(Some(1)));
        assert_eq!(window_size(63), Quantity::Bytes(Some(1 << 63)), "the largest that there is");
        assert_eq!([5, 6].map(overlay_size), [0, 64].map(|size| Quantity::Bytes(Some(size))));
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x12).limit(0x110).decode();
        assert_eq!((decoded.raw("mc_base_address"), decoded.raw("mc_receive")), (Some(0), None));
    }
}
