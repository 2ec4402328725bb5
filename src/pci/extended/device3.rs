//! Device 3, extended capability ID 002Fh. PCIe 6.2, 7.7.9.

use super::flit_logging::link_width;
use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x2f,
    key: "device3",
    name: "Device 3",
    section: "PCIe 6.2, 7.7.9",
    layout: Some(layout),
    registers: &[DeviceCapabilities3::REGISTER, DeviceControl3::REGISTER, DeviceStatus3::REGISTER],
};

/// How long it takes to widen the link.
const L0P_EXIT_LATENCY: Meaning = Meaning::Choice(&[
    (0, "less than 1 µs"),
    (1, "1 µs to less than 2 µs"),
    (2, "2 µs to less than 4 µs"),
    (3, "4 µs to less than 8 µs"),
    (4, "8 µs to less than 16 µs"),
    (5, "16 µs to less than 32 µs"),
    (6, "32 µs to 64 µs"),
    (7, "more than 64 µs"),
]);

register! {
    /// What the function can do since PCI Express 6.0.
    pub struct DeviceCapabilities3(u32) at 0x04, "device_capabilities_3", "DevCap3", "PCIe 6.2, 7.7.9.2" {
        /// Passes deferrable memory writes on; switch ports and root ports only.
        0 dmwr_request_routing_supported HwInit "DMWr Request Routing",
        /// Answers requests with 14-bit tags.
        1 tag_14_bit_completer_supported HwInit "14-Bit Tag Completer",
        /// Can make requests with 14-bit tags.
        2 tag_14_bit_requester_supported HwInit "14-Bit Tag Requester",
        /// Can change the width of the link without retraining.
        3 l0p_supported HwInit "L0p",
        /// How long this port takes to widen the link.
        6:4 port_l0p_exit_latency HwInit "Port L0p Exit Latency" = L0P_EXIT_LATENCY,
        /// How long the retimers of this port take to widen the link.
        9:7 retimer_l0p_exit_latency HwInit "Retimer L0p Exit Latency" = L0P_EXIT_LATENCY,
        /// Answers unordered memory reads and writes.
        10 uio_mem_rdwr_completer_supported HwInit "UIO Mem RdWr Completer",
        /// Can make unordered memory reads or writes.
        11 uio_mem_rdwr_requester_supported HwInit "UIO Mem RdWr Requester",
        /// Which end-to-end header content it understands as completer, in Flit Mode.
        14:12 ohc_e_support HwInit "OHC-E" = Meaning::Choice(&[
            (0, "not indicated"),
            (1, "E1"),
            (2, "E1, E2"),
            (3, "E1, E2, E4"),
            (4, "forwarding only"),
            (7, "none"),
        ]),
    }
    /// What the function may do.
    pub struct DeviceControl3(u32) at 0x08, "device_control_3", "DevCtl3", "PCIe 6.2, 7.7.9.3" {
        /// May make deferrable memory writes.
        0 dmwr_requester_enable Rw "DMWr Requester",
        /// Deferrable memory writes may not leave through this port.
        1 dmwr_egress_blocking Rw "DMWr Egress Blocking",
        /// May make requests with 14-bit tags.
        2 tag_14_bit_requester_enable Rw "14-Bit Tag Requester",
        /// May change the width of the link without retraining.
        3 l0p_enable Rw "L0p",
        /// Width to which the link was told to change.
        6:4 target_link_width Rw "Target Link Width" = Meaning::Choice(&[
            (0, "x1"),
            (1, "x2"),
            (2, "x4"),
            (3, "x8"),
            (4, "x16"),
            (7, "dynamic"),
        ]),
        /// May make unordered memory reads and writes.
        7 uio_mem_rdwr_requester_enable Rw "UIO Mem RdWr Requester",
        /// Unordered requests may cross 256-byte boundaries.
        8 uio_request_256b_boundary_disable Rw "UIO Request 256B Boundary Disable",
    }
    /// How the link came up.
    pub struct DeviceStatus3(u32) at 0x0c, "device_status_3", "DevSta3", "PCIe 6.2, 7.7.9.4" {
        /// Width that was found when the link came up first.
        2:0 initial_link_width Ro "Initial Link Width" = Meaning::Quantity(link_width),
        /// The function knows its segment: every link up to the root complex is in Flit Mode.
        3 segment_captured Ro "Segment Captured",
        /// The other side can change the width of the link without retraining.
        4 remote_l0p_supported Ro "Remote L0p",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x0c);
    builder.add::<DeviceCapabilities3>();
    builder.add::<DeviceControl3>();
    builder.add::<DeviceStatus3>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn all_three_registers_in_one_read() {
        let decoded = Case::new(0x2f).body(&[0x0000_1dae, 0x0000_0193, 0x0000_0018]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12));
        for (path, value) in [
            ("device_capabilities_3.dmwr_request_routing_supported", 0),
            ("device_capabilities_3.tag_14_bit_completer_supported", 1),
            ("device_capabilities_3.tag_14_bit_requester_supported", 1),
            ("device_capabilities_3.l0p_supported", 1),
            ("device_capabilities_3.port_l0p_exit_latency", 2),
            ("device_capabilities_3.retimer_l0p_exit_latency", 3),
            ("device_capabilities_3.uio_mem_rdwr_completer_supported", 1),
            ("device_capabilities_3.uio_mem_rdwr_requester_supported", 1),
            ("device_capabilities_3.ohc_e_support", 1),
            ("device_control_3.dmwr_requester_enable", 1),
            ("device_control_3.dmwr_egress_blocking", 1),
            ("device_control_3.tag_14_bit_requester_enable", 0),
            ("device_control_3.l0p_enable", 0),
            ("device_control_3.target_link_width", 1),
            ("device_control_3.uio_mem_rdwr_requester_enable", 1),
            ("device_control_3.uio_request_256b_boundary_disable", 1),
            ("device_status_3.initial_link_width", 0),
            ("device_status_3.segment_captured", 1),
            ("device_status_3.remote_l0p_supported", 1),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        let short = Case::new(0x2f).limit(0x10c).decode();
        assert_eq!((short.raw("device_control_3"), short.raw("device_status_3")), (Some(0), None));
    }
}
