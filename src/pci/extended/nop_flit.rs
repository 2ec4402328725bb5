//! NOP Flit, extended capability ID 0037h. PCIe 6.3, 7.8.14.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x37,
    key: "nop_flit",
    name: "NOP Flit",
    section: "PCIe 6.3, 7.8.14",
    layout: Some(layout),
    registers: &[Capabilities::REGISTER, Control1::REGISTER, Control2::REGISTER, Status::REGISTER],
};

register! {
    /// What the port can send in flits that carry nothing else.
    pub struct Capabilities(u32) at 0x04, "capabilities", "NOPFlitCap", "PCIe 6.3, 7.8.14.2" {
        /// Can send debug information.
        0 nop_debug_tx_support HwInit "Debug",
        /// Can send what the vendor defines.
        1 nop_vendor_tx_support HwInit "Vendor",
    }
    /// What the port may send.
    pub struct Control1(u32) at 0x08, "control_1", "NOPFlitCtl1", "PCIe 6.3, 7.8.14.3" {
        /// May send debug information.
        0 nop_debug_tx_enable Rws "Debug",
        /// May send what the vendor defines.
        1 nop_vendor_tx_enable Rws "Vendor",
        /// The only debug opcode that may be sent; 0 for all.
        8:2 debug_opcodes_enable Rws "Opcodes" = Meaning::Hex,
        /// Flits among which there should be one with periodic debug information, encoded as N-1 up to 9.
        13:10 debug_flit_maximum_rate_hint Rws "Rate" = Meaning::Choice(&[
            (0, "every flit"),
            (1, "every 2nd flit"),
            (2, "every 3rd flit"),
            (3, "every 4th flit"),
            (4, "every 5th flit"),
            (5, "every 6th flit"),
            (6, "every 7th flit"),
            (7, "every 8th flit"),
            (8, "every 9th flit"),
            (9, "every 10th flit"),
        ]),
        /// Streams that may be used, encoded as N-1.
        23:16 number_of_nop_streams Rws "Streams" = Meaning::Quantity(minus_one),
        /// First stream that may be used.
        31:24 nop_stream_id_start Rws "StreamStart" = Meaning::Hex,
    }
    /// Debug information that was asked for.
    pub struct Control2(u32) at 0x0c, "control_2", "NOPFlitCtl2", "PCIe 6.3, 7.8.14.4" {
        /// Asks for debug information when 1 is written.
        0 request_nop_debug_flits Wo "Request",
        /// What was asked for goes before what is periodic.
        1 request_priority Rws "Priority",
        /// Debug opcode that was asked for.
        8:2 debug_opcodes_requested Rws "Opcode" = Meaning::Hex,
        /// Flits that were asked for.
        13:10 number_of_nop_debug_flits_requested Rws "Number",
        /// Who defined the debug opcode.
        31:16 vendor_id_requested Rws "VendorID" = Meaning::Hex,
    }
    /// Whether what was asked for is still being sent.
    pub struct Status(u32) at 0x10, "status", "NOPFlitSta", "PCIe 6.3, 7.8.14.5" {
        /// Not everything was sent yet.
        0 nop_debug_flit_request_in_progress Ro "InProgress",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x10);
    builder.add::<Capabilities>();
    builder.add::<Control1>();
    builder.add::<Control2>();
    builder.add::<Status>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn every_register_in_one_read() {
        let body = [0x0000_0003, 0xfe05_0c15, 0x1e98_080e, 0x0000_0001];
        let decoded = Case::new(0x37).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 16));
        for (path, value) in [
            ("capabilities.nop_debug_tx_support", 1),
            ("capabilities.nop_vendor_tx_support", 1),
            ("control_1.nop_debug_tx_enable", 1),
            ("control_1.nop_vendor_tx_enable", 0),
            ("control_1.debug_opcodes_enable", 5),
            ("control_1.debug_flit_maximum_rate_hint", 3),
            ("control_1.number_of_nop_streams", 5),
            ("control_1.nop_stream_id_start", 0xfe),
            ("control_2.request_priority", 1),
            ("control_2.debug_opcodes_requested", 3),
            ("control_2.number_of_nop_debug_flits_requested", 2),
            ("control_2.vendor_id_requested", 0x1e98),
            ("status.nop_debug_flit_request_in_progress", 1),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.capability.end, 0x114);
        let short = Case::new(0x37).limit(0x110).decode();
        assert_eq!((short.raw("control_2"), short.raw("status")), (Some(0), None));
    }
}
