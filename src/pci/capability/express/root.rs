//! Root Control, Root Capabilities, Root Status: root ports and root complex event collectors. PCIe 6.2, 7.5.3.12 to
//! 7.5.3.14.

use crate::pci::decode::Builder;
use crate::pci::register::{Meaning, Quantity};
use crate::register;

register! {
    /// Root Control: which messages from below become system errors or interrupts.
    pub struct RootControl(u16) at 0x1c, "root_control", "RootCtl", "PCIe 6.2, 7.5.3.12" {
        /// A correctable error below, or of the port itself, is a system error.
        0 system_error_on_correctable_error_enable Rw "ErrCorrectable",
        /// A non-fatal error below, or of the port itself, is a system error.
        1 system_error_on_non_fatal_error_enable Rw "ErrNon-Fatal",
        /// A fatal error below, or of the port itself, is a system error.
        2 system_error_on_fatal_error_enable Rw "ErrFatal",
        /// PME Status raises an interrupt.
        3 pme_interrupt_enable Rw "PMEIntEna",
        /// Software sees that a device asks to retry a configuration request, as vendor ID 0001h.
        4 configuration_rrs_software_visibility_enable Rw "CRSVisible",
        /// All links below use flit mode.
        5 no_nfm_subtree_below_this_root_port Rw "NoNFM",
    }

    /// Root Capabilities.
    pub struct RootCapabilities(u16) at 0x1e, "root_capabilities", "RootCap", "PCIe 6.2, 7.5.3.13" {
        /// Can show software that a device asks to retry a configuration request.
        0 configuration_rrs_software_visibility Ro "CRSVisible",
    }

    /// Root Status: who wants to wake the system.
    pub struct RootStatus(u32) at 0x20, "root_status", "RootSta", "PCIe 6.2, 7.5.3.14" {
        /// Who sent the PME message.
        15:0 pme_requester_id Ro "PME ReqID" = Meaning::Quantity(requester_id),
        /// The requester asserted PME.
        16 pme_status Rw1c "PMEStatus",
        /// Another PME waits until PME Status is cleared.
        17 pme_pending Ro "PMEPending",
    }
}

fn requester_id(raw: u64) -> Quantity {
    Quantity::RequesterId(raw as u16)
}

pub(super) fn place(builder: &mut Builder<'_>) {
    builder.add::<RootControl>();
    builder.add::<RootCapabilities>();
    builder.add::<RootStatus>();
}
