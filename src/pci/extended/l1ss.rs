//! L1 PM Substates, extended capability ID 001Eh. PCIe 6.2, 7.8.3.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::ltr_latency;
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x1e,
    key: "l1ss",
    name: "L1 PM Substates",
    section: "PCIe 6.2, 7.8.3",
    layout: Some(layout),
    registers: &[Capabilities::REGISTER, Control1::REGISTER, Control2::REGISTER, Status::REGISTER],
};

/// Scale of T_POWER_ON.
const POWER_ON_SCALE: Meaning = Meaning::Choice(&[(0, "2 µs"), (1, "10 µs"), (2, "100 µs")]);
/// Scale of LTR_L1.2_THRESHOLD.
const THRESHOLD_SCALE: Meaning = Meaning::Choice(&[
    (0, "1 ns"),
    (1, "32 ns"),
    (2, "1024 ns"),
    (3, "32768 ns"),
    (4, "1048576 ns"),
    (5, "33554432 ns"),
]);

register! {
    /// Which substates the port has and how long it needs to leave them.
    pub struct Capabilities(u32) at 0x04, "capabilities", "L1SubCap", "PCIe 6.2, 7.8.3.2" {
        /// Can be in L1.2 when software put the device into D1 to D3hot.
        0 pci_pm_l1_2_supported HwInit "PCI-PM_L1.2",
        /// Can be in L1.1 when software put the device into D1 to D3hot.
        1 pci_pm_l1_1_supported HwInit "PCI-PM_L1.1",
        /// Can be in L1.2 when the link is idle.
        2 aspm_l1_2_supported HwInit "ASPM_L1.2",
        /// Can be in L1.1 when the link is idle.
        3 aspm_l1_1_supported HwInit "ASPM_L1.1",
        /// Has L1 PM Substates at all.
        4 l1_pm_substates_supported HwInit "L1_PM_Substates",
        /// Can be told to bring the link back and to report when it is back.
        5 link_activation_supported HwInit "LinkActivation",
        /// Time this port needs to restore common mode.
        15:8 port_common_mode_restore_time HwInit "PortCommonModeRestoreTime" = Meaning::Quantity(microseconds),
        /// Unit of Port T_POWER_ON Value.
        17:16 port_t_power_on_scale HwInit "PortTPowerOnScale" = POWER_ON_SCALE,
        /// Time that the other port has to wait after leaving L1.2 before it drives the interface, in units of the scale.
        23:19 port_t_power_on_value HwInit "PortTPowerOnTime" = Meaning::OfRegister(|raw| Capabilities(raw as u32).port_t_power_on()),
    }
    /// Which substates are on.
    pub struct Control1(u32) at 0x08, "control_1", "L1SubCtl1", "PCIe 6.2, 7.8.3.3" {
        /// Lets the link be in L1.2 when software put the device into D1 to D3hot.
        0 pci_pm_l1_2_enable Rw "PCI-PM_L1.2",
        /// Lets the link be in L1.1 when software put the device into D1 to D3hot.
        1 pci_pm_l1_1_enable Rw "PCI-PM_L1.1",
        /// Lets the link be in L1.2 when it is idle.
        2 aspm_l1_2_enable Rw "ASPM_L1.2",
        /// Lets the link be in L1.1 when it is idle.
        3 aspm_l1_1_enable Rw "ASPM_L1.1",
        /// Interrupts when the link is back.
        4 link_activation_interrupt_enable Rw "LinkActivationInt",
        /// Brings the link back from L1 and keeps it there.
        5 link_activation_control Rw "LinkActivationCtl",
        /// Time that a downstream port takes to restore common mode.
        15:8 common_mode_restore_time Rw "T_CommonMode" = Meaning::Quantity(microseconds),
        /// The link goes to L1.2 only where Latency Tolerance Reporting allows at least this latency, in units of the scale.
        25:16 ltr_l1_2_threshold_value Rw "LTR1.2_Threshold" = Meaning::OfRegister(|raw| Control1(raw as u32).ltr_l1_2_threshold()),
        /// Unit of LTR_L1.2_THRESHOLD Value.
        31:29 ltr_l1_2_threshold_scale Rw "LTR1.2_Scale" = THRESHOLD_SCALE,
    }
    /// How long the port waits after leaving L1.2.
    pub struct Control2(u32) at 0x0c, "control_2", "L1SubCtl2", "PCIe 6.2, 7.8.3.4" {
        /// Unit of T_POWER_ON Value.
        1:0 t_power_on_scale Rw "T_PwrOnScale" = POWER_ON_SCALE,
        /// Time that the port waits before it drives the interface, in units of the scale.
        7:3 t_power_on_value Rw "T_PwrOn" = Meaning::OfRegister(|raw| Control2(raw as u32).t_power_on()),
    }
    /// Whether the link is back. It exists only where link activation is supported.
    pub struct Status(u32) at 0x10, "status", "L1SubSta", "PCIe 6.2, 7.8.3.5" {
        /// The link came back after software asked for it.
        0 link_activation_status Rw1c "LinkActivation",
    }
}

fn microseconds(value: u64) -> Quantity {
    Quantity::Nanoseconds(Some(value * 1000))
}

/// T_POWER_ON out of its value and scale; scale 3 is reserved.
pub fn t_power_on(value: u32, scale: u32) -> Quantity {
    let unit = [2_000, 10_000, 100_000].get(scale as usize);
    Quantity::Nanoseconds(unit.map(|nanoseconds| u64::from(value) * nanoseconds))
}

impl Capabilities {
    /// Port T_POWER_ON.
    pub fn port_t_power_on(self) -> Quantity {
        t_power_on(self.port_t_power_on_value(), self.port_t_power_on_scale())
    }
}

impl Control1 {
    /// LTR_L1.2_THRESHOLD; scales 6 and 7 are reserved.
    pub fn ltr_l1_2_threshold(self) -> Quantity {
        ltr_latency(u64::from(self.ltr_l1_2_threshold_value() | self.ltr_l1_2_threshold_scale() << 10))
    }
}

impl Control2 {
    /// T_POWER_ON.
    pub fn t_power_on(self) -> Quantity {
        t_power_on(self.t_power_on_value(), self.t_power_on_scale())
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 12);
    let capabilities = builder.add::<Capabilities>();
    builder.add::<Control1>();
    builder.add::<Control2>();
    if capabilities.is_some_and(Capabilities::link_activation_supported) {
        builder.add::<Status>();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn times_come_out_of_value_and_scale() {
        let decoded = Case::new(0x1e).body(&[0x0028_0a1f, 0x40a0_3c0f, 0x0000_0031]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12));
        assert_eq!(decoded.field("capabilities.l1_pm_substates_supported"), 1);
        assert_eq!(decoded.field("capabilities.port_common_mode_restore_time"), 10);
        let capabilities = decoded.capability.get::<Capabilities>().unwrap();
        assert_eq!(capabilities.port_t_power_on(), Quantity::Nanoseconds(Some(10_000)));
        let control = decoded.capability.get::<Control1>().unwrap();
        assert_eq!(control.common_mode_restore_time(), 60);
        assert_eq!(control.ltr_l1_2_threshold(), Quantity::Nanoseconds(Some(163_840)));
        let control = decoded.capability.get::<Control2>().unwrap();
        assert_eq!(control.t_power_on(), Quantity::Nanoseconds(Some(60_000)));
        assert_eq!(decoded.paths().len(), 3);
    }

    #[test]
    fn reserved_scales_have_no_value() {
        assert_eq!(Control2(0x0b).t_power_on(), Quantity::Nanoseconds(None));
        assert_eq!(Control1(0xc001_0000).ltr_l1_2_threshold(), Quantity::Nanoseconds(None));
    }

    #[test]
    fn the_status_register_comes_with_link_activation() {
        let decoded = Case::new(0x1e).body(&[0x20, 0x30, 0, 1]).decode();
        assert_eq!(decoded.field("status.link_activation_status"), 1);
        assert_eq!(decoded.field("control_1.link_activation_control"), 1);
        let short = Case::new(0x1e).body(&[0x20, 0x30, 0, 1]).limit(0x110).decode();
        assert_eq!((short.raw("control_2"), short.raw("status")), (Some(0), None));
    }
}
