//! Access Control Services, extended capability ID 000Dh. PCIe 6.2, 7.7.11.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x0d,
    key: "acs",
    name: "Access Control Services",
    section: "PCIe 6.2, 7.7.11",
    layout: Some(layout),
    registers: &[AcsCapability::REGISTER, AcsControl::REGISTER, EgressControlVector::REGISTER],
};

/// Memory Target Access Control of the downstream and of the upstream port.
const MEMORY_TARGET_ACCESS: Meaning = Meaning::Choice(&[
    (0, "direct request access enabled"),
    (1, "request blocking enabled"),
    (2, "request redirect enabled"),
]);

register! {
    /// Which controls the function has.
    pub struct AcsCapability(u16) at 0x04, "capability", "ACSCap", "PCIe 6.2, 7.7.11.2" {
        /// Can check that the requester's bus number is one behind this port.
        0 source_validation Ro "SrcValid",
        /// Can block requests that claim to be translated already.
        1 translation_blocking Ro "TransBlk",
        /// Can send requests between peers upstream.
        2 p2p_request_redirect Ro "ReqRedir",
        /// Can send completions between peers upstream.
        3 p2p_completion_redirect Ro "CmpltRedir",
        /// Can send back upstream what was redirected and is meant for another port.
        4 upstream_forwarding Ro "UpstreamFwd",
        /// Can block or redirect requests to certain ports or functions.
        5 p2p_egress_control Ro "EgressCtrl",
        /// Can let translated requests go directly to a peer.
        6 direct_translated_p2p Ro "DirectTrans",
        /// Has the controls in bits 12:7 of the control register.
        7 enhanced_capability Ro "EnhancedCap",
        /// Bits in the egress control vector that count; 0 stands for 256.
        15:8 egress_control_vector_size HwInit "EgressVectorSize" = Meaning::Quantity(vector_size),
    }
    /// Which controls are on.
    pub struct AcsControl(u16) at 0x06, "control", "ACSCtl", "PCIe 6.2, 7.7.11.3" {
        /// Checks that the requester's bus number is one behind this port.
        0 source_validation_enable Rw "SrcValid",
        /// Blocks requests that claim to be translated already.
        1 translation_blocking_enable Rw "TransBlk",
        /// Sends requests between peers upstream.
        2 p2p_request_redirect_enable Rw "ReqRedir",
        /// Sends completions between peers upstream.
        3 p2p_completion_redirect_enable Rw "CmpltRedir",
        /// Sends back upstream what was redirected and is meant for another port.
        4 upstream_forwarding_enable Rw "UpstreamFwd",
        /// Blocks or redirects requests to the ports or functions in the egress control vector.
        5 p2p_egress_control_enable Rw "EgressCtrl",
        /// Lets translated requests go directly to a peer.
        6 direct_translated_p2p_enable Rw "DirectTrans",
        /// Blocks I/O requests that go upstream.
        7 io_request_blocking_enable Rw "IOReqBlk",
        /// What happens to requests for the memory of a downstream port itself.
        9:8 dsp_memory_target_access_control Rw "DSPMemTarget" = MEMORY_TARGET_ACCESS,
        /// What happens to requests for the memory of the switch's upstream port.
        11:10 usp_memory_target_access_control Rw "USPMemTarget" = MEMORY_TARGET_ACCESS,
        /// Sends upstream what no downstream port claims, instead of answering it with Unsupported Request.
        12 unclaimed_request_redirect_control Rw "UnclaimedReqRedir",
    }
    /// 32 bits of the egress control vector.
    pub struct EgressControlVector(u32) at 0x08 in "egress_control_vector", "vector", "ACSEgressVector", "PCIe 6.2, 7.7.11.4" {
        /// One bit for each port, function or function group: requests to it are blocked or redirected.
        31:0 bits Rw "bits" = Meaning::Hex,
    }
}

fn vector_size(encoding: u64) -> Quantity {
    Quantity::Count(if encoding == 0 { 256 } else { encoding })
}

impl AcsCapability {
    /// Bits in the egress control vector that count: 1 to 256, or 0 without P2P Egress Control.
    pub fn vector_bits(self) -> u16 {
        match (self.p2p_egress_control(), self.egress_control_vector_size()) {
            (false, _) => 0,
            (true, 0) => 256,
            (true, size) => size,
        }
    }
}

fn layout(builder: &mut Builder<'_>) {
    let capability = builder.add::<AcsCapability>();
    builder.add::<AcsControl>();
    let doublewords = capability.map_or(0, |c| c.vector_bits().div_ceil(32));
    if doublewords > 0 {
        builder.load(0x08, 4 * doublewords);
    }
    for i in 0..doublewords {
        builder.add_in::<EgressControlVector>(i, 0x08 + 4 * i);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn the_common_case_is_one_doubleword() {
        let decoded = Case::new(0x0d).body(&[0x001d_005f]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 4));
        assert_eq!(decoded.field("capability.direct_translated_p2p"), 1);
        assert_eq!(decoded.field("control.source_validation_enable"), 1);
        assert_eq!(decoded.field("control.translation_blocking_enable"), 0);
        assert_eq!(decoded.field("control.upstream_forwarding_enable"), 1);
        assert_eq!(decoded.paths(), ["capability", "control"]);
    }

    #[test]
    fn the_vector_is_read_as_far_as_it_goes() {
        let decoded = Case::new(0x0d).body(&[0x1b80_21a0, 0xdead_beef, 1]).decode();
        assert_eq!(decoded.raw("egress_control_vector[1].vector"), Some(1), "33 bits are two doublewords");
        assert_eq!(decoded.raw("egress_control_vector[0].vector"), Some(0xdead_beef));
        assert_eq!(decoded.paths().len(), 4);
        assert_eq!(decoded.reads, 2);
        assert_eq!(decoded.field("control.dsp_memory_target_access_control"), 3, "reserved, and kept");
        assert_eq!(decoded.field("control.usp_memory_target_access_control"), 2);
        assert_eq!(decoded.field("control.unclaimed_request_redirect_control"), 1);
        assert_eq!(decoded.field("control.io_request_blocking_enable"), 1);
    }

    #[test]
    fn size_zero_is_256_bits() {
        assert_eq!(AcsCapability(0x0020).vector_bits(), 256);
        assert_eq!(
            AcsCapability(0x0500).vector_bits(),
            0,
            "without P2P Egress Control the size means nothing"
        );
        assert_eq!(Case::new(0x0d).body(&[0x20]).decode().paths().len(), 2 + 8);
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x0d).body(&[0x20]).limit(0x10c).decode();
        assert_eq!(decoded.raw("egress_control_vector[0].vector"), Some(0));
        assert_eq!(decoded.raw("egress_control_vector[1].vector"), None);
        assert_eq!(Case::new(0x0d).limit(0x104).decode().raw("control"), None);
    }
}
