//! The small CXL capabilities: Non-CXL Function Map (DVSEC ID 2, CXL 3.1, 8.1.4), MLD (ID 9, 8.1.10) and Test Capability
//! (ID 0Ah, 14.16.1).

use super::Body;
use crate::pci::register::Meaning;
use crate::register;

register! {
    /// Which functions of the device do not speak CXL.cache and CXL.mem: 32 of 256.
    pub struct FunctionMap(u32) at 0x0c in "non_cxl_function_map", "functions", "FuncMap", "CXL 3.1, 8.1.4.1" {
        /// One bit a function.
        31:0 non_cxl_functions HwInit "NonCXL" = Meaning::Hex,
    }
    /// How many logical devices there are, besides the one of the fabric manager.
    pub struct NumberOfLds(u16) at 0x0a, "number_of_lds_supported", "NumLogDevs", "CXL 3.1, 8.1.10.1" {
        /// 1 to 16.
        15:0 number HwInit "NumLogDevs",
    }
    /// Resets logical devices.
    pub struct LdIdHotResetVector(u16) at 0x0c, "ld_id_hot_reset_vector", "LDHotReset", "CXL 3.1, 8.1.10.2" {
        /// One bit a logical device: resets it when 1 is written. Reads as 0.
        15:0 vector Wo "Vector" = Meaning::Hex,
    }
    /// Whether the test registers can still be moved.
    pub struct TestLock(u16) at 0x0a, "cxl_test_lock", "TestLock", "CXL 3.1, 14.16.1" {
        /// They cannot. Can be set once.
        0 test_lock Rw "Lock",
    }
    /// What can be tested; not decoded, CXL 3.1 describes no bits.
    pub struct TestCapability1(u32) at 0x0c, "cxl_test_capability_1", "TestCap1", "CXL 3.1, 14.16.1" {
        /// All 32 bits.
        31:0 bits Ro "bits" = Meaning::Hex,
    }
    /// What can be tested; not decoded, CXL 3.1 describes no bits.
    pub struct TestCapability2(u16) at 0x10, "cxl_test_capability_2", "TestCap2", "CXL 3.1, 14.16.1" {
        /// All 16 bits.
        15:0 bits Ro "bits" = Meaning::Hex,
    }
    /// Where the test registers are.
    pub struct TestConfigurationBaseLow(u32) at 0x14, "cxl_test_configuration_base_low", "TestBaseLow", "CXL 3.1, 14.16.1" {
        /// 0: they are in memory space.
        0 memory_space_indicator Ro "IO",
        /// Where in memory space they can be.
        2:1 base_register_type Ro "Type" = Meaning::Choice(&[(0, "32-bit"), (2, "64-bit")]),
        /// Address bits 31:4.
        31:4 base_low Rw "BaseLow" = Meaning::Hex,
    }
    /// The upper half of that address.
    pub struct TestConfigurationBaseHigh(u32) at 0x18, "cxl_test_configuration_base_high", "TestBaseHigh", "CXL 3.1, 14.16.1" {
        /// Address bits 63:32.
        31:0 base_high Rw "BaseHigh" = Meaning::Hex,
    }
}

/// Registers of the function map.
const FUNCTION_MAPS: u16 = 8;

/// Places the registers of a function map; gives how many bytes they need.
pub(super) fn function_map(body: &mut Body<'_, '_>) -> u16 {
    const NEEDED: u16 = 0x0c + 4 * FUNCTION_MAPS;
    body.load(NEEDED);
    for index in 0..FUNCTION_MAPS {
        body.add_in::<FunctionMap>(index, 0x0c + 4 * index);
    }
    NEEDED
}

/// Places the registers of a multi-logical device; gives how many bytes they need.
pub(super) fn multi_logical_device(body: &mut Body<'_, '_>) -> u16 {
    const NEEDED: u16 = 0x0e;
    body.load(NEEDED);
    body.add::<NumberOfLds>();
    body.add::<LdIdHotResetVector>();
    NEEDED
}

/// Places the registers of the test capability; gives how many bytes they need.
pub(super) fn test(body: &mut Body<'_, '_>) -> u16 {
    const NEEDED: u16 = 0x1c;
    body.load(NEEDED);
    body.add::<TestLock>();
    body.add::<TestCapability1>();
    body.add::<TestCapability2>();
    body.add::<TestConfigurationBaseLow>();
    body.add::<TestConfigurationBaseHigh>();
    NEEDED
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_fields, cxl, wrong_length};

    /// All 32 bits of each; lspci shows 16.
    #[test]
    fn a_function_map() {
        let decoded = cxl(2, 0, 0x2c, &[0, 0xdead_beef, 2, 3, 4, 5, 6, 7, 0x8000_0000]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 8 + 32));
        assert_fields(
            &decoded,
            &[
                ("non_cxl_function_map[0].functions.non_cxl_functions", 0xdead_beef),
                ("non_cxl_function_map[1].functions.non_cxl_functions", 2),
                ("non_cxl_function_map[7].functions.non_cxl_functions", 0x8000_0000),
            ],
        );
        assert!(decoded.anomalies.is_empty());
        let short = cxl(2, 0, 0x10, &[0, 0xdead_beef, 2]).decode();
        assert_eq!((short.reads, short.read_bytes), (2, 12));
        assert_eq!(short.paths()[2..], ["non_cxl_function_map[0].functions"]);
        assert_eq!(short.anomalies, wrong_length(0, 0x10));
    }

    #[test]
    fn a_multi_logical_device() {
        let decoded = cxl(9, 0, 0x10, &[0x0010_0000, 0]).decode();
        assert_fields(
            &decoded,
            &[("number_of_lds_supported.number", 16), ("ld_id_hot_reset_vector.vector", 0)],
        );
        assert_eq!(cxl(9, 0, 0x0c, &[0x0010_0000]).decode().anomalies, wrong_length(0, 0x0c));
    }

    #[test]
    fn a_test_capability() {
        let decoded = cxl(0xa, 0, 0x1c, &[0x0001_0000, 7, 0x0009, 0x8000_0004, 1]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 24));
        assert_fields(
            &decoded,
            &[
                ("cxl_test_lock.test_lock", 1),
                ("cxl_test_capability_1.bits", 7),
                ("cxl_test_capability_2.bits", 9),
                ("cxl_test_configuration_base_low.memory_space_indicator", 0),
                ("cxl_test_configuration_base_low.base_register_type", 2),
                ("cxl_test_configuration_base_low.base_low", 0x800_0000),
                ("cxl_test_configuration_base_high.base_high", 1),
            ],
        );
        let short = cxl(0xa, 0, 0x16, &[0; 6]).decode();
        assert_eq!(short.paths().len(), 2 + 3);
        assert_eq!(short.anomalies, wrong_length(0, 0x16));
    }
}
