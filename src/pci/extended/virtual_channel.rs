//! Virtual Channel, extended capability ID 0002h, and the same in a device whose function 0 has a Multi-Function Virtual
//! Channel capability, ID 0009h. PCIe 6.2, 7.9.1.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, Register, RegisterType};
use crate::pci::walk::{Anomaly, List};
use crate::register;

/// Virtual Channel.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x02,
    key: "virtual_channel",
    name: "Virtual Channel",
    section: "PCIe 6.2, 7.9.1",
    layout: Some(layout),
    registers: REGISTERS,
};

/// Virtual Channel of a function whose device arbitrates between functions.
pub static MFVC_SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x09,
    key: "virtual_channel_mfvc",
    name: "Virtual Channel (with MFVC)",
    section: "PCIe 6.2, 7.9.1",
    layout: Some(layout),
    registers: REGISTERS,
};

const REGISTERS: &[&Register] = &[
    PortVcCapability1::REGISTER,
    PortVcCapability2::REGISTER,
    PortVcControl::REGISTER,
    PortVcStatus::REGISTER,
    VcResourceCapability::REGISTER,
    VcResourceControl::REGISTER,
    VcResourceStatus::REGISTER,
    VcArbitrationPhases::REGISTER,
    PortArbitrationPhases::REGISTER,
];

/// Reference Clock.
pub(super) const REFERENCE_CLOCK: Meaning = Meaning::Choice(&[(0, "100 ns")]);
/// Bits of an entry of a port or function arbitration table.
pub(super) const ENTRY_SIZE: Meaning =
    Meaning::Choice(&[(0, "1 bit"), (1, "2 bits"), (2, "4 bits"), (3, "8 bits")]);
/// VC Arbitration Select.
pub(super) const VC_ARBITRATION: Meaning = Meaning::Choice(&[
    (0, "hardware fixed"),
    (1, "weighted round robin, 32 phases"),
    (2, "weighted round robin, 64 phases"),
    (3, "weighted round robin, 128 phases"),
]);
/// Port Arbitration Select and Function Arbitration Select.
pub(super) const RESOURCE_ARBITRATION: Meaning = Meaning::Choice(&[
    (0, "hardware fixed"),
    (1, "weighted round robin, 32 phases"),
    (2, "weighted round robin, 64 phases"),
    (3, "weighted round robin, 128 phases"),
    (4, "time-based weighted round robin, 128 phases"),
    (5, "weighted round robin, 256 phases"),
]);
/// Shared Flow Control Usage Limit.
pub(super) const USAGE_LIMIT: Meaning = Meaning::Choice(&[
    (0, "0 %"),
    (1, "12.5 %"),
    (2, "25 %"),
    (3, "37.5 %"),
    (4, "50 %"),
    (5, "62.5 %"),
    (6, "75 %"),
    (7, "87.5 %"),
]);

register! {
    /// How many virtual channels there are.
    pub struct PortVcCapability1(u32) at 0x04, "port_vc_capability_1", "Caps", "PCIe 6.2, 7.9.1.2" {
        /// Virtual channels besides the default one.
        2:0 extended_vc_count Ro "EVC",
        /// How many of these are in the group of low priority.
        6:4 low_priority_extended_vc_count Ro "LPEVC",
        /// Unit of time of time-based weighted round robin.
        9:8 reference_clock Ro "RefClk" = REFERENCE_CLOCK,
        /// Size of an entry of the port arbitration tables.
        11:10 port_arbitration_table_entry_size Ro "PATEntryBits" = ENTRY_SIZE,
    }
    /// How the port can arbitrate between its virtual channels of low priority.
    pub struct PortVcCapability2(u32) at 0x08, "port_vc_capability_2", "Arb", "PCIe 6.2, 7.9.1.3" {
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
    /// How the port arbitrates between its virtual channels of low priority.
    pub struct PortVcControl(u16) at 0x0c, "port_vc_control", "Ctrl", "PCIe 6.2, 7.9.1.4" {
        /// Makes the hardware take over the VC arbitration table when 1 is written.
        0 load_vc_arbitration_table Wo "LoadVAT",
        /// The scheme in use.
        3:1 vc_arbitration_select Rw "ArbSelect" = VC_ARBITRATION,
        /// No further virtual channel will be enabled: hardware may share out its buffers.
        4 all_vcs_enabled Rw "AllVCsEnabled",
    }
    /// Whether the hardware knows the VC arbitration table.
    pub struct PortVcStatus(u16) at 0x0e, "port_vc_status", "Status", "PCIe 6.2, 7.9.1.5" {
        /// The table was written and the hardware has not yet taken it over.
        0 vc_arbitration_table_status Ro "InProgress",
    }
    /// How one virtual channel can arbitrate between ports. It says nothing in an endpoint.
    pub struct VcResourceCapability(u32) at 0x10 in "vc", "capability", "Caps", "PCIe 6.2, 7.9.1.6" {
        /// By a scheme of the hardware, for example round robin.
        0 port_arbitration_hardware_fixed Ro "Fixed",
        /// By weighted round robin with 32 phases.
        1 port_arbitration_wrr_32 Ro "WRR32",
        /// By weighted round robin with 64 phases.
        2 port_arbitration_wrr_64 Ro "WRR64",
        /// By weighted round robin with 128 phases.
        3 port_arbitration_wrr_128 Ro "WRR128",
        /// By time-based weighted round robin with 128 phases.
        4 port_arbitration_time_based_wrr_128 Ro "TWRR128",
        /// By weighted round robin with 256 phases.
        5 port_arbitration_wrr_256 Ro "WRR256",
        /// Undefined; Advanced Packet Switching in earlier versions of the specification.
        14 advanced_packet_switching Ro "APS",
        /// May refuse transactions that do not set No Snoop where it applies.
        15 reject_snoop_transactions HwInit "RejSnoopTrans",
        /// Most time slots of time-based weighted round robin.
        22:16 maximum_time_slots HwInit "MaxTimeSlots" = Meaning::Quantity(minus_one),
        /// Offset of the port arbitration table in units of 16 bytes; 0 if there is none.
        31:24 port_arbitration_table_offset Ro "PATOffset" = Meaning::Hex,
    }
    /// What one virtual channel is used for.
    pub struct VcResourceControl(u32) at 0x14 in "vc", "control", "Ctrl", "PCIe 6.2, 7.9.1.7" {
        /// Traffic classes that use the channel, bit N for class N.
        7:0 tc_vc_map Rw "TC/VC" = Meaning::Hex,
        /// Makes the hardware take over the port arbitration table when 1 is written.
        16 load_port_arbitration_table Wo "LoadPAT",
        /// The scheme in use between ports.
        19:17 port_arbitration_select Rw "ArbSelect" = RESOURCE_ARBITRATION,
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
    pub struct VcResourceStatus(u16) at 0x1a in "vc", "status", "Status", "PCIe 6.2, 7.9.1.8" {
        /// The port arbitration table was written and the hardware has not yet taken it over.
        0 port_arbitration_table_status Ro "InProgress",
        /// The channel was enabled and the other end has not yet agreed.
        1 vc_negotiation_pending Ro "NegoPending",
    }
    /// Eight phases of the VC arbitration table, which lies where VC Arbitration Table Offset says: which virtual channel
    /// has its turn.
    pub struct VcArbitrationPhases(u32) at 0x00 in "vc_arbitration_table", "vc_phases", "VAT", "PCIe 6.2, 7.9.1.9" {
        /// VC ID of the first phase.
        2:0 phase_0 Rw "Phase0",
        /// VC ID of the second phase.
        6:4 phase_1 Rw "Phase1",
        /// VC ID of the third phase.
        10:8 phase_2 Rw "Phase2",
        /// VC ID of the fourth phase.
        14:12 phase_3 Rw "Phase3",
        /// VC ID of the fifth phase.
        18:16 phase_4 Rw "Phase4",
        /// VC ID of the sixth phase.
        22:20 phase_5 Rw "Phase5",
        /// VC ID of the seventh phase.
        26:24 phase_6 Rw "Phase6",
        /// VC ID of the eighth phase.
        30:28 phase_7 Rw "Phase7",
    }
    /// Phases of a port arbitration table, which lies where Port Arbitration Table Offset says: which port has its turn.
    /// How many phases these are tells Port Arbitration Table Entry Size. The table of virtual channel N begins at index 64 N.
    pub struct PortArbitrationPhases(u32) at 0x00 in "port_arbitration_table", "port_phases", "PAT", "PCIe 6.2, 7.9.1.10" {
        /// Port numbers, the first phase in the lowest bits.
        31:0 ports Rw "Phases" = Meaning::Hex,
    }
}

/// Bytes of the registers of one virtual channel.
const RESOURCE: u16 = 12;
/// Doublewords that a port or function arbitration table may have: so many indices of its group belong to each virtual
/// channel.
pub(super) const MOST_DOUBLEWORDS: u16 = 64;

/// An arbitration table as its registers describe it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    /// Offset in units of 16 bytes, 0 if there is no table.
    pub offset: u32,
    /// The scheme that is selected, and the number of schemes that there are.
    pub select: u32,
    pub schemes: usize,
    /// Bits of an entry.
    pub entry_bits: u16,
}

/// Entries of a table by the scheme that is selected.
const ENTRIES: [u16; 6] = [0, 32, 64, 128, 128, 256];
/// Schemes of VC arbitration, and of port and function arbitration.
pub(super) const VC_SCHEMES: usize = 4;
pub(super) const RESOURCE_SCHEMES: usize = 6;

impl Table {
    /// Bytes of the table; 0 if the selected scheme uses none, `None` if that scheme is reserved.
    fn length(self) -> Option<u16> {
        let entries = ENTRIES.get(..self.schemes)?.get(self.select as usize)?;
        Some(if self.offset == 0 { 0 } else { entries * self.entry_bits / 8 })
    }

    /// Places the table's doublewords, the first with the index `first`. The table cannot lie before `start`, and is read
    /// only as far as there is room. False if it cannot be.
    pub fn place<R: RegisterType>(self, builder: &mut Builder<'_>, first: u16, start: u16) -> bool {
        let Some(length) = self.length() else { return self.offset == 0 };
        if length == 0 {
            return true;
        }
        let offset = self.offset as u16 * 16;
        if offset < start {
            return false;
        }
        builder.reaches(offset + length);
        let room = builder.room_end.saturating_sub(builder.located.offset).saturating_sub(offset) & !3;
        let length = length.min(room);
        if length > 0 {
            builder.load(offset, length);
        }
        for index in 0..length / 4 {
            builder.add_in::<R>(first + index, offset + 4 * index);
        }
        true
    }
}

/// Notes the first of the registers (offset and value) whose table cannot be.
pub(super) fn impossible(builder: &mut Builder<'_>, registers: &[(u16, u64)]) {
    if let Some((offset, raw)) = registers.first() {
        let offset = builder.located.offset.saturating_add(*offset);
        builder.anomaly(Anomaly::ReservedValue { offset, raw: *raw });
    }
}

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
            offset: capability.port_arbitration_table_offset(),
            select: control.port_arbitration_select(),
            schemes: RESOURCE_SCHEMES,
            entry_bits: 1 << capability_1.port_arbitration_table_entry_size(),
        };
        if !table.place::<PortArbitrationPhases>(builder, MOST_DOUBLEWORDS * vc, start) {
            wrong.push((0x10 + RESOURCE * vc, capability.raw()));
        }
    }
    impossible(builder, &wrong);
}

#[cfg(test)]
#[path = "virtual_channel_tests.rs"]
mod tests;
