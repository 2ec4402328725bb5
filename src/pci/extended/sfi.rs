//! System Firmware Intermediary, extended capability ID 002Ch. PCIe 6.2, 7.9.22.
//!
//! The last register, SFI CAM Data at 10h, is not read: reading it sends a configuration request down the link.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x2c,
    key: "sfi",
    name: "System Firmware Intermediary",
    section: "PCIe 6.2, 7.9.22",
    layout: Some(layout),
    registers: &[Capability::REGISTER, Control::REGISTER, Status::REGISTER, CamAddress::REGISTER],
};

register! {
    /// What firmware can learn of the slot.
    pub struct Capability(u16) at 0x04, "capability", "SFICap", "PCIe 6.2, 7.9.22.2" {
        /// Can tell out of band whether something is in the slot.
        0 sfi_oob_pd_supported HwInit "OOBPD",
    }
    /// What firmware hides from the operating system, and of what it is told.
    pub struct Control(u16) at 0x06, "control", "SFICtl", "PCIe 6.2, 7.9.22.3" {
        /// Presence Detect State in Slot Status reads as 0.
        0 sfi_pd_state_mask Rw "PDMask",
        /// Data Link Layer Link Active in Link Status reads as 0.
        1 sfi_dll_state_mask Rw "DLLMask",
        /// Sends ERR_COR when out-of-band presence changes.
        2 sfi_oob_pd_changed_enable Rw "OOBPDChgEn",
        /// Sends ERR_COR when the data link layer goes up or down.
        3 sfi_dll_state_changed_enable Rw "DLLChgEn",
        /// Which requests to what is below the port are treated as if the link were down.
        5:4 sfi_dpf_control Rw "DPF" = Meaning::Choice(&[
            (0, "none"),
            (1, "all requests"),
            (2, "configuration requests"),
        ]),
        /// Hot-Plug Surprise in Slot Capabilities reads as 0, and its function is off.
        6 sfi_hps_suppress Rw "HPSSuppress",
        /// DRS Message Received in Link Status 2 reads as 0.
        7 sfi_drs_mask Rw "DRSMask",
        /// Sends ERR_COR when a Device Readiness Status message was received.
        8 sfi_drs_signaling_enable Rw "DRSSigEn",
        /// Behaves as if a Device Readiness Status message had been received when 1 is written.
        9 sfi_drs_trigger Wo "DRSTrigger",
    }
    /// What is really the case, whatever is hidden.
    pub struct Status(u32) at 0x08, "status", "SFISta", "PCIe 6.2, 7.9.22.4" {
        /// Something is in the slot.
        0 sfi_pd_state Ro "PD",
        /// Something is in the slot, as told out of band.
        1 sfi_oob_pd_state Ro "OOBPD",
        /// Out-of-band presence changed.
        2 sfi_oob_pd_changed Rw1c "OOBPDChg",
        /// The data link layer is active.
        3 sfi_dll_state Ro "DLL",
        /// The data link layer went up or down.
        4 sfi_dll_state_changed Rw1c "DLLChg",
        /// A Device Readiness Status message was received.
        5 sfi_drs_received Rw1c "DRS",
    }
    /// Where the next access to SFI CAM Data goes.
    pub struct CamAddress(u32) at 0x0c, "cam_address", "SFICAMAddr", "PCIe 6.2, 7.9.22.5" {
        /// Bus, device, function and register, as in an ECAM address.
        27:0 sfi_cam_address Rw "Address" = Meaning::Hex,
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x0c);
    builder.add::<Capability>();
    builder.add::<Control>();
    builder.add::<Status>();
    builder.add::<CamAddress>();
    builder.reaches(0x14);
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn everything_but_the_data_register_is_read() {
        let body = [0x0162_0001, 0x0000_002b, 0x0010_8004, 0xdead_beef];
        let decoded = Case::new(0x2c).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12), "reading 10h is a request on the link");
        for (path, value) in [
            ("capability.sfi_oob_pd_supported", 1),
            ("control.sfi_pd_state_mask", 0),
            ("control.sfi_dll_state_mask", 1),
            ("control.sfi_dpf_control", 2),
            ("control.sfi_hps_suppress", 1),
            ("control.sfi_drs_mask", 0),
            ("control.sfi_drs_signaling_enable", 1),
            ("status.sfi_pd_state", 1),
            ("status.sfi_oob_pd_state", 1),
            ("status.sfi_oob_pd_changed", 0),
            ("status.sfi_dll_state", 1),
            ("status.sfi_drs_received", 1),
            ("cam_address.sfi_cam_address", 0x10_8004),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 4);
        assert_eq!(decoded.capability.end, 0x114);
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x2c).limit(0x108).decode();
        assert_eq!((decoded.raw("control"), decoded.raw("status")), (Some(0), None));
    }
}
