//! Multi-Function Virtual Channel, extended capability ID 0008h: arbitration between the functions of a device.
//! PCIe 6.2, 7.9.2.

use super::virtual_channel::{
    ENTRY_SIZE, MOST_DOUBLEWORDS, REFERENCE_CLOCK, RESOURCE_ARBITRATION, RESOURCE_SCHEMES, Table,
    USAGE_LIMIT, VC_ARBITRATION, VC_SCHEMES, VcArbitrationPhases, impossible,
};
use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x08,
    key: "mfvc",
    name: "Multi-Function Virtual Channel",
    section: "PCIe 6.2, 7.9.2",
    layout: Some(layout),
    registers: &[
        PortVcCapability1::REGISTER,
        PortVcCapability2::REGISTER,
        PortVcControl::REGISTER,
        PortVcStatus::REGISTER,
        VcResourceCapability::REGISTER,
        VcResourceControl::REGISTER,
        VcResourceStatus::REGISTER,
        VcArbitrationPhases::REGISTER,
        FunctionArbitrationPhases::REGISTER,
    ],
};

register! {
    /// How many virtual channels there are.
    pub struct PortVcCapability1(u32) at 0x04, "port_vc_capability_1", "Caps", "PCIe 6.2, 7.9.2.2" {
        /// Virtual channels besides the default one.
        2:0 extended_vc_count Ro "EVC",
        /// How many of these are in the group of low priority.
        6:4 low_priority_extended_vc_count Ro "LPEVC",
        /// Unit of time of time-based weighted round robin.
        9:8 reference_clock Ro "RefClk" = REFERENCE_CLOCK,
        /// Size of an entry of the function arbitration tables.
        11:10 function_arbitration_table_entry_size Ro "FATEntryBits" = ENTRY_SIZE,
    }
    /// How the device can arbitrate between its virtual channels of low priority.
    pub struct PortVcCapability2(u32) at 0x08, "port_vc_capability_2", "Arb", "PCIe 6.2, 7.9.2.3" {
        /// By a scheme of the hardware, for example round robin.
        0 vc_arbitration_hardware_fixed Ro "Fixed",
        /// By weighted round robin with 32 phases.
        1 vc_arbitration_wrr_32 Ro "WRR32",
        /// By weighted round robin with 64 phases.
        2 vc_arbitration_wrr_64 Ro "WRR64",
        /// By weighted round robin with 128 phases.
        3 vc_arbitration_wrr_128 Ro "WRR128",
        /// Offset of the VC arbitration table in units of 16 bytes; 0 if there is none.
        31:24 vc_arbitration_table_offset Ro "VATOffset" = Meaning::Hex,
    }
    /// How the device arbitrates between its virtual channels of low priority.
    pub struct PortVcControl(u16) at 0x0c, "port_vc_control", "Ctrl", "PCIe 6.2, 7.9.2.4" {
        /// Makes the hardware take over the VC arbitration table when 1 is written.
        0 load_vc_arbitration_table Wo "LoadVAT",
        /// The scheme in use.
        3:1 vc_arbitration_select Rw "ArbSelect" = VC_ARBITRATION,
        /// No further virtual channel will be enabled: hardware may share out its buffers.
        4 all_vcs_enabled Rw "AllVCsEnabled",
    }
    /// Whether the hardware knows the VC arbitration table.
    pub struct PortVcStatus(u16) at 0x0e, "port_vc_status", "Status", "PCIe 6.2, 7.9.2.5" {
        /// The table was written and the hardware has not yet taken it over.
        0 vc_arbitration_table_status Ro "InProgress",
    }
    /// How one virtual channel can arbitrate between functions.
    pub struct VcResourceCapability(u32) at 0x10 in "vc", "capability", "Caps", "PCIe 6.2, 7.9.2.6" {
        /// By a scheme of the hardware, for example round robin.
        0 function_arbitration_hardware_fixed Ro "Fixed",
        /// By weighted round robin with 32 phases.
        1 function_arbitration_wrr_32 Ro "WRR32",
        /// By weighted round robin with 64 phases.
        2 function_arbitration_wrr_64 Ro "WRR64",
        /// By weighted round robin with 128 phases.
        3 function_arbitration_wrr_128 Ro "WRR128",
        /// By time-based weighted round robin with 128 phases.
        4 function_arbitration_time_based_wrr_128 Ro "TWRR128",
        /// By weighted round robin with 256 phases.
        5 function_arbitration_wrr_256 Ro "WRR256",
        /// Most time slots of time-based weighted round robin.
        22:16 maximum_time_slots HwInit "MaxTimeSlots" = Meaning::Quantity(minus_one),
        /// Offset of the function arbitration table in units of 16 bytes; 0 if there is none.
        31:24 function_arbitration_table_offset Ro "FATOffset" = Meaning::Hex,
    }
    /// What one virtual channel is used for.
    pub struct VcResourceControl(u32) at 0x14 in "vc", "control", "Ctrl", "PCIe 6.2, 7.9.2.7" {
        /// Traffic classes that use the channel, bit N for class N.
        7:0 tc_vc_map Rw "TC/VC" = Meaning::Hex,
        /// Makes the hardware take over the function arbitration table when 1 is written.
        16 load_function_arbitration_table Wo "LoadFAT",
        /// The scheme in use between functions.
        19:17 function_arbitration_select Rw "ArbSelect" = RESOURCE_ARBITRATION,
        /// Number of the channel; 0 for the default one.
        26:24 vc_id Rw "ID",
        /// Share of the shared flow control credits that the channel may use.
        29:27 shared_flow_control_usage_limit Rw "SharedFCLimit" = USAGE_LIMIT,
        /// The share is limited.
        30 shared_flow_control_usage_limit_enable Rw "SharedFCLimitEn",
        /// The channel is in use; always set for the default one.
        31 vc_enable Rw "Enable",
    }
    /// Whether one virtual channel works.
    pub struct VcResourceStatus(u16) at 0x1a in "vc", "status", "Status", "PCIe 6.2, 7.9.2.8" {
        /// The function arbitration table was written and the hardware has not yet taken it over.
        0 function_arbitration_table_status Ro "InProgress",
        /// The channel was enabled and the other end has not yet agreed.
        1 vc_negotiation_pending Ro "NegoPending",
    }
    /// Phases of a function arbitration table, which lies where Function Arbitration Table Offset says: which function, or
    /// group of functions, has its turn. How many phases these are tells Function Arbitration Table Entry Size. The table of
    /// virtual channel N begins at index 64 N.
    pub struct FunctionArbitrationPhases(u32) at 0x00 in "function_arbitration_table", "function_phases", "FAT", "PCIe 6.2, 7.9.2.10" {
        /// Numbers of functions or groups, the first phase in the lowest bits.
        31:0 functions Rw "Phases" = Meaning::Hex,
    }
}

/// Bytes of the registers of one virtual channel.
const RESOURCE: u16 = 12;
fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x0c + RESOURCE);
    let capability_1 = builder.add::<PortVcCapability1>().unwrap_or(PortVcCapability1(0));
    let capability_2 = builder.add::<PortVcCapability2>().unwrap_or(PortVcCapability2(0));
    let control = builder.add::<PortVcControl>().unwrap_or(PortVcControl(0));
    builder.add::<PortVcStatus>();
    let channels = 1 + capability_1.extended_vc_count() as u16;
    if channels > 1 {
        builder.load(0x10 + RESOURCE, RESOURCE * (channels - 1));
    }
    let mut tables = Vec::new();
    for vc in 0..channels {
        let at = RESOURCE * vc;
        let capability = builder.add_in::<VcResourceCapability>(vc, 0x10 + at);
        let control = builder.add_in::<VcResourceControl>(vc, 0x14 + at);
        builder.add_in::<VcResourceStatus>(vc, 0x1a + at);
        tables.extend(capability.zip(control).map(|(capability, control)| (vc, capability, control)));
    }
    let start = 0x10 + RESOURCE * channels;
    let mut wrong = Vec::new();
    let table = Table {
        offset: capability_2.vc_arbitration_table_offset(),
        select: control.vc_arbitration_select().into(),
        schemes: VC_SCHEMES,
        entry_bits: 4,
    };
    if !table.place::<VcArbitrationPhases>(builder, 0, start) {
        wrong.push((PortVcCapability2::REGISTER.offset, capability_2.raw()));
    }
    for (vc, capability, control) in tables {
        let table = Table {
            offset: capability.function_arbitration_table_offset(),
            select: control.function_arbitration_select(),
            schemes: RESOURCE_SCHEMES,
            entry_bits: 1 << capability_1.function_arbitration_table_entry_size(),
        };
        if !table.place::<FunctionArbitrationPhases>(builder, MOST_DOUBLEWORDS * vc, start) {
            wrong.push((0x10 + RESOURCE * vc, capability.raw()));
        }
    }
    impossible(builder, &wrong);
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use crate::pci::walk::Anomaly;

    /// Two channels, both arbitrate by a table: functions by 32 phases of 4 bits at 30h, channels by 32 phases at 40h.
    const BODY: [u32; 19] = [
        0x0000_0811,
        0x0400_0003,
        0x0000_0002,
        0x0300_0002,
        0x8002_00fe,
        0x0000_0000,
        0x0000_0001,
        0xc901_0001,
        0x0002_0000,
        0,
        0,
        0x3210_3210,
        0x7654_7654,
        0x3210_3210,
        0x7654_7654,
        0x1010_1010,
        0x0000_0001,
        0,
        0x1111_1111,
    ];

    #[test]
    fn two_channels_and_both_kinds_of_tables() {
        let decoded = Case::new(0x08).body(&BODY).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (4, 24 + 12 + 16 + 16));
        for (path, value) in [
            ("port_vc_capability_1.extended_vc_count", 1),
            ("port_vc_capability_1.low_priority_extended_vc_count", 1),
            ("port_vc_capability_1.function_arbitration_table_entry_size", 2),
            ("port_vc_capability_2.vc_arbitration_hardware_fixed", 1),
            ("port_vc_capability_2.vc_arbitration_wrr_32", 1),
            ("port_vc_capability_2.vc_arbitration_table_offset", 4),
            ("port_vc_control.vc_arbitration_select", 1),
            ("vc[0].capability.function_arbitration_wrr_32", 1),
            ("vc[0].capability.function_arbitration_table_offset", 3),
            ("vc[0].control.function_arbitration_select", 1),
            ("vc[0].control.tc_vc_map", 0xfe),
            ("vc[0].control.vc_enable", 1),
            ("vc[1].control.shared_flow_control_usage_limit", 1),
            ("vc[1].control.shared_flow_control_usage_limit_enable", 1),
            ("vc[1].control.vc_id", 1),
            ("vc[1].status.vc_negotiation_pending", 1),
            ("vc_arbitration_table[0].vc_phases.phase_1", 1),
            ("vc_arbitration_table[1].vc_phases.phase_0", 1),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.raw("function_arbitration_table[1].function_phases"), Some(0x7654_7654));
        assert_eq!(decoded.raw("vc_arbitration_table[3].vc_phases"), Some(0x1111_1111));
        assert_eq!(decoded.paths().len(), 4 + 2 * 3 + 4 + 4);
        assert_eq!(decoded.capability.end, 0x150);
        assert!(decoded.anomalies.is_empty());
    }

    #[test]
    fn a_table_upon_the_registers_is_said() {
        let decoded = Case::new(0x08).body(&[0x0000_0010, 0x0100_0002, 0x0000_0002]).decode();
        assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x108, raw: 0x0100_0002 }]);
        assert_eq!(decoded.paths().len(), 4 + 3);
        assert_eq!(Case::new(0x08).limit(0x104).decode().paths().len(), 4 + 3);
    }
}
