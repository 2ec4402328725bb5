//! Vendor-Specific, capability ID 09h. PCIe 6.2, 7.9.4.
//!
//! The specification defines the length only; the rest is the manufacturer's. Virtio devices say there in which
//! Base Address Register each of their structures lies (Virtio 1.3, 4.1.4); Intel's host bridges say which features they
//! have ([`super::intel_capid0`]); the body of all others is kept raw.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

use super::intel_capid0;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x09,
    key: "vendor",
    name: "Vendor-Specific",
    section: "PCIe 6.2, 7.9.4",
    layout: Some(layout),
    registers: &[
        CapabilityLength::REGISTER,
        StructureType::REGISTER,
        Bar::REGISTER,
        Id::REGISTER,
        Offset::REGISTER,
        Length::REGISTER,
        NotifyMultiplier::REGISTER,
        OffsetUpper::REGISTER,
        LengthUpper::REGISTER,
        DefinedBy::REGISTER,
        intel_capid0::Structure::REGISTER,
        intel_capid0::CapabilitiesA::REGISTER,
        intel_capid0::CapabilitiesB::REGISTER,
        intel_capid0::CapabilitiesC::REGISTER,
    ],
};

/// Kinds of structures (Virtio 1.3, 4.1.4).
const STRUCTURE_TYPE: Meaning = Meaning::Choice(&[
    (COMMON, "common configuration"),
    (NOTIFY, "notification"),
    (INTERRUPT_STATUS, "interrupt status"),
    (DEVICE, "device configuration"),
    (CONFIGURATION_ACCESS, "PCI configuration access"),
    (SHARED_MEMORY, "shared memory"),
    (VENDOR, "vendor data"),
]);
const COMMON: u64 = 1;
const NOTIFY: u64 = 2;
const INTERRUPT_STATUS: u64 = 3;
const DEVICE: u64 = 4;
const CONFIGURATION_ACCESS: u64 = 5;
const SHARED_MEMORY: u64 = 8;
const VENDOR: u64 = 9;

register! {
    /// How long the capability is.
    pub struct CapabilityLength(u8) at 0x02, "capability_length", "Len", "PCIe 6.2, 7.9.4" {
        /// In bytes, with the ID, the next pointer and this byte.
        7:0 length Ro "Len" = Meaning::Unit("bytes"),
    }
}

register! {
    /// Which of its structures a virtio device describes here.
    pub struct StructureType(u8) at 0x03, "structure_type", "VirtIO", "Virtio 1.3, 4.1.4" {
        /// Kind of the structure; drivers ignore those that they do not know.
        7:0 kind Ro "type" = STRUCTURE_TYPE,
    }

    /// Base Address Register that maps the structure.
    pub struct Bar(u8) at 0x04, "bar", "BAR", "Virtio 1.3, 4.1.4" {
        /// 0 to 5; other values are reserved. Writable only for PCI configuration access.
        7:0 index Ro "BAR",
    }

    /// Tells structures of the same kind apart.
    pub struct Id(u8) at 0x05, "id", "id", "Virtio 1.3, 4.1.4" {
        /// Number of a shared memory region.
        7:0 id Ro "id",
    }

    /// Where the structure begins in its BAR.
    pub struct Offset(u32) at 0x08, "offset", "offset", "Virtio 1.3, 4.1.4" {
        /// In bytes; bits 31:0 of a shared memory region's offset.
        31:0 offset Ro "offset" = Meaning::Hex,
    }

    /// How long the structure is.
    pub struct Length(u32) at 0x0c, "length", "size", "Virtio 1.3, 4.1.4" {
        /// In bytes; bits 31:0 of a shared memory region's length.
        31:0 length Ro "size" = Meaning::Hex,
    }

    /// Distance of the queues' notification addresses.
    pub struct NotifyMultiplier(u32) at 0x10, "notify_multiplier", "multiplier", "Virtio 1.3, 4.1.4.4" {
        /// A queue's notification offset times this is its distance in bytes from the start of the structure.
        31:0 multiplier Ro "multiplier" = Meaning::Hex,
    }

    /// Upper half of a shared memory region's offset.
    pub struct OffsetUpper(u32) at 0x10, "offset_upper", "offset_upper", "Virtio 1.3, 4.1.4.7" {
        /// Bits 63:32.
        31:0 offset Ro "offset" = Meaning::Hex,
    }

    /// Upper half of a shared memory region's length.
    pub struct LengthUpper(u32) at 0x14, "length_upper", "size_upper", "Virtio 1.3, 4.1.4.7" {
        /// Bits 63:32.
        31:0 length Ro "size" = Meaning::Hex,
    }

    /// Who defined the vendor data that follows.
    pub struct DefinedBy(u16) at 0x04, "defined_by", "vendor", "Virtio 1.3, 4.1.4.8" {
        /// Vendor ID assigned by the PCI-SIG, of whoever defined the format.
        15:0 vendor_id Ro "vendor" = Meaning::Hex,
    }
}

/// Where the vendor's part begins.
const BODY: u16 = 3;
/// Vendor ID of virtio devices.
const VIRTIO_VENDOR: u16 = 0x1af4;

fn layout(builder: &mut Builder<'_>) {
    let Some(CapabilityLength(length)) = builder.add::<CapabilityLength>() else { return };
    let context = builder.context;
    builder.reaches(length.into());
    if context.vendor_id == VIRTIO_VENDOR && matches!(context.device_id, 0x1000..=0x107f) {
        virtio(builder, length.into());
    } else if context.vendor_id != intel_capid0::VENDOR || !intel_capid0::layout(builder, length.into()) {
        builder.leave_raw(BODY, length.into());
    }
}

/// The data window of PCI configuration access, at 10h, is never read: a read of it is a read of the device.
fn virtio(builder: &mut Builder<'_>, length: u16) {
    let Some(kind) = builder.add::<StructureType>() else { return };
    let kind = kind.raw();
    let needs = match kind {
        NOTIFY => 0x14,
        SHARED_MEMORY => 0x18,
        COMMON | INTERRUPT_STATUS | DEVICE | CONFIGURATION_ACCESS => 0x10,
        VENDOR => 0x06,
        _ => return,
    };
    if length < needs {
        return;
    }
    builder.load(0x04, needs - 0x04);
    if kind == VENDOR {
        builder.add::<DefinedBy>();
        builder.leave_raw(needs, length);
        return;
    }
    builder.add::<Bar>();
    builder.add::<Id>();
    builder.add::<Offset>();
    builder.add::<Length>();
    match kind {
        NOTIFY => {
            builder.add::<NotifyMultiplier>();
        }
        SHARED_MEMORY => {
            builder.add::<OffsetUpper>();
            builder.add::<LengthUpper>();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, decode_in, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    const VIRTIO: Context = Context {
        header_layout: 0,
        vendor_id: 0x1af4,
        device_id: 0x1041,
        class: 0x02_0000,
        port_type: None,
        link_width: None,
        flit_mode: None,
    };

    fn virtio(length: u8, kind: u8) -> [u8; 0x18] {
        let mut bytes = [0; 0x18];
        bytes[..6].copy_from_slice(&[0x09, 0, length, kind, 2, 7]);
        bytes[8..12].copy_from_slice(&0x3000u32.to_le_bytes());
        bytes[12..16].copy_from_slice(&0x1000u32.to_le_bytes());
        bytes[16..20].copy_from_slice(&4u32.to_le_bytes());
        bytes[20..24].copy_from_slice(&5u32.to_le_bytes());
        bytes
    }

    const COMMON_REGISTERS: [(&str, u16); 6] = [
        ("capability_length", 2),
        ("structure_type", 3),
        ("bar", 4),
        ("id", 5),
        ("offset", 8),
        ("length", 0x0c),
    ];

    #[test]
    fn structures_of_a_virtio_device() {
        for kind in [1, 3, 4] {
            let (capability, anomalies) = decode(VIRTIO, &virtio(0x10, kind));
            assert_eq!(placed(&capability), COMMON_REGISTERS);
            assert!(anomalies.is_empty());
            assert_eq!(capability.end, 0x50);
        }
        let (capability, _) = decode(VIRTIO, &virtio(0x14, 2));
        assert_eq!(placed(&capability)[6..], [("notify_multiplier", 0x10)]);
        assert_eq!((capability.get(), capability.get()), (Some(Bar(2)), Some(Id(7))));
        assert_eq!((capability.get(), capability.get()), (Some(Offset(0x3000)), Some(Length(0x1000))));
        assert_eq!(capability.get(), Some(NotifyMultiplier(4)));
        let (capability, _) = decode(VIRTIO, &virtio(0x18, 8));
        assert_eq!((capability.get(), capability.get()), (Some(OffsetUpper(4)), Some(LengthUpper(5))));
        let (capability, _) = decode(VIRTIO, &virtio(0x08, 9));
        assert_eq!(capability.get(), Some(DefinedBy(0x0702)));
    }

    #[test]
    fn the_window_into_the_device_is_not_read() {
        let (capability, _) = decode(VIRTIO, &virtio(0x14, 5));
        assert_eq!(placed(&capability), COMMON_REGISTERS);
        assert_eq!(capability.end, 0x54);
        assert_eq!(reads(VIRTIO, &virtio(0x14, 5)), [(4, 12)]);
        assert_eq!(reads(VIRTIO, &virtio(0x14, 2)), [(4, 16)]);
    }

    #[test]
    fn short_or_unknown_structures_are_left_alone() {
        for bytes in [virtio(0x10, 8), virtio(0x10, 2), virtio(0x08, 1), virtio(0x20, 6), virtio(0, 0xff)] {
            let (capability, _) = decode(VIRTIO, &bytes);
            assert_eq!(capability.registers.len(), 2, "{bytes:x?}");
            assert!(reads(VIRTIO, &bytes).is_empty());
        }
        let mut space = vec![0; 0x4c];
        space[0x40..].copy_from_slice(&virtio(0x18, 8)[..12]);
        let (capability, _) = decode_in(VIRTIO, &space);
        assert_eq!((capability.get(), capability.get::<LengthUpper>()), (Some(Offset(0x3000)), None));
    }

    #[test]
    fn the_body_of_others_is_raw() {
        let context = Context { vendor_id: 0x10de, ..VIRTIO };
        let (capability, _) = decode(context, &virtio(0x14, 2));
        assert_eq!(placed(&capability), [("capability_length", 2)]);
        assert_eq!(capability.end, 0x54);
        assert_eq!(reads(context, &virtio(0x14, 2)), [(4, 16)]);
        assert_eq!(reads(context, &virtio(0xff, 2)), [(4, 60)], "no more than the limit for raw bytes");
        assert!(reads(context, &virtio(0, 2)).is_empty());
    }
}
