//! Flattening Portal Bridge, capability ID 15h: a bridge that routes by vectors of bits, so that buses and memory
//! behind it need not lie together. PCIe 6.2, 7.8.11.
//!
//! The vectors themselves are behind a window: which part of which vector the data register at 20h shows is decided by
//! a write to the access control register. So the vectors are not read.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x15,
    key: "flattening_portal_bridge",
    name: "Flattening Portal Bridge",
    section: "PCIe 6.2, 7.8.11",
    layout: Some(layout),
    registers: &[
        Capabilities::REGISTER,
        RidVectorControl1::REGISTER,
        RidVectorControl2::REGISTER,
        MemLowVectorControl::REGISTER,
        MemHighVectorControl1::REGISTER,
        MemHighVectorControl2::REGISTER,
        VectorAccessControl::REGISTER,
    ],
};

register! {
    /// Which of the three vectors the bridge has, and how long they are.
    pub struct Capabilities(u32) at 0x04, "capabilities", "FPBCap", "PCIe 6.2, 7.8.11.2" {
        /// Has the vector for Routing IDs.
        0 rid_decode_mechanism_supported HwInit "RID",
        /// Has the vector for memory below 4 GB.
        1 mem_low_decode_mechanism_supported HwInit "MemLow",
        /// Has the vector for memory above 4 GB.
        2 mem_high_decode_mechanism_supported HwInit "MemHigh",
        /// How many device numbers the secondary side has; for Upstream Ports of switches.
        7:3 num_sec_dev HwInit "NumSecDev" = Meaning::Quantity(minus_one),
        /// Length of the vector for Routing IDs.
        10:8 rid_vector_size_supported HwInit "RIDSize"
            = Meaning::Choice(&[(0, "256 bits"), (2, "1024 bits"), (5, "8192 bits")]),
        /// Length of the vector for memory below 4 GB.
        18:16 mem_low_vector_size_supported HwInit "MemLowSize" = Meaning::Choice(&[
            (0, "256 bits"), (1, "512 bits"), (2, "1024 bits"), (3, "2048 bits"), (4, "4096 bits"),
        ]),
        /// Length of the vector for memory above 4 GB.
        26:24 mem_high_vector_size_supported HwInit "MemHighSize" = Meaning::Choice(&[
            (0, "256 bits"), (1, "512 bits"), (2, "1024 bits"), (3, "2048 bits"), (4, "4096 bits"), (5, "8192 bits"),
        ]),
    }

    /// The vector for Routing IDs: which IDs it covers.
    pub struct RidVectorControl1(u32) at 0x08, "rid_vector_control_1", "RIDCtl1", "PCIe 6.2, 7.8.11.3" {
        /// The vector decides what is routed.
        0 rid_decode_mechanism_enable Rw "Enable",
        /// Routing IDs that one bit stands for.
        7:4 rid_vector_granularity Rw "Granularity"
            = Meaning::Choice(&[(0, "8 Routing IDs"), (3, "64 Routing IDs"), (5, "256 Routing IDs")]),
        /// Routing ID that the first bit stands for, bits 15:3.
        31:19 rid_vector_start Rw "Start" = Meaning::Quantity(routing_id),
    }

    /// The vector for Routing IDs: where the secondary bus is.
    pub struct RidVectorControl2(u32) at 0x0c, "rid_vector_control_2", "RIDCtl2", "PCIe 6.2, 7.8.11.4" {
        /// First Routing ID of the secondary bus, bits 15:3: from there on configuration requests become those of
        /// type 0.
        15:3 rid_secondary_start Rw "SecStart" = Meaning::Quantity(routing_id),
    }

    /// The vector for memory below 4 GB: which addresses it covers.
    pub struct MemLowVectorControl(u32) at 0x10, "mem_low_vector_control", "MemLowCtl", "PCIe 6.2, 7.8.11.5" {
        /// The vector decides what is routed.
        0 mem_low_decode_mechanism_enable Rw "Enable",
        /// Memory that one bit stands for.
        7:4 mem_low_vector_granularity Rw "Granularity" = Meaning::Quantity(mem_low_granularity),
        /// Address that the first bit stands for, bits 31:20.
        31:20 mem_low_vector_start Rw "Start" = Meaning::Quantity(mem_low_start),
    }

    /// The vector for memory above 4 GB: which addresses it covers.
    pub struct MemHighVectorControl1(u32) at 0x14, "mem_high_vector_control_1", "MemHighCtl1", "PCIe 6.2, 7.8.11.6" {
        /// The vector decides what is routed.
        0 mem_high_decode_mechanism_enable Rw "Enable",
        /// Memory that one bit stands for.
        7:4 mem_high_vector_granularity Rw "Granularity" = Meaning::Quantity(mem_high_granularity),
        /// Address that the first bit stands for, bits 31:28.
        31:28 mem_high_vector_start_lower Rw "StartLower" = Meaning::Quantity(mem_high_start),
    }

    /// The vector for memory above 4 GB: where it begins.
    pub struct MemHighVectorControl2(u32) at 0x18, "mem_high_vector_control_2", "MemHighCtl2", "PCIe 6.2, 7.8.11.7" {
        /// Address that the first bit stands for, bits 63:32.
        31:0 mem_high_vector_start_upper Rw "StartUpper" = Meaning::Hex,
    }

    /// Which 32 bits of which vector the data register shows.
    pub struct VectorAccessControl(u32) at 0x1c, "vector_access_control", "AccessCtl", "PCIe 6.2, 7.8.11.8" {
        /// Number of the doubleword in the vector.
        7:0 vector_access_offset Rw "Offset",
        /// Which vector.
        15:14 vector_select Rw "Select" = Meaning::Choice(&[(0, "Routing ID"), (1, "memory low"), (2, "memory high")]),
    }
}

fn routing_id(bits: u64) -> Quantity {
    Quantity::RequesterId((bits << 3) as u16)
}

fn mem_low_granularity(encoding: u64) -> Quantity {
    Quantity::Bytes((encoding <= 4).then(|| 1 << (20 + encoding)))
}

fn mem_low_start(bits: u64) -> Quantity {
    Quantity::Offset(bits << 20)
}

fn mem_high_granularity(encoding: u64) -> Quantity {
    Quantity::Bytes((encoding <= 7).then(|| 1 << (28 + encoding)))
}

fn mem_high_start(bits: u64) -> Quantity {
    Quantity::Offset(bits << 28)
}

/// Bytes of the capability, the data register at its end included.
const SIZE: u16 = 0x24;

fn layout(builder: &mut Builder<'_>) {
    let room = builder.room_end.saturating_sub(builder.located.offset);
    builder.load(0x04, 0x1c.min(room.saturating_sub(0x04)));
    builder.add::<Capabilities>();
    builder.add::<RidVectorControl1>();
    builder.add::<RidVectorControl2>();
    builder.add::<MemLowVectorControl>();
    builder.add::<MemHighVectorControl1>();
    builder.add::<MemHighVectorControl2>();
    builder.add::<VectorAccessControl>();
    builder.reaches(SIZE);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, decode_in, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    fn bytes(words: [u32; 7]) -> Vec<u8> {
        let words = words.iter().flat_map(|word| word.to_le_bytes());
        [0x15, 0, 0, 0].into_iter().chain(words).chain([0xaa; 4]).collect()
    }

    /// A switch port with all three vectors: Routing IDs from 12:00.0 in steps of 8, memory from 3000_0000h in steps of
    /// 4 MB and from 12_4000_0000h in steps of 1 GB.
    #[test]
    fn every_register() {
        let port = bytes([
            0x0502_0507,
            0x1200_0001,
            0x0000_1300,
            0x3000_0021,
            0x4000_0021,
            0x0000_0012,
            0x0000_4003,
        ]);
        let (capability, anomalies) = decode(Context::default(), &port);
        assert!(anomalies.is_empty());
        let capabilities: Capabilities = capability.get().unwrap();
        assert!(
            capabilities.rid_decode_mechanism_supported()
                && capabilities.mem_high_decode_mechanism_supported()
        );
        assert_eq!(capabilities.num_sec_dev(), 0);
        assert_eq!(capabilities.rid_vector_size_supported(), 5);
        assert_eq!(capabilities.mem_low_vector_size_supported(), 2);
        assert_eq!(capabilities.mem_high_vector_size_supported(), 5);
        let rid: RidVectorControl1 = capability.get().unwrap();
        assert_eq!(routing_id(rid.rid_vector_start().into()), Quantity::RequesterId(0x1200));
        let secondary: RidVectorControl2 = capability.get().unwrap();
        assert_eq!(routing_id(secondary.rid_secondary_start().into()), Quantity::RequesterId(0x1300));
        let low: MemLowVectorControl = capability.get().unwrap();
        assert_eq!(mem_low_start(low.mem_low_vector_start().into()), Quantity::Offset(0x3000_0000));
        assert_eq!(
            mem_low_granularity(low.mem_low_vector_granularity().into()),
            Quantity::Bytes(Some(4 << 20))
        );
        let high: MemHighVectorControl1 = capability.get().unwrap();
        assert_eq!(mem_high_start(high.mem_high_vector_start_lower().into()), Quantity::Offset(0x4000_0000));
        assert_eq!(
            mem_high_granularity(high.mem_high_vector_granularity().into()),
            Quantity::Bytes(Some(1 << 30))
        );
        assert_eq!(capability.get(), Some(MemHighVectorControl2(0x12)));
        let access: VectorAccessControl = capability.get().unwrap();
        assert_eq!((access.vector_select(), access.vector_access_offset()), (1, 3));
        assert_eq!(capability.end, 0x64);
        assert_eq!(placed(&capability).last(), Some(&("vector_access_control", 0x1c)));
        assert_eq!(reads(Context::default(), &port), [(4, 0x1c)], "the data register is left alone");
    }

    #[test]
    fn reserved_granularities_have_no_value() {
        assert_eq!(mem_low_granularity(5), Quantity::Bytes(None));
        assert_eq!(mem_high_granularity(8), Quantity::Bytes(None));
    }

    #[test]
    fn what_cannot_be_read_has_no_value() {
        let mut space = vec![0; 0x50];
        space[0x40..].copy_from_slice(&bytes([5, 1, 0x98, 0, 0, 0, 0])[..16]);
        let (capability, _) = decode_in(Context::default(), &space);
        assert_eq!(capability.get(), Some(RidVectorControl2(0x98)));
        assert_eq!(capability.get::<MemLowVectorControl>(), None);
        assert_eq!(capability.registers.len(), 7);
    }
}
