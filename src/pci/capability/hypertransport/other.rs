//! The blocks that are not interfaces. Several show their registers through a window: what its data register holds is
//! decided by a write to its index, so the data registers are not read.

use crate::pci::decode::Builder;
use crate::pci::register::{Meaning, Quantity};
use crate::register;

use super::{BLOCK_TYPE, Block};

register! {
    /// A switch: errors of its virtual internal bus.
    pub struct SwitchCommand(u16) at 0x02, "switch_command", "Command", "HyperTransport 3.1, 7" {
        /// An error on the virtual internal bus.
        7 internal_bus_error Rw1c "VIBErr",
        /// That error floods the links with sync packets.
        8 internal_bus_flood_enable Rw "VIBFl",
        /// That error raises the fatal interrupt.
        9 internal_bus_fatal_enable Rw "VIBFt",
        /// That error raises the nonfatal interrupt.
        10 internal_bus_nonfatal_enable Rw "VIBNFt",
        /// Kind of the block.
        15:11 capability_type Ro "type" = BLOCK_TYPE,
    }

    /// Which ports of the switch belong together.
    pub struct SwitchPartitionMask(u32) at 0x04, "switch_partition_mask", "PMask", "HyperTransport 3.1, 7" {
        /// Bit N stands for port N.
        31:0 ports Rw "ports" = Meaning::Hex,
    }

    /// The port of the switch, and which of its counters and ranges the windows at 0Ch, 10h and 14h show.
    pub struct SwitchInfo(u32) at 0x08, "switch_info", "SwInfo", "HyperTransport 3.1, 7" {
        /// Port that takes what no range takes.
        4:0 default_port Rw "DefPort",
        /// The ranges are decoded.
        5 enable_decode Rw "EnDecode",
        /// A reset of the secondary bus is a cold one.
        6 cold_reset Rw "ColdRst",
        /// Which performance counter the window shows.
        11:8 performance_counter_index Rw "PerfIdx",
        /// Which base or limit register the window shows; its bit 1 is also the index of the secondary base.
        17:12 range_index Rw "RangeIdx",
        /// The port can be plugged while the machine runs.
        18 hot_plug Ro "HotPlug",
        /// The port is hidden.
        19 hide_port Rw "Hide",
    }

    /// Which interrupt definition the window at 04h shows.
    pub struct InterruptIndex(u16) at 0x02, "interrupt_index", "Index", "HyperTransport 3.1, 7" {
        /// Number of the register; 1 tells the last interrupt, from 10h on are the definitions.
        7:0 index Rw "Index" = Meaning::Hex,
        /// Kind of the block.
        15:11 capability_type Ro "type" = BLOCK_TYPE,
    }

    /// Version of the specification that the function follows, in a block of its own.
    pub struct Revision(u16) at 0x02, "revision", "Revision ID", "HyperTransport 3.1, 7" {
        /// Number behind the point; 5 stands for .05.
        4:0 minor Ro "minor",
        /// Number before the point.
        7:5 major Ro "major",
        /// Kind of the block.
        15:11 capability_type Ro "type" = BLOCK_TYPE,
    }

    /// Which UnitIDs can be taken together.
    pub struct ClumpingSupport(u32) at 0x04, "clumping_support", "ClumpSup", "HyperTransport 3.1, 7" {
        /// Bit N: UnitID N can be taken together with the one below.
        31:0 unitids Ro "unitids" = Meaning::Hex,
    }

    /// Which UnitIDs are taken together.
    pub struct ClumpingEnable(u32) at 0x08, "clumping_enable", "ClumpEn", "HyperTransport 3.1, 7" {
        /// Bit N: UnitID N is taken together with the one below.
        31:0 unitids Rw "unitids" = Meaning::Hex,
    }

    /// Which register the window at 08h shows: another way to configuration space. Reading the window reads that
    /// register.
    pub struct ConfigurationAddress(u32) at 0x04, "configuration_address", "Address", "HyperTransport 3.1, 7" {
        /// Register number, in doublewords.
        11:2 register_number Rw "Reg" = Meaning::Quantity(doublewords),
        /// Function number.
        14:12 function_number Rw "Fn",
        /// Device number.
        19:15 device_number Rw "Dev" = Meaning::Hex,
        /// Bus number.
        27:20 bus_number Rw "Bus" = Meaning::Hex,
        /// Type of the access: 0 on this bus, 1 behind a bridge.
        28 access_type Rw "Type" = Meaning::Number,
    }

    /// Address mapping between the two sides of a bridge.
    pub struct AddressMapping(u16) at 0x02, "address_mapping", "Command", "HyperTransport 3.1, 7" {
        /// How many DMA windows there are.
        3:0 dma_mappings Ro "NDMA",
        /// Size of the I/O space.
        8:4 io_size Rw "IOSize",
        /// Which registers follow.
        10:9 map_type Ro "MapType" = Meaning::Choice(&[(0, "40-bit"), (1, "64-bit")]),
        /// Kind of the block.
        15:11 capability_type Ro "type" = BLOCK_TYPE,
    }

    /// Window to non-prefetchable memory on the secondary bus, in the 40-bit map.
    pub struct NonPrefetchableWindow(u32) at 0x04, "non_prefetchable_window", "SBNPW", "HyperTransport 3.1, 7" {
        /// Address bits 39:20.
        19:0 base Rw "Base" = Meaning::Hex,
        /// Requests go to the compatibility chain.
        28 compatibility Rw "Compat",
        /// Requests are not coherent.
        29 noncoherent Rw "NonCoh",
        /// Requests are isochronous.
        30 isochronous Rw "Isoc",
        /// The window is open.
        31 enable Rw "En",
    }

    /// Window to prefetchable memory on the secondary bus, in the 40-bit map.
    pub struct PrefetchableWindow(u32) at 0x08, "prefetchable_window", "SBPW", "HyperTransport 3.1, 7" {
        /// Address bits 39:20.
        19:0 base Rw "Base" = Meaning::Hex,
        /// Requests go to the compatibility chain.
        28 compatibility Rw "Compat",
        /// Requests are not coherent.
        29 noncoherent Rw "NonCoh",
        /// Requests are isochronous.
        30 isochronous Rw "Isoc",
        /// The window is open.
        31 enable Rw "En",
    }

    /// Where a DMA window begins on the primary bus, in the 40-bit map.
    pub struct DmaPrimary(u32) at 0x0c in "dma", "primary", "DMA Primary", "HyperTransport 3.1, 7" {
        /// Address bits.
        23:0 base Rw "Base" = Meaning::Hex,
        /// Requests go to the compatibility chain.
        28 compatibility Rw "Compat",
        /// Requests are not coherent.
        29 noncoherent Rw "NonCoh",
        /// Requests are isochronous.
        30 isochronous Rw "Isoc",
        /// The window is open.
        31 enable Rw "En",
    }

    /// Where a DMA window ends on the secondary bus, in the 40-bit map.
    pub struct DmaSecondaryLimit(u16) at 0x10 in "dma", "secondary_limit", "DMA Limit", "HyperTransport 3.1, 7" {
        /// Address bits.
        15:0 limit Rw "Limit" = Meaning::Hex,
    }

    /// Where a DMA window begins on the secondary bus, in the 40-bit map.
    pub struct DmaSecondaryBase(u16) at 0x12 in "dma", "secondary_base", "DMA Base", "HyperTransport 3.1, 7" {
        /// Address bits.
        15:0 base Rw "Base" = Meaning::Hex,
    }

    /// Which window registers of the 64-bit map the doublewords at 08h and 0Ch show.
    pub struct AddressMappingIndex(u32) at 0x04, "address_mapping_index", "Index", "HyperTransport 3.1, 7" {
        /// Number of the register.
        31:0 index Rw "Index" = Meaning::Hex,
    }

    /// Turns writes to the MSI address into HyperTransport interrupts.
    pub struct MsiMapping(u16) at 0x02, "msi_mapping", "MSI Mapping", "HyperTransport 3.1, 7" {
        /// The mapping is active: without it no MSI from behind this bridge arrives.
        0 enable Rw "Enable",
        /// The address is always FEE0_0000h, and the address registers are not there.
        1 fixed Ro "Fixed",
        /// Kind of the block.
        15:11 capability_type Ro "type" = BLOCK_TYPE,
    }

    /// Address that is taken for that of an MSI, lower half.
    pub struct MsiMappingAddressLow(u32) at 0x04, "msi_mapping_address_low", "Mapping Address", "HyperTransport 3.1, 7" {
        /// Address bits 31:20.
        31:20 address Rw "Base" = Meaning::Quantity(megabytes),
    }

    /// Address that is taken for that of an MSI, upper half.
    pub struct MsiMappingAddressHigh(u32) at 0x08, "msi_mapping_address_high", "Mapping Address Upper", "HyperTransport 3.1, 7" {
        /// Address bits 63:32.
        31:0 address Rw "Base" = Meaning::Hex,
    }

    /// Spaces whose requests go straight to a peer, and which of their registers the window at 08h shows.
    pub struct DirectRoute(u16) at 0x02, "direct_route", "Command", "HyperTransport 3.1, 7" {
        /// How many DirectRoute spaces there are.
        3:0 direct_route_spaces Ro "NDRS",
        /// Number of the register that the window shows.
        8:4 index Rw "Index",
        /// Kind of the block.
        15:11 capability_type Ro "type" = BLOCK_TYPE,
    }

    /// Who may use DirectRoute.
    pub struct DirectRouteEnable(u32) at 0x04, "direct_route_enable", "EnableVector", "HyperTransport 3.1, 7" {
        /// Bit N stands for UnitID N.
        31:0 unitids Rw "unitids" = Meaning::Hex,
    }

    /// Sets of virtual channels.
    pub struct VcSets(u32) at 0x04, "vc_sets", "VCSets", "HyperTransport 3.1, 7" {
        /// Sets that the device supports.
        7:0 supported Ro "Supported" = Meaning::Hex,
        /// Sets in use on link 1.
        15:8 link_1_enabled Rw "Link1" = Meaning::Hex,
        /// Sets in use on link 0.
        23:16 link_0_enabled Rw "Link0" = Meaning::Hex,
    }

    /// Buckets of the streaming channels.
    pub struct StreamBuckets(u32) at 0x08, "stream_buckets", "Stream", "HyperTransport 3.1, 7" {
        /// Depth of a bucket.
        7:0 bucket_depth Rw "Depth",
        /// Interval at which it is filled.
        15:8 interval Rw "Interval",
        /// Streaming channels that the device supports.
        23:16 channels_supported Ro "Channels" = Meaning::Choice(&[(0, "0"), (1, "0 to 3"), (2, "0 to 15")]),
    }

    /// Buckets of the channels without flow control.
    pub struct NonFlowControlBuckets(u16) at 0x0c, "non_flow_control_buckets", "NonFC", "HyperTransport 3.1, 7" {
        /// Depth of a bucket.
        7:0 bucket_depth Rw "Depth",
        /// Interval at which it is filled.
        15:8 interval Rw "Interval",
    }

    /// Retry on link 0.
    pub struct RetryControl0(u8) at 0x04, "retry_control_0", "Retry Control 0", "HyperTransport 3.1, 7" {
        /// Packets with errors are sent again.
        0 link_retry_enable Rw "LRetEn",
        /// Makes one error.
        1 force_single_error Rw "FSErr",
        /// An overflow of the counter raises the nonfatal interrupt.
        2 rollover_nonfatal_enable Rw "RolNEn",
        /// Makes one stomped packet.
        3 force_single_stomp Rw "FSStomp",
        /// A retry raises the nonfatal interrupt.
        4 retry_nonfatal_enable Rw "RetNEn",
        /// A failed retry raises the fatal interrupt.
        5 retry_fatal_enable Rw "RetFEn",
        /// How often to try before the link counts as failed.
        7:6 allowed_attempts Rw "Attempts",
    }

    /// What happened on link 0.
    pub struct RetryStatus0(u8) at 0x05, "retry_status_0", "Retry Status 0", "HyperTransport 3.1, 7" {
        /// A retry was sent.
        0 retry_sent Rw1c "RetSnt",
        /// The counter overflowed.
        1 count_rollover Rw1c "CntRol",
        /// A stomped packet came.
        2 stomp_received Rw1c "StompRcv",
    }

    /// Retry on link 1.
    pub struct RetryControl1(u8) at 0x06, "retry_control_1", "Retry Control 1", "HyperTransport 3.1, 7" {
        /// Packets with errors are sent again.
        0 link_retry_enable Rw "LRetEn",
        /// Makes one error.
        1 force_single_error Rw "FSErr",
        /// An overflow of the counter raises the nonfatal interrupt.
        2 rollover_nonfatal_enable Rw "RolNEn",
        /// Makes one stomped packet.
        3 force_single_stomp Rw "FSStomp",
        /// A retry raises the nonfatal interrupt.
        4 retry_nonfatal_enable Rw "RetNEn",
        /// A failed retry raises the fatal interrupt.
        5 retry_fatal_enable Rw "RetFEn",
        /// How often to try before the link counts as failed.
        7:6 allowed_attempts Rw "Attempts",
    }

    /// What happened on link 1.
    pub struct RetryStatus1(u8) at 0x07, "retry_status_1", "Retry Status 1", "HyperTransport 3.1, 7" {
        /// A retry was sent.
        0 retry_sent Rw1c "RetSnt",
        /// The counter overflowed.
        1 count_rollover Rw1c "CntRol",
        /// A stomped packet came.
        2 stomp_received Rw1c "StompRcv",
    }

    /// Retries on link 0.
    pub struct RetryCount0(u16) at 0x08, "retry_count_0", "Retry Count 0", "HyperTransport 3.1, 7" {
        /// How many there were.
        15:0 count Rw "count",
    }

    /// Retries on link 1.
    pub struct RetryCount1(u16) at 0x0a, "retry_count_1", "Retry Count 1", "HyperTransport 3.1, 7" {
        /// How many there were.
        15:0 count Rw "count",
    }
}

fn doublewords(count: u64) -> Quantity {
    Quantity::Offset(count * 4)
}

fn megabytes(count: u64) -> Quantity {
    Quantity::Offset(count << 20)
}

pub(super) fn switch(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x08);
    builder.add::<SwitchCommand>();
    builder.add::<SwitchPartitionMask>();
    builder.add::<SwitchInfo>();
    builder.reaches(0x18);
}

pub(super) fn interrupt_discovery(builder: &mut Builder<'_>) {
    builder.add::<InterruptIndex>();
    builder.reaches(0x08);
}

pub(super) fn revision_id(builder: &mut Builder<'_>) {
    builder.add::<Revision>();
}

pub(super) fn unitid_clumping(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x08);
    builder.add::<Block>();
    builder.add::<ClumpingSupport>();
    builder.add::<ClumpingEnable>();
}

pub(super) fn extended_configuration(builder: &mut Builder<'_>) {
    builder.add::<Block>();
    builder.add::<ConfigurationAddress>();
    builder.reaches(0x0c);
}

pub(super) fn address_mapping(builder: &mut Builder<'_>) {
    let Some(command) = builder.add::<AddressMapping>() else { return };
    match command.map_type() {
        0 => {
            let room = builder.room_end.saturating_sub(builder.located.offset);
            builder.reaches(0x0c + 8 * command.dma_mappings());
            // Windows that would lie in the next capability are not there; that they should be is noted.
            let count = command.dma_mappings().min(room.saturating_sub(0x0c) / 8);
            builder.load(0x04, 0x08 + 8 * count);
            builder.add::<NonPrefetchableWindow>();
            builder.add::<PrefetchableWindow>();
            for index in 0..count {
                let offset = 0x0c + 8 * index;
                builder.add_in::<DmaPrimary>(index, offset);
                builder.add_in::<DmaSecondaryLimit>(index, offset + 4);
                builder.add_in::<DmaSecondaryBase>(index, offset + 6);
            }
        }
        1 => {
            builder.add::<AddressMappingIndex>();
            builder.reaches(0x10);
        }
        _ => {}
    }
}

pub(super) fn msi_mapping(builder: &mut Builder<'_>) {
    let mapping = builder.add::<MsiMapping>();
    if mapping.is_some_and(MsiMapping::fixed) {
        return;
    }
    builder.load(0x04, 0x08);
    builder.add::<MsiMappingAddressLow>();
    builder.add::<MsiMappingAddressHigh>();
}

pub(super) fn direct_route(builder: &mut Builder<'_>) {
    builder.add::<DirectRoute>();
    builder.add::<DirectRouteEnable>();
    builder.reaches(0x0c);
}

pub(super) fn vcset(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x0c);
    builder.add::<Block>();
    builder.add::<VcSets>();
    builder.add::<StreamBuckets>();
    builder.add::<NonFlowControlBuckets>();
}

pub(super) fn retry_mode(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x08);
    builder.add::<Block>();
    builder.add::<RetryControl0>();
    builder.add::<RetryStatus0>();
    builder.add::<RetryControl1>();
    builder.add::<RetryStatus1>();
    builder.add::<RetryCount0>();
    builder.add::<RetryCount1>();
}
