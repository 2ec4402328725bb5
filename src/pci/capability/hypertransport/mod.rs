//! HyperTransport, capability ID 08h: links, switches and extensions. HyperTransport I/O Link 3.1, 7.
//!
//! One ID serves many blocks; the upper bits of the first register tell which one it is. Slave and host interfaces
//! ([`interface`], [`link`]) have a type of three bits and use the other two; all others ([`other`]) have five.

pub mod interface;
pub mod link;
pub mod other;

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

use interface::{ErrorHandling, HostCommand, SlaveCommand};

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x08,
    key: "hypertransport",
    name: "HyperTransport",
    section: "HyperTransport 3.1, 7",
    layout: Some(layout),
    registers: &[
        SlaveCommand::REGISTER,
        HostCommand::REGISTER,
        link::LinkControl0::REGISTER,
        link::LinkConfiguration0::REGISTER,
        link::LinkControl1::REGISTER,
        link::LinkConfiguration1::REGISTER,
        link::RevisionId::REGISTER,
        link::LinkFrequencyError0::REGISTER,
        link::LinkFrequencyCapability0::REGISTER,
        interface::FeatureCapability::REGISTER,
        interface::HostFeatureCapability::REGISTER,
        link::LinkFrequencyError1::REGISTER,
        link::LinkFrequencyCapability1::REGISTER,
        interface::EnumerationScratchpad::REGISTER,
        ErrorHandling::REGISTER,
        interface::MemoryBaseUpper::REGISTER,
        interface::MemoryLimitUpper::REGISTER,
        interface::BusNumber::REGISTER,
        Block::REGISTER,
        other::SwitchCommand::REGISTER,
        other::SwitchPartitionMask::REGISTER,
        other::SwitchInfo::REGISTER,
        other::InterruptIndex::REGISTER,
        other::Revision::REGISTER,
        other::ClumpingSupport::REGISTER,
        other::ClumpingEnable::REGISTER,
        other::ConfigurationAddress::REGISTER,
        other::AddressMapping::REGISTER,
        other::NonPrefetchableWindow::REGISTER,
        other::PrefetchableWindow::REGISTER,
        other::DmaPrimary::REGISTER,
        other::DmaSecondaryLimit::REGISTER,
        other::DmaSecondaryBase::REGISTER,
        other::AddressMappingIndex::REGISTER,
        other::MsiMapping::REGISTER,
        other::MsiMappingAddressLow::REGISTER,
        other::MsiMappingAddressHigh::REGISTER,
        other::DirectRoute::REGISTER,
        other::DirectRouteEnable::REGISTER,
        other::VcSets::REGISTER,
        other::StreamBuckets::REGISTER,
        other::NonFlowControlBuckets::REGISTER,
        other::RetryControl0::REGISTER,
        other::RetryStatus0::REGISTER,
        other::RetryControl1::REGISTER,
        other::RetryStatus1::REGISTER,
        other::RetryCount0::REGISTER,
        other::RetryCount1::REGISTER,
    ],
};

/// Kinds of blocks other than interfaces.
pub(super) const BLOCK_TYPE: Meaning = Meaning::Choice(&[
    (SWITCH, "switch"),
    (0b01001, "reserved for hosts"),
    (INTERRUPT_DISCOVERY, "interrupt discovery and configuration"),
    (REVISION_ID, "revision ID"),
    (UNITID_CLUMPING, "UnitID clumping"),
    (EXTENDED_CONFIGURATION, "extended configuration space access"),
    (ADDRESS_MAPPING, "address mapping"),
    (MSI_MAPPING, "MSI mapping"),
    (DIRECT_ROUTE, "DirectRoute"),
    (VCSET, "VCSet"),
    (RETRY_MODE, "retry mode"),
    (0b11001, "x86"),
    (0b11010, "Gen3"),
    (0b11011, "function level extension"),
    (0b11100, "power management"),
    (0b11101, "high node count"),
]);
const SWITCH: u64 = 0b01000;
const INTERRUPT_DISCOVERY: u64 = 0b10000;
const REVISION_ID: u64 = 0b10001;
const UNITID_CLUMPING: u64 = 0b10010;
const EXTENDED_CONFIGURATION: u64 = 0b10011;
const ADDRESS_MAPPING: u64 = 0b10100;
const MSI_MAPPING: u64 = 0b10101;
const DIRECT_ROUTE: u64 = 0b10110;
const VCSET: u64 = 0b10111;
const RETRY_MODE: u64 = 0b11000;

register! {
    /// Which block it is.
    pub struct Block(u16) at 0x02, "block", "HyperTransport", "HyperTransport 3.1, 7" {
        /// Belongs to the block; 0 in those whose other registers are decoded.
        10:0 specific Ro "specific" = Meaning::Hex,
        /// Kind of the block.
        15:11 capability_type Ro "type" = BLOCK_TYPE,
    }
}

fn layout(builder: &mut Builder<'_>) {
    let Some(command) = builder.value(0x02, 2) else {
        builder.add::<Block>();
        return;
    };
    match command >> 13 {
        0 => interface::slave(builder),
        1 => interface::host(builder),
        _ => match command >> 11 {
            SWITCH => other::switch(builder),
            INTERRUPT_DISCOVERY => other::interrupt_discovery(builder),
            REVISION_ID => other::revision_id(builder),
            UNITID_CLUMPING => other::unitid_clumping(builder),
            EXTENDED_CONFIGURATION => other::extended_configuration(builder),
            ADDRESS_MAPPING => other::address_mapping(builder),
            MSI_MAPPING => other::msi_mapping(builder),
            DIRECT_ROUTE => other::direct_route(builder),
            VCSET => other::vcset(builder),
            RETRY_MODE => other::retry_mode(builder),
            _ => {
                builder.add::<Block>();
            }
        },
    }
}

#[cfg(test)]
mod tests;
