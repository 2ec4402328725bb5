//! PCIe DVSEC for CXL Devices, DVSEC ID 0. CXL 3.1, 8.1.3.

use super::Body;
use crate::pci::register::{Meaning, Quantity};
use crate::register;

register! {
    /// Which of the CXL protocols the device speaks.
    pub struct Capability(u16) at 0x0a, "cxl_capability", "CXLCap", "CXL 3.1, 8.1.3.1" {
        /// Speaks CXL.cache.
        0 cache_capable Ro "Cache",
        /// Speaks CXL.io; always so.
        1 io_capable Ro "IO",
        /// Speaks CXL.mem.
        2 mem_capable Ro "Mem",
        /// Makes its memory ready by itself.
        3 mem_hwinit_mode Ro "MemHWInit",
        /// Ranges of memory.
        5:4 hdm_count Ro "HDMCount" = Meaning::Choice(&[(0, "0"), (1, "1"), (2, "2")]),
        /// Can write back and empty its cache when told to.
        6 cache_writeback_and_invalidate_capable Ro "CacheWB&Inval",
        /// Can be reset by CXL Reset.
        7 cxl_reset_capable Ro "Rst",
        /// How long a CXL Reset may take.
        10:8 cxl_reset_timeout Ro "RstTimeout" = Meaning::Quantity(reset_timeout),
        /// Can clear its volatile memory during a CXL Reset.
        11 cxl_reset_mem_clr_capable HwInit "RstMemClr",
        /// Can keep memory for trusted execution environments; since revision 3.
        12 tsp_capable HwInit "TSP",
        /// Is one logical device of several.
        13 multiple_logical_device HwInit "MLD",
        /// Understands Viral, the sign that an error is spreading.
        14 viral_capable Ro "Viral",
        /// Can tell when power management is initialised.
        15 pm_init_completion_reporting_capable HwInit "PMInitCmpl",
    }
    /// Which of the CXL protocols are in use, and what the device is told of the host.
    pub struct Control(u16) at 0x0c, "cxl_control", "CXLCtl", "CXL 3.1, 8.1.3.2" {
        /// CXL.cache is in use.
        0 cache_enable Rw "Cache",
        /// CXL.io is in use; always so.
        1 io_enable Ro "IO",
        /// CXL.mem is in use.
        2 mem_enable Rw "Mem",
        /// How much the host's snoop filter covers; 0 for nothing.
        7:3 cache_sf_coverage Rw "CacheSFCov" = Meaning::Quantity(snoop_filter_coverage),
        /// How finely the host tracks.
        10:8 cache_sf_granularity Rw "CacheSFGran" = Meaning::Quantity(snoop_filter_granularity),
        /// The host does without being told of clean lines that leave the cache.
        11 cache_clean_eviction Rw "CacheClean",
        /// May reach the memory of other devices directly; since revision 3.
        12 direct_p2p_mem_enable Rw "DirectP2PMem",
        /// Heeds Viral.
        14 viral_enable Rw "Viral",
    }
    /// Whether something spread.
    pub struct Status(u16) at 0x0e, "cxl_status", "CXLSta", "CXL 3.1, 8.1.3.3" {
        /// There was a Viral condition.
        14 viral_status Rw1cs "Viral",
    }
    /// What the device is told to do. Since revision 1.
    pub struct Control2(u16) at 0x10, "cxl_control_2", "CXLCtl2", "CXL 3.1, 8.1.3.4" {
        /// Does not take new modified lines into its cache.
        0 disable_caching Rw "DisableCaching",
        /// Writes back and empties its cache when 1 is written.
        1 initiate_cache_write_back_and_invalidation Wo "InitCacheWB&Inval",
        /// Begins a CXL Reset when 1 is written.
        2 initiate_cxl_reset Wo "InitRst",
        /// A CXL Reset clears volatile memory.
        3 cxl_reset_mem_clr_enable Rw "RstMemClrEn",
        /// Volatile memory is to survive a hot reset; since revision 2.
        4 desired_volatile_hdm_state_after_hot_reset Rws "DesiredVolatileHDMStateAfterHotReset",
        /// May answer with modified data; since revision 3.
        5 modified_completion_enable Rw "ModifiedCmplEn",
    }
    /// How far the device came with it. Since revision 1.
    pub struct Status2(u16) at 0x12, "cxl_status_2", "CXLSta2", "CXL 3.1, 8.1.3.5" {
        /// Its cache is empty and stays so.
        0 cache_invalid Ro "CacheInvalid",
        /// A CXL Reset was completed.
        1 cxl_reset_complete Ro "ResetComplete",
        /// A CXL Reset ended with an error.
        2 cxl_reset_error Ro "ResetError",
        /// Volatile memory should have survived a hot reset and did not; since revision 2.
        3 volatile_hdm_preservation_error Rw1cs "HDMPreservationError",
        /// Power management is initialised.
        15 power_management_initialization_complete Ro "PMComplete",
    }
    /// Whether settings can still be changed.
    pub struct Lock(u16) at 0x14, "cxl_lock", "CXLLock", "CXL 3.1, 8.1.3.6" {
        /// Most of the control register is read-only until the next reset. Can be set once.
        0 config_lock Rw "Lock",
    }
    /// The device's cache, and what it can do besides. Since revision 1.
    pub struct Capability2(u16) at 0x16, "cxl_capability_2", "CXLCap2", "CXL 3.1, 8.1.3.7" {
        /// Unit of the cache's size.
        3:0 cache_size_unit Ro "CacheUnit" = Meaning::Choice(&[(0, "not reported"), (1, "64 KiB"), (2, "1 MiB")]),
        /// What a device that speaks both CXL.cache and CXL.mem can fall back to; since revision 2.
        5:4 fallback_capability HwInit "Fallback" = Meaning::Choice(&[
            (0, "none"),
            (1, "PCIe"),
            (2, "CXL type 1"),
            (3, "CXL type 3"),
        ]),
        /// Can answer with modified data; since revision 3.
        6 modified_completion_capable HwInit "ModifiedCmpl",
        /// Never writes back clean lines; since revision 3.
        7 no_clean_writeback HwInit "NoCleanWB",
        /// Size of the cache in that unit.
        15:8 cache_size Ro "CacheSize" = Meaning::OfRegister(|raw| Quantity::Bytes(Capability2(raw as u16).cache_bytes())),
    }
    /// How large a range of memory is: the upper half.
    pub struct RangeSizeHigh(u32) at 0x18 in "cxl_range", "size_high", "RangeSizeHigh", "CXL 3.1, 8.1.3.8.1" {
        /// Size bits 63:32.
        31:0 memory_size_high Ro "SizeHigh" = Meaning::Hex,
    }
    /// How large a range of memory is, how it is and of what kind.
    pub struct RangeSizeLow(u32) at 0x1c in "cxl_range", "size_low", "RangeSizeLow", "CXL 3.1, 8.1.3.8.2" {
        /// The size is known.
        0 memory_info_valid Ro "Valid",
        /// The memory is ready.
        1 memory_active Ro "Active",
        /// What the memory is made of.
        4:2 media_type Ro "Type" = Meaning::Choice(&[(0, "volatile"), (1, "non-volatile"), (2, "see CDAT")]),
        /// What the memory is meant for.
        7:5 memory_class Ro "Class" = Meaning::Choice(&[(0, "DRAM"), (1, "storage"), (2, "see CDAT")]),
        /// Granularity at which the memory should be interleaved with that of other devices.
        12:8 desired_interleave Ro "interleave" = Meaning::Choice(&[
            (0, "none"),
            (1, "256 bytes"),
            (2, "4096 bytes"),
            (3, "512 bytes"),
            (4, "1024 bytes"),
            (5, "2048 bytes"),
            (6, "8192 bytes"),
            (7, "16384 bytes"),
        ]),
        /// How long the memory may take to become ready; since revision 1.
        15:13 memory_active_timeout HwInit "timeout" = Meaning::Quantity(memory_timeout),
        /// The memory is ready, with less capacity or performance than expected; since revision 3.
        16 memory_active_degraded Ro "Degraded",
        /// Size bits 31:28; bits 27:0 are 0.
        31:28 memory_size_low Ro "SizeLow" = Meaning::Hex,
    }
    /// Where a range of memory begins: the upper half.
    pub struct RangeBaseHigh(u32) at 0x20 in "cxl_range", "base_high", "RangeBaseHigh", "CXL 3.1, 8.1.3.8.3" {
        /// Address bits 63:32.
        31:0 memory_base_high Rw "BaseHigh" = Meaning::Hex,
    }
    /// Where a range of memory begins.
    pub struct RangeBaseLow(u32) at 0x24 in "cxl_range", "base_low", "RangeBaseLow", "CXL 3.1, 8.1.3.8.4" {
        /// Address bits 31:28; bits 27:0 are 0.
        31:28 memory_base_low Rw "BaseLow" = Meaning::Hex,
    }
    /// What becomes of volatile memory in a reset. Since revision 2.
    pub struct Capability3(u16) at 0x38, "cxl_capability_3", "CXLCap3", "CXL 3.1, 8.1.3.9" {
        /// It survives a cold reset.
        0 default_volatile_hdm_state_after_cold_reset HwInit "ColdReset",
        /// It survives a warm reset.
        1 default_volatile_hdm_state_after_warm_reset HwInit "WarmReset",
        /// It survives a hot reset, unless told otherwise.
        2 default_volatile_hdm_state_after_hot_reset HwInit "HotReset",
        /// Whether it survives a hot reset can be chosen.
        3 volatile_hdm_state_after_hot_reset_configurability HwInit "HotResetConfigurability",
        /// Can reach the memory of other devices directly; since revision 3.
        4 direct_p2p_mem_capable HwInit "DirectP2PMem",
    }
}

fn reset_timeout(encoding: u64) -> Quantity {
    Quantity::Nanoseconds((encoding < 5).then(|| 10_000_000 * 10u64.pow(encoding as u32)))
}

fn memory_timeout(encoding: u64) -> Quantity {
    Quantity::Nanoseconds((encoding < 5).then(|| 1_000_000_000 << (2 * encoding)))
}

fn snoop_filter_coverage(encoding: u64) -> Quantity {
    Quantity::Bytes(Some(if encoding == 0 { 0 } else { 1 << (encoding + 15) }))
}

fn snoop_filter_granularity(encoding: u64) -> Quantity {
    Quantity::Bytes((encoding < 7).then(|| 64 << encoding))
}

impl Capability2 {
    /// Size of the cache in bytes, if it is reported.
    pub const fn cache_bytes(self) -> Option<u64> {
        match self.cache_size_unit() {
            1 => Some((self.cache_size() as u64) << 16),
            2 => Some((self.cache_size() as u64) << 20),
            _ => None,
        }
    }
}

/// Size of a range of memory in bytes.
pub fn range_size(high: RangeSizeHigh, low: RangeSizeLow) -> u64 {
    u64::from(high.memory_size_high()) << 32 | u64::from(low.memory_size_low()) << 28
}

/// Where a range of memory begins.
pub fn range_base(high: RangeBaseHigh, low: RangeBaseLow) -> u64 {
    u64::from(high.memory_base_high()) << 32 | u64::from(low.memory_base_low()) << 28
}

/// Ranges of memory, and how far apart their registers are.
const RANGES: u16 = 2;
const RANGE: u16 = 0x10;

/// Places the registers; gives how many bytes the revision needs.
pub(super) fn layout(body: &mut Body<'_, '_>) -> u16 {
    let needed = if body.revision >= 2 { 0x3a } else { 0x38 };
    body.load(needed);
    body.add::<Capability>();
    body.add::<Control>();
    body.add::<Status>();
    if body.revision >= 1 {
        body.add::<Control2>();
        body.add::<Status2>();
    }
    body.add::<Lock>();
    if body.revision >= 1 {
        body.add::<Capability2>();
    }
    for index in 0..RANGES {
        let at = 0x18 + RANGE * index;
        body.add_in::<RangeSizeHigh>(index, at);
        body.add_in::<RangeSizeLow>(index, at + 4);
        body.add_in::<RangeBaseHigh>(index, at + 8);
        body.add_in::<RangeBaseLow>(index, at + 12);
    }
    if body.revision >= 2 {
        body.add::<Capability3>();
    }
    needed
}

#[cfg(test)]
#[path = "cxl_device_tests.rs"]
mod tests;
