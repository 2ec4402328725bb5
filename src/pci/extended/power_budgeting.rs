//! Power Budgeting, extended capability ID 0004h. PCIe 6.2, 7.8.1.
//!
//! The data register shows one entry of a list: the one that Data Select holds. The others can be read only after writing
//! their index there, which is not done.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x04,
    key: "power_budgeting",
    name: "Power Budgeting",
    section: "PCIe 6.2, 7.8.1",
    layout: Some(layout),
    registers: &[
        PowerBudgetingDataSelect::REGISTER,
        PowerBudgetingControl::REGISTER,
        PowerBudgetingData::REGISTER,
        PowerBudgetingCapability::REGISTER,
    ],
};

/// Data Scale[1:0].
const DATA_SCALE: Meaning = Meaning::Choice(&[(0, "1.0x"), (1, "0.1x"), (2, "0.01x"), (3, "0.001x")]);
/// PM State.
const PM_STATE: Meaning = Meaning::Choice(&[(0, "D0"), (1, "D1"), (2, "D2"), (3, "D3")]);
/// Type of the operating condition.
const TYPE: Meaning = Meaning::Choice(&[
    (0, "PME auxiliary"),
    (1, "auxiliary"),
    (2, "idle"),
    (3, "sustained"),
    (4, "sustained in emergency power reduction"),
    (5, "maximum in emergency power reduction"),
    (7, "maximum"),
]);
/// Power Rail.
const POWER_RAIL: Meaning = Meaning::Choice(&[
    (0, "12 V"),
    (1, "3.3 V"),
    (2, "1.5 V or 1.8 V"),
    (4, "48 V"),
    (5, "5 V"),
    (7, "thermal"),
]);
/// Power Disable Supported.
const POWER_DISABLE: Meaning =
    Meaning::Choice(&[(0, "not reported"), (1, "supported"), (2, "supported, abbreviated assertion time")]);
/// Power Loss Notification Supported.
const POWER_LOSS: Meaning =
    Meaning::Choice(&[(0, "not reported"), (1, "without acknowledgement"), (2, "with acknowledgement")]);

register! {
    /// Which entry the data register shows. The other entries are not shown: reading them needs a write here.
    pub struct PowerBudgetingDataSelect(u8) at 0x04, "data_select", "PwrDataSel", "PCIe 6.2, 7.8.1.2" {
        /// Index of the entry; what it is at first is not defined.
        7:0 index Rw "DataSelect",
    }
    /// What the device may draw beyond its form factor.
    pub struct PowerBudgetingControl(u16) at 0x06, "control", "PwrCtl", "PCIe 6.2, 7.8.1.3" {
        /// Bits 31:21 of the data register and the sense data may be other than zero.
        0 extended_power_budgeting_enable Rw "ExtPwrBudgetEn",
        /// Power Limit PM Sub State counts.
        1 power_limit_enable Rws "PwrLimitEn",
        /// Sub state that software chose for the device.
        4:2 power_limit_pm_sub_state Rws "PwrLimitPMSubState",
        /// Out of Band Power Limit PM Sub State counts.
        5 out_of_band_power_limit_enable HwInit "OOBPwrLimitEn",
        /// Sub state that was chosen for the device by other ways than configuration writes.
        8:6 out_of_band_power_limit_pm_sub_state HwInit "OOBPwrLimitPMSubState",
    }
    /// Power of the device in one operating condition; all zero behind the last entry.
    pub struct PowerBudgetingData(u32) at 0x08, "data", "PwrData", "PCIe 6.2, 7.8.1.4" {
        /// Watts, to be multiplied by the data scale; F0h and up have a meaning of their own where the scale is 1.0x.
        7:0 base_power Ro "BasePower",
        /// Factor for the base power.
        9:8 data_scale Ro "Scale" = DATA_SCALE,
        /// Power management sub state; 0 is the default one, the others are up to the device.
        12:10 pm_sub_state Ro "PMSubState",
        /// Power management state; D3 means D3cold with the two auxiliary types, D3hot with all others.
        14:13 pm_state Ro "PMState" = PM_STATE,
        /// Operating condition.
        17:15 operating_condition_type Ro "Type" = TYPE,
        /// Which rail the power is drawn from, or the heat.
        20:18 power_rail Ro "Rail" = POWER_RAIL,
        /// Bit 2 of the data scale: with it the factors are 10x and 100x.
        21 data_scale_2 Ro "Scale[2]",
        /// Which power connector of the card it is.
        24:22 connector_number Ro "Connector",
        /// What kind of connector it is.
        30:25 connector_type Ro "ConnectorType" = Meaning::Hex,
        /// Connector number and type hold something.
        31 extended_power_budgeting_present Ro "ExtPwrBudget",
    }
    /// What the device can report, and in bits 31:8, the Power Budgeting Sense Detect Register, what its power connectors see.
    pub struct PowerBudgetingCapability(u32) at 0x0c, "capability", "PwrCap", "PCIe 6.2, 7.8.1.5 and 7.8.1.6" {
        /// The system's power budget includes the device already: ignore its data.
        0 system_allocated HwInit "SysAlloc",
        /// Extended Power Budgeting Enable has an effect.
        1 extended_power_budgeting_supported HwInit "ExtPwrBudget",
        /// The sense data of the connectors hold something.
        2 power_budgeting_sense_detect_supported HwInit "SenseDetect",
        /// The power limit fields of the control register have an effect.
        3 power_limit_supported HwInit "PwrLimit",
        /// Whether the form factor's Power Disable works, and how fast.
        5:4 power_disable_supported HwInit "PwrDis" = POWER_DISABLE,
        /// Whether the device can be told of a coming loss of power.
        7:6 power_loss_notification_supported HwInit "PwrLossNotify" = POWER_LOSS,
        /// Sense data of connector 0; what they mean depends on the type of the connector.
        10:8 connector_0_sense_data Ro "Sense0" = Meaning::Hex,
        /// Sense data of connector 1.
        13:11 connector_1_sense_data Ro "Sense1" = Meaning::Hex,
        /// Sense data of connector 2.
        16:14 connector_2_sense_data Ro "Sense2" = Meaning::Hex,
        /// Sense data of connector 3.
        19:17 connector_3_sense_data Ro "Sense3" = Meaning::Hex,
        /// Sense data of connector 4.
        22:20 connector_4_sense_data Ro "Sense4" = Meaning::Hex,
        /// Sense data of connector 5.
        25:23 connector_5_sense_data Ro "Sense5" = Meaning::Hex,
        /// Sense data of connector 6.
        28:26 connector_6_sense_data Ro "Sense6" = Meaning::Hex,
        /// Sense data of connector 7.
        31:29 connector_7_sense_data Ro "Sense7" = Meaning::Hex,
    }
}

impl PowerBudgetingData {
    /// The power; at most so much where the base power is F0h to FEh and the scale 1.0x. `None` for reserved encodings.
    /// `extended` is Extended Power Budgeting Enable.
    pub fn milliwatts(self, extended: bool) -> Option<u32> {
        let power = self.base_power();
        match (self.data_scale_2(), self.data_scale()) {
            (false, 0) if power >= 0xf0 && !extended => {
                (power != 0xff).then_some(250_000 + 25_000 * (power - 0xf0))
            }
            (false, 0) => Some(power * 1000),
            (false, 1) => Some(power * 100),
            (false, 2) => Some(power * 10),
            (false, _) => Some(power),
            (true, 0) => Some(power * 10_000),
            (true, 1) => Some(power * 100_000),
            (true, _) => None,
        }
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 12);
    builder.add::<PowerBudgetingDataSelect>();
    builder.add::<PowerBudgetingControl>();
    builder.add::<PowerBudgetingData>();
    builder.add::<PowerBudgetingCapability>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    /// 21.5 W from 12 V at most in D0, through a 12VHPWR connector that is plugged in.
    #[test]
    fn one_entry_of_the_list() {
        let data = 0xd7 | 1 << 8 | 7 << 15 | 2 << 22 | 0x09 << 25 | 1 << 31;
        let capability = 0b1001_0111 | 0b101 << 14;
        let decoded = Case::new(0x04).body(&[0x0101_0003, data, capability]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12));
        for (path, value) in [
            ("data_select.index", 3),
            ("control.extended_power_budgeting_enable", 1),
            ("control.power_limit_enable", 0),
            ("control.out_of_band_power_limit_pm_sub_state", 4),
            ("data.base_power", 215),
            ("data.data_scale", 1),
            ("data.pm_state", 0),
            ("data.operating_condition_type", 7),
            ("data.power_rail", 0),
            ("data.connector_number", 2),
            ("data.connector_type", 9),
            ("data.extended_power_budgeting_present", 1),
            ("capability.system_allocated", 1),
            ("capability.power_limit_supported", 0),
            ("capability.power_disable_supported", 1),
            ("capability.power_loss_notification_supported", 2),
            ("capability.connector_1_sense_data", 0),
            ("capability.connector_2_sense_data", 5),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        let data = decoded.capability.get::<PowerBudgetingData>().unwrap();
        assert_eq!(data.milliwatts(true), Some(21_500));
        assert_eq!(decoded.paths(), ["data_select", "control", "data", "capability"]);
    }

    #[test]
    fn watts() {
        let power = |raw| PowerBudgetingData(raw).milliwatts(false);
        assert_eq!([0x00ef, 0x00f0, 0x00f2, 0x00fe].map(power), [239, 250, 300, 600].map(|w| Some(w * 1000)));
        assert_eq!([0x00ff, 0x02ff, 0x03ff].map(power), [None, Some(2550), Some(255)]);
        assert_eq!(PowerBudgetingData(0x00f0).milliwatts(true), Some(240_000));
        assert_eq!(PowerBudgetingData(0x0020_013c).milliwatts(true), Some(6_000_000));
        assert_eq!(PowerBudgetingData(0x0020_023c).milliwatts(true), None);
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x04).limit(0x108).decode();
        assert_eq!((decoded.raw("control"), decoded.raw("data")), (Some(0), None));
        assert_eq!(decoded.paths().len(), 4);
    }
}
