//! Power Management, capability ID 01h. PCIe 6.2, 7.5.2; PCI Bus Power Management Interface 1.2, 3.2.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x01,
    key: "power",
    name: "Power Management",
    section: "PCIe 6.2, 7.5.2",
    layout: Some(layout),
    registers: &[Capabilities::REGISTER, ControlStatus::REGISTER, BridgeExtensions::REGISTER, Data::REGISTER],
};

/// Power states of a function (PCIe 6.2, 5.3.1). D3hot is the only D3 in which registers can be read.
const POWER_STATE: Meaning = Meaning::Choice(&[(0, "D0"), (1, "D1"), (2, "D2"), (3, "D3hot")]);

register! {
    /// Power Management Capabilities: which states the function has and from which it can wake the system.
    pub struct Capabilities(u16) at 0x02, "capabilities", "Flags", "PCIe 6.2, 7.5.2.1" {
        /// Version of the power management interface; 3 in PCI Express.
        2:0 version Ro "version",
        /// Needs the PCI clock to signal PME#; 0 in PCI Express.
        3 pme_clock Ro "PMEClk",
        /// Ready for requests at once after it returns from D3hot to D0, without the 10 ms wait.
        4 immediate_readiness_on_return_to_d0 Ro "ImmReadyD0",
        /// Needs initialisation by its driver after it returns to D0, beyond what a generic driver does.
        5 device_specific_initialization Ro "DSI",
        /// Current that the function draws from auxiliary power in D3cold while PME is enabled.
        8:6 aux_current Ro "AuxCurrent" = Meaning::Quantity(aux_current),
        /// Has the D1 state.
        9 d1_support Ro "D1",
        /// Has the D2 state.
        10 d2_support Ro "D2",
        /// Can signal PME from D0.
        11 pme_from_d0 Ro "PME(D0)",
        /// Can signal PME from D1.
        12 pme_from_d1 Ro "PME(D1)",
        /// Can signal PME from D2.
        13 pme_from_d2 Ro "PME(D2)",
        /// Can signal PME from D3hot.
        14 pme_from_d3hot Ro "PME(D3hot)",
        /// Can signal PME from D3cold, given auxiliary power.
        15 pme_from_d3cold Ro "PME(D3cold)",
    }

    /// Power Management Control/Status: the state that the function is in.
    pub struct ControlStatus(u16) at 0x04, "control_status", "Status", "PCIe 6.2, 7.5.2.2" {
        /// The state that the function is in; writing it changes the state.
        1:0 power_state Rw "PowerState" = POWER_STATE,
        /// The function keeps its configuration when it goes from D3hot to D0; if clear it needs to be set up anew.
        3 no_soft_reset Ro "NoSoftRst",
        /// May signal PME.
        8 pme_enable Rws "PME-Enable",
        /// What the Data register reports: 0 to 3 power consumed in D0 to D3, 4 to 7 power dissipated in D0 to D3,
        /// 8 power of what several functions share.
        12:9 data_select Rw "DSel",
        /// Unit of the Data register: 1, 2 and 3 are 0.1, 0.01 and 0.001 watt, 0 is unknown.
        14:13 data_scale Ro "DScale",
        /// The function wants to wake the system.
        15 pme_status Rw1cs "PME",
    }

    /// Bridge support extensions: what happens to the secondary bus in D3hot. Without meaning in PCI Express.
    pub struct BridgeExtensions(u8) at 0x06, "bridge_extensions", "Bridge", "PCI Power Management 1.2, 3.2.5" {
        /// In D3hot the secondary bus's clock is stopped (B2); if clear its power is removed (B3).
        6 b2_in_d3hot Ro "B2",
        /// The bridge controls power and clock of its secondary bus.
        7 bus_power_clock_control_enable Ro "PM",
    }

    /// Power data, of the kind that Data Select chooses.
    pub struct Data(u8) at 0x07, "data", "Data", "PCIe 6.2, 7.5.2.3" {
        /// In the unit that Data Scale gives; 0 if the register is not implemented.
        7:0 value Ro "value",
    }
}

fn aux_current(encoding: u64) -> Quantity {
    const MILLIAMPERES: [u64; 8] = [0, 55, 100, 160, 220, 270, 320, 375];
    Quantity::Milliamperes(MILLIAMPERES[(encoding & 7) as usize])
}

impl Data {
    /// Power in milliwatts, if `control` says in which unit it is.
    pub fn milliwatts(self, control: ControlStatus) -> Option<u64> {
        let unit = match control.data_scale() {
            1 => 100,
            2 => 10,
            3 => 1,
            _ => return None,
        };
        (control.data_select() <= 8).then(|| u64::from(self.0) * unit)
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 4);
    builder.add::<Capabilities>();
    builder.add::<ControlStatus>();
    // CardBus bridges have it too (PCI Bus Power Management Interface for PCI to CardBus Bridges 1.0).
    if matches!(builder.context.header_layout, 1 | 2) {
        builder.add::<BridgeExtensions>();
    }
    builder.add::<Data>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, decode_in, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    const BYTES: [u8; 8] = [0x01, 0, 0xc3, 0xf9, 0x0b, 0xa1, 0x80, 0x32];

    #[test]
    fn decodes_every_field() {
        let (capability, anomalies) = decode(Context::default(), &BYTES);
        assert!(anomalies.is_empty());
        assert_eq!(placed(&capability), [("capabilities", 2), ("control_status", 4), ("data", 7)]);
        let flags: Capabilities = capability.get().unwrap();
        assert_eq!((flags.version(), flags.aux_current()), (3, 7));
        assert_eq!(aux_current(7), Quantity::Milliamperes(375));
        assert!(flags.pme_from_d0() && flags.pme_from_d3cold() && !flags.d1_support());
        let control: ControlStatus = capability.get().unwrap();
        assert_eq!((control.power_state(), control.data_select(), control.data_scale()), (3, 0, 1));
        assert!(control.no_soft_reset() && control.pme_enable() && control.pme_status());
        assert_eq!(capability.get::<Data>().unwrap().milliwatts(control), Some(5000));
        assert_eq!(Data(50).milliwatts(ControlStatus(0)), None, "a scale of 0 is unknown");
    }

    #[test]
    fn bridges_have_the_extensions() {
        let context = Context { header_layout: 1, ..Context::default() };
        let (capability, _) = decode(context, &BYTES);
        let bridge: BridgeExtensions = capability.get().unwrap();
        assert!(bridge.bus_power_clock_control_enable() && !bridge.b2_in_d3hot());
        assert_eq!(reads(context, &BYTES), [(4, 4)]);
    }

    #[test]
    fn what_cannot_be_read_has_no_value() {
        let mut space = vec![0; 0x44];
        space[0x40..].copy_from_slice(&BYTES[..4]);
        let (capability, _) = decode_in(Context::default(), &space);
        assert_eq!(capability.get::<Capabilities>(), Some(Capabilities(0xf9c3)));
        assert_eq!(capability.get::<ControlStatus>(), None);
        assert_eq!(capability.registers.len(), 3, "it is still named");
    }
}
