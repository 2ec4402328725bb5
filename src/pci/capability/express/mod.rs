//! PCI Express, capability ID 10h. PCIe 6.2, 7.5.3.
//!
//! The registers come in seven groups of eight bytes: device, link, slot, root, and, since version 2, device 2,
//! link 2 and slot 2. Which groups a function has follows from the version, the port type and Slot Implemented.
//! Version 1 ends behind the last group that the port has; version 2 keeps room for all of them. Either way only
//! the groups that mean something are read.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::lanes;
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::space::ConfigSpace;
use crate::pci::walk::{Anomaly, List, Located};
use crate::register;

mod device;
mod device2;
pub(in crate::pci) mod link;
mod link2;
mod root;
mod slot;

pub use device::{DeviceCapabilities, DeviceControl, DeviceStatus};
pub use device2::{DeviceCapabilities2, DeviceControl2, DeviceStatus2};
pub use link::{LinkCapabilities, LinkControl, LinkStatus};
pub use link2::{LinkCapabilities2, LinkControl2, LinkStatus2};
pub use root::{RootCapabilities, RootControl, RootStatus};
pub use slot::{SlotCapabilities, SlotCapabilities2, SlotControl, SlotControl2, SlotStatus, SlotStatus2};

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x10,
    key: "express",
    name: "PCI Express",
    section: "PCIe 6.2, 7.5.3",
    layout: Some(layout),
    registers: &[
        Capabilities::REGISTER,
        DeviceCapabilities::REGISTER,
        DeviceControl::REGISTER,
        DeviceStatus::REGISTER,
        LinkCapabilities::REGISTER,
        LinkControl::REGISTER,
        LinkStatus::REGISTER,
        SlotCapabilities::REGISTER,
        SlotControl::REGISTER,
        SlotStatus::REGISTER,
        RootControl::REGISTER,
        RootCapabilities::REGISTER,
        RootStatus::REGISTER,
        DeviceCapabilities2::REGISTER,
        DeviceControl2::REGISTER,
        DeviceStatus2::REGISTER,
        LinkCapabilities2::REGISTER,
        LinkControl2::REGISTER,
        LinkStatus2::REGISTER,
        SlotCapabilities2::REGISTER,
        SlotControl2::REGISTER,
        SlotStatus2::REGISTER,
    ],
};

const PORT_TYPE: Meaning = Meaning::Choice(&[
    (PortType::Endpoint as u64, "Endpoint"),
    (PortType::LegacyEndpoint as u64, "Legacy Endpoint"),
    (PortType::RootPort as u64, "Root Port"),
    (PortType::UpstreamPort as u64, "Upstream Port"),
    (PortType::DownstreamPort as u64, "Downstream Port"),
    (PortType::PcieToPciBridge as u64, "PCI Express to PCI/PCI-X Bridge"),
    (PortType::PciToPcieBridge as u64, "PCI/PCI-X to PCI Express Bridge"),
    (PortType::RootComplexIntegratedEndpoint as u64, "Root Complex Integrated Endpoint"),
    (PortType::RootComplexEventCollector as u64, "Root Complex Event Collector"),
]);

register! {
    /// PCI Express Capabilities: what kind of function this is.
    pub struct Capabilities(u16) at 0x02, "capabilities", "Express", "PCIe 6.2, 7.5.3.2" {
        /// Version of the capability: 1 for PCI Express 1.x, 2 for all later ones.
        3:0 version Ro "v",
        /// What the function is in the hierarchy.
        7:4 device_port_type Ro "Type" = PORT_TYPE,
        /// The link leads to a slot, not to a device that is soldered on. Root and downstream ports only.
        8 slot_implemented HwInit "Slot",
        /// Which MSI or MSI-X vector reports the events of this capability.
        13:9 interrupt_message_number Ro "IntMsgNum",
        /// Supports flit mode, the encoding of 64 GT/s and faster.
        15 flit_mode_supported HwInit "FLIT",
    }
}

/// What a function is in the hierarchy, the Device/Port Type field of the Capabilities register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PortType {
    /// PCI Express endpoint.
    Endpoint = 0,
    /// Endpoint that may use I/O space and locked requests.
    LegacyEndpoint = 1,
    /// Port of the root complex.
    RootPort = 4,
    /// Port of a switch towards the root complex.
    UpstreamPort = 5,
    /// Port of a switch away from the root complex.
    DownstreamPort = 6,
    /// Bridge with PCI Express towards the root complex.
    PcieToPciBridge = 7,
    /// Bridge with PCI Express away from the root complex.
    PciToPcieBridge = 8,
    /// Endpoint inside the root complex, without a link.
    RootComplexIntegratedEndpoint = 9,
    /// Collects errors and PMEs of integrated endpoints.
    RootComplexEventCollector = 10,
}

impl PortType {
    /// The type that an encoding stands for; `None` if it is reserved.
    pub const fn from_raw(raw: u8) -> Option<PortType> {
        Some(match raw {
            0 => PortType::Endpoint,
            1 => PortType::LegacyEndpoint,
            4 => PortType::RootPort,
            5 => PortType::UpstreamPort,
            6 => PortType::DownstreamPort,
            7 => PortType::PcieToPciBridge,
            8 => PortType::PciToPcieBridge,
            9 => PortType::RootComplexIntegratedEndpoint,
            10 => PortType::RootComplexEventCollector,
            _ => return None,
        })
    }

    /// Has a link: everything but what is integrated into the root complex.
    pub const fn has_link(self) -> bool {
        !matches!(self, PortType::RootComplexIntegratedEndpoint | PortType::RootComplexEventCollector)
    }

    /// Is the upper end of a link, the end that trains it and that may have a slot.
    pub const fn is_downstream_facing(self) -> bool {
        matches!(self, PortType::RootPort | PortType::DownstreamPort | PortType::PciToPcieBridge)
    }

    /// Is the lower end of a link.
    pub const fn is_upstream_facing(self) -> bool {
        self.has_link() && !self.is_downstream_facing()
    }

    /// Is an endpoint, whether behind a link or integrated.
    pub const fn is_endpoint(self) -> bool {
        matches!(
            self,
            PortType::Endpoint | PortType::LegacyEndpoint | PortType::RootComplexIntegratedEndpoint
        )
    }

    /// Has the root registers, and the root part of Advanced Error Reporting.
    pub const fn has_root_registers(self) -> bool {
        matches!(self, PortType::RootPort | PortType::RootComplexEventCollector)
    }
}

impl Capabilities {
    /// What the function is in the hierarchy; `None` if the encoding is reserved.
    pub const fn port_type(self) -> Option<PortType> {
        PortType::from_raw(self.device_port_type() as u8)
    }

    /// The groups that the function has, in the order of their offsets.
    fn groups(self) -> [bool; GROUPS.len()] {
        let port = self.port_type();
        let link = port.is_some_and(PortType::has_link);
        let slot = port.is_some_and(PortType::is_downstream_facing) && self.slot_implemented();
        let root = port.is_some_and(PortType::has_root_registers);
        let second = self.version() >= 2;
        [true, link, slot, root, second, second && link, second && slot]
    }
}

/// The Device/Port Type of a function, out of the first PCI Express capability in `walk`. The walk has read the
/// register together with the capability's header.
pub fn port_type(space: &ConfigSpace, walk: &[Located]) -> Option<u8> {
    let express = walk.iter().find(|l| l.list == List::Standard && l.id == SPECIFICATION.id)?;
    let raw = space.u16(express.offset + Capabilities::REGISTER.offset)?;
    Some(Capabilities(raw).device_port_type() as u8)
}

/// Maximum Link Width in lanes, out of the first PCI Express capability in `walk`; `None` if it was not read, is
/// reserved, or the function has no link.
pub fn maximum_link_width(space: &ConfigSpace, walk: &[Located]) -> Option<u8> {
    let express = walk.iter().find(|l| l.list == List::Standard && l.id == SPECIFICATION.id)?;
    PortType::from_raw(port_type(space, walk)?).filter(|port| port.has_link())?;
    let raw = space.u32(express.offset + LinkCapabilities::REGISTER.offset)?;
    lanes(LinkCapabilities(raw).maximum_link_width().into())
}

/// Whether the link runs in Flit Mode, out of the first PCI Express capability in `walk`; `None` if that was not read, or if
/// the link is down, so that Flit Mode Status says nothing of the packets that went over it before.
pub fn flit_mode(space: &ConfigSpace, walk: &[Located]) -> Option<bool> {
    let express = walk.iter().find(|l| l.list == List::Standard && l.id == SPECIFICATION.id)?;
    let capabilities = Capabilities(space.u16(express.offset + Capabilities::REGISTER.offset)?);
    if !capabilities.flit_mode_supported() {
        return Some(false);
    }
    let status = LinkStatus2(space.u16(express.offset + LinkStatus2::REGISTER.offset)?);
    let link = LinkStatus(space.u16(express.offset + LinkStatus::REGISTER.offset)?);
    match (status.flit_mode_status(), link.data_link_layer_link_active()) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

/// Where the first group begins.
const FIRST_GROUP: u16 = 0x04;
/// Length of each group.
const GROUP_LENGTH: u16 = 8;
/// Place the registers of each group.
const GROUPS: [fn(&mut Builder<'_>); 7] =
    [device::place, link::place, slot::place, root::place, device2::place, link2::place, slot::place2];

fn layout(builder: &mut Builder<'_>) {
    let Some(capabilities) = builder.add::<Capabilities>() else { return };
    if capabilities.port_type().is_none() {
        let offset = builder.located.offset + Capabilities::REGISTER.offset;
        builder.anomaly(Anomaly::ReservedValue { offset, raw: capabilities.raw() });
    }
    let groups = capabilities.groups();
    let mut offset = FIRST_GROUP;
    for run in groups.chunk_by(|a, b| a == b) {
        let length = GROUP_LENGTH * run.len() as u16;
        if run[0] {
            builder.load(offset, length);
        }
        offset += length;
    }
    for (place, present) in GROUPS.iter().zip(groups) {
        if present {
            place(builder);
        }
    }
}

/// Scale of a slot power limit (PCIe 6.2, 7.5.3.3 and 7.5.3.9).
const POWER_LIMIT_SCALE: Meaning =
    Meaning::Choice(&[(0, "1 W"), (1, "0.1 W"), (2, "0.01 W"), (3, "0.001 W")]);

/// A slot power limit in milliwatts. With scale 0, values from F0h to FEh count from 250 W in steps of 25 W, and FFh
/// is reserved.
fn power_limit(value: u32, scale: u32) -> Option<u32> {
    Some(match (scale, value) {
        (0, 0xff) => return None,
        (0, 0xf0..) => 250_000 + 25_000 * (value - 0xf0),
        (0, _) => value * 1000,
        (1, _) => value * 100,
        (2, _) => value * 10,
        _ => value,
    })
}

#[cfg(test)]
mod tests;
