//! The two interfaces: slave or primary, and host or secondary.

use crate::pci::decode::Builder;
use crate::pci::register::{Meaning, RegisterType};
use crate::register;

use super::link::{
    LinkConfiguration0, LinkConfiguration1, LinkControl0, LinkControl1, LinkFrequencyCapability0,
    LinkFrequencyCapability1, LinkFrequencyError0, LinkFrequencyError1, RevisionId,
};

const INTERFACE_TYPE: Meaning =
    Meaning::Choice(&[(0, "slave or primary interface"), (1, "host or secondary interface")]);

register! {
    /// How a slave, or the primary side of a bridge, takes part in its chain.
    pub struct SlaveCommand(u16) at 0x02, "slave_command", "Command", "HyperTransport 3.1, 7" {
        /// First of the UnitIDs that the device uses.
        4:0 base_unitid Rw "BaseUnitID",
        /// How many UnitIDs it uses.
        9:5 unit_count Ro "UnitCnt",
        /// Which of its links leads to the master host.
        10 master_host Ro "MastHost",
        /// Which way requests that it makes go: clear to the master host, set away from it.
        11 default_direction Rw "DefDir",
        /// Requests to a link that is not initialised are dropped, instead of waiting.
        12 drop_on_uninitialized_link Rw "DUL",
        /// Kind of the block.
        15:13 capability_type Ro "type" = INTERFACE_TYPE,
    }

    /// How a host, or the secondary side of a bridge, drives its chain.
    pub struct HostCommand(u16) at 0x02, "host_command", "Command", "HyperTransport 3.1, 7" {
        /// A reset of the secondary bus is a warm one.
        0 warm_reset Rw "WarmRst",
        /// The chain has a host at its other end too.
        1 double_ended Rw "DblEnd",
        /// Device number that the host has when it is accessed from the other end.
        6:2 device_number Rw "DevNum",
        /// Accessed from the other end of the chain.
        7 chain_side Ro "ChainSide",
        /// Does not answer the host at the other end.
        8 host_hide Rw "HostHide",
        /// Acts as a slave.
        10 act_as_slave Rw "Slave",
        /// A packet from the chain reached its end here.
        11 host_inbound_end_of_chain_error Rw1c "<EOCErr",
        /// Requests to a link that is not initialised are dropped, instead of waiting.
        12 drop_on_uninitialized_link Rw "DUL",
        /// Kind of the block.
        15:13 capability_type Ro "type" = INTERFACE_TYPE,
    }

    /// Optional features of a slave.
    pub struct FeatureCapability(u8) at 0x10, "feature_capability", "Feature Capability", "HyperTransport 3.1, 7" {
        /// Isochronous flow control.
        0 isochronous_flow_control Ro "IsocFC",
        /// Can be stopped by LDTSTOP#.
        1 ldtstop Ro "LDTSTOP",
        /// Has the CRC test.
        2 crc_test_mode Ro "CRCTM",
        /// Needs the control signal to be held longer at initialisation.
        3 extended_ctl_time_required Ro "ECTLT",
        /// 64-bit addresses.
        4 addressing_64bit Ro "64bA",
        /// Does not reorder by UnitID.
        5 unitid_reorder_disable Ro "UIDRD",
        /// Source identification extension.
        6 source_identification_extension Ro "SrcIdExt",
    }

    /// Optional features of a host.
    pub struct HostFeatureCapability(u16) at 0x0c, "host_feature_capability", "Feature Capability", "HyperTransport 3.1, 7" {
        /// Isochronous flow control.
        0 isochronous_flow_control Ro "IsocFC",
        /// Can be stopped by LDTSTOP#.
        1 ldtstop Ro "LDTSTOP",
        /// Has the CRC test.
        2 crc_test_mode Ro "CRCTM",
        /// Needs the control signal to be held longer at initialisation.
        3 extended_ctl_time_required Ro "ECTLT",
        /// 64-bit addresses.
        4 addressing_64bit Ro "64bA",
        /// Does not reorder by UnitID.
        5 unitid_reorder_disable Ro "UIDRD",
        /// Source identification extension.
        6 source_identification_extension Ro "SrcIdExt",
        /// The registers from the scratchpad on are there.
        8 extended_register_set Ro "ExtRS",
        /// Configuration requests may come from the chain.
        9 upstream_configuration_enable Rw "UCnfE",
    }

    /// A word for software that counts the devices of a chain. At 14h, in a host at 10h.
    pub struct EnumerationScratchpad(u16) at 0x14, "enumeration_scratchpad", "Scratchpad", "HyperTransport 3.1, 7" {
        /// Whatever software left there.
        15:0 value Rw "value" = Meaning::Hex,
    }

    /// What each error leads to, and errors of the whole chain. At 16h, in a host at 12h.
    pub struct ErrorHandling(u16) at 0x16, "error_handling", "Error Handling", "HyperTransport 3.1, 7" {
        /// A protocol error floods the links with sync packets.
        0 protocol_error_flood_enable Rw "PFlE",
        /// An overflow error floods the links with sync packets.
        1 overflow_error_flood_enable Rw "OFlE",
        /// A protocol error raises the fatal interrupt.
        2 protocol_error_fatal_enable Rw "PFE",
        /// An overflow error raises the fatal interrupt.
        3 overflow_error_fatal_enable Rw "OFE",
        /// An end of chain error raises the fatal interrupt.
        4 end_of_chain_error_fatal_enable Rw "EOCFE",
        /// A response error raises the fatal interrupt.
        5 response_error_fatal_enable Rw "RFE",
        /// A CRC error raises the fatal interrupt.
        6 crc_error_fatal_enable Rw "CRCFE",
        /// A system error raises the fatal interrupt.
        7 system_error_fatal_enable Rw "SERRFE",
        /// The chain is flooded with sync packets.
        8 chain_fail Ro "CF",
        /// A response came that was not waited for, or that was wrong.
        9 response_error Rw1c "RE",
        /// A protocol error raises the nonfatal interrupt.
        10 protocol_error_nonfatal_enable Rw "PNFE",
        /// An overflow error raises the nonfatal interrupt.
        11 overflow_error_nonfatal_enable Rw "ONFE",
        /// An end of chain error raises the nonfatal interrupt.
        12 end_of_chain_error_nonfatal_enable Rw "EOCNFE",
        /// A response error raises the nonfatal interrupt.
        13 response_error_nonfatal_enable Rw "RNFE",
        /// A CRC error raises the nonfatal interrupt.
        14 crc_error_nonfatal_enable Rw "CRCNFE",
        /// A system error raises the nonfatal interrupt.
        15 system_error_nonfatal_enable Rw "SERRNFE",
    }

    /// Extends the memory window of a bridge. At 18h, in a host at 14h.
    pub struct MemoryBaseUpper(u8) at 0x18, "memory_base_upper", "Base Upper", "HyperTransport 3.1, 7" {
        /// Bits 39:32 of the base of the prefetchable memory behind the bridge.
        7:0 address Rw "address" = Meaning::Hex,
    }

    /// Extends the memory window of a bridge. At 19h, in a host at 15h.
    pub struct MemoryLimitUpper(u8) at 0x19, "memory_limit_upper", "Limit Upper", "HyperTransport 3.1, 7" {
        /// Bits 39:32 of the limit of the prefetchable memory behind the bridge.
        7:0 address Rw "address" = Meaning::Hex,
    }

    /// Number of the chain that a slave is on.
    pub struct BusNumber(u8) at 0x1a, "bus_number", "Bus Number", "HyperTransport 3.1, 7" {
        /// Bus number, as the slave takes it from configuration writes.
        7:0 number Ro "number" = Meaning::Hex,
    }
}

/// Revision 1.02, the first with frequencies and error handling.
const REVISION_1_02: u8 = 0x22;

/// Slave or primary interface: two links.
pub(super) fn slave(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x0c);
    builder.add::<SlaveCommand>();
    builder.add::<LinkControl0>();
    builder.add::<LinkConfiguration0>();
    builder.add::<LinkControl1>();
    builder.add::<LinkConfiguration1>();
    let revision = builder.add::<RevisionId>();
    if revision.is_some_and(|r| (r.raw() as u8) < REVISION_1_02) {
        return;
    }
    builder.load(0x10, 0x0c);
    builder.add::<LinkFrequencyError0>();
    builder.add::<LinkFrequencyCapability0>();
    builder.add::<FeatureCapability>();
    builder.add::<LinkFrequencyError1>();
    builder.add::<LinkFrequencyCapability1>();
    builder.add::<EnumerationScratchpad>();
    builder.add::<ErrorHandling>();
    builder.add::<MemoryBaseUpper>();
    builder.add::<MemoryLimitUpper>();
    builder.add::<BusNumber>();
}

/// Host or secondary interface: one link.
pub(super) fn host(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x08);
    builder.add::<HostCommand>();
    builder.add::<LinkControl0>();
    builder.add::<LinkConfiguration0>();
    let revision = builder.add_at::<RevisionId>(0x08);
    if revision.is_some_and(|r| (r.raw() as u8) < REVISION_1_02) {
        return;
    }
    builder.load(0x0c, 0x0c);
    builder.add_at::<LinkFrequencyError0>(0x09);
    builder.add_at::<LinkFrequencyCapability0>(0x0a);
    builder.add::<HostFeatureCapability>();
    builder.add_at::<EnumerationScratchpad>(0x10);
    builder.add_at::<ErrorHandling>(0x12);
    builder.add_at::<MemoryBaseUpper>(0x14);
    builder.add_at::<MemoryLimitUpper>(0x15);
}
