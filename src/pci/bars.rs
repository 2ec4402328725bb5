//! Base Address Registers: their value in configuration space, their size from the kernel, and whether the two agree;
//! windows of bridges.
//!
//! The size of a BAR can only be found by writing to it, which pciscope never does; the kernel found it at boot and
//! tells it in `resource`.

use super::header::{
    self, BaseAddress, IoBase, IoBaseUpper, IoLimit, IoLimitUpper, MemoryBase, MemoryLimit, PrefetchableBase,
    PrefetchableBaseUpper, PrefetchableLimit, PrefetchableLimitUpper,
};
use super::register::RegisterType;
use super::space::ConfigSpace;

/// One line of `resource`: what the kernel has noted for a BAR or window (include/linux/ioport.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resource {
    /// First address.
    pub start: u64,
    /// Last address.
    pub end: u64,
    /// Flags, see the constants.
    pub flags: u64,
}

impl Resource {
    /// I/O space.
    pub const IO: u64 = 0x100;
    /// Memory space.
    pub const MEMORY: u64 = 0x200;
    /// Prefetchable.
    pub const PREFETCHABLE: u64 = 0x2000;
    /// 64-bit.
    pub const MEMORY_64: u64 = 0x10_0000;
    /// Turned off.
    pub const DISABLED: u64 = 0x1000_0000;
    /// The kernel found no address for it.
    pub const UNSET: u64 = 0x2000_0000;

    /// Size in bytes; 0 if there is nothing.
    pub fn size(self) -> u64 {
        if self.flags == 0 || self.end < self.start { 0 } else { (self.end - self.start).saturating_add(1) }
    }

    /// Whether the kernel has an address for it. A BAR at address 0 is none.
    pub fn is_assigned(self) -> bool {
        self.size() != 0 && self.flags & Self::UNSET == 0 && self.start != 0
    }

    /// Whether it is prefetchable memory.
    pub fn is_prefetchable(self) -> bool {
        self.flags & Self::PREFETCHABLE != 0
    }

    /// Whether it is memory space.
    pub fn is_memory(self) -> bool {
        self.flags & Self::MEMORY != 0
    }

    /// Whether the BAR of that number is the upper half of the 64-bit BAR before it.
    pub fn is_upper_half(self, space: Option<&ConfigSpace>, bar: u8) -> bool {
        self == Resource::default()
            && bar > 0
            && space.is_some_and(|space| {
                raw_bars(space).iter().any(|b| b.number + 1 == bar && matches!(b.kind, BarKind::Memory64))
            })
    }
}

/// How many lines `resource` has at least: six BARs and the expansion ROM (kernel: resource_show in drivers/pci/pci-sysfs.c; of a
/// bridge there are more, for its windows).
const LEAST_LINES: usize = 7;

/// The lines of `resource`, each three hexadecimal numbers; `None` for one that is not. `None` if no line is good.
pub fn resources(text: &str) -> Option<Vec<Option<Resource>>> {
    let lines: Vec<Option<Resource>> = text.lines().map(resource).collect();
    lines.iter().any(Option::is_some).then_some(lines)
}

/// The same where nothing is missing. The error says which line is not good, or that there are fewer than seven: what is not
/// there must not count as a BAR without an address.
pub fn whole_resources(text: &str) -> Result<Vec<Resource>, String> {
    let line = |(place, line): (usize, &str)| {
        resource(line).ok_or_else(|| format!("resource: line {} is not three hexadecimal numbers", place + 1))
    };
    let lines = text.lines().enumerate().map(line).collect::<Result<Vec<Resource>, String>>()?;
    match lines.len() {
        count if count < LEAST_LINES => {
            Err(format!("resource has {count} lines: expected {LEAST_LINES} or more"))
        }
        _ => Ok(lines),
    }
}

fn resource(line: &str) -> Option<Resource> {
    let number = |word: &str| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    let mut words = line.split_whitespace();
    let mut next = || number(words.next()?);
    let resource = Resource { start: next()?, end: next()?, flags: next()? };
    words.next().is_none().then_some(resource)
}

/// What a BAR is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BarKind {
    /// I/O space.
    Io,
    /// Memory below 4 GiB.
    Memory32,
    /// Memory anywhere; takes two registers.
    Memory64,
    /// Memory below 1 MiB (reserved since PCI 2.2).
    MemoryBelow1M,
}

/// A BAR as it stands in configuration space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawBar {
    /// Number of its (first) register.
    pub number: u8,
    /// What it is.
    pub kind: BarKind,
    /// Prefetchable.
    pub prefetchable: bool,
    /// Address; 0 if none was written.
    pub address: u64,
    /// Offset of the register.
    pub offset: u16,
}

impl RawBar {
    /// Whether the register reads zero, so that it alone does not tell whether there is a BAR.
    pub fn is_zero(&self) -> bool {
        self.address == 0 && self.kind == BarKind::Memory32 && !self.prefetchable
    }
}

/// The BARs in configuration space. A register that reads zero is a BAR that does not exist or has lost its value;
/// [`bars`] tells which.
pub fn raw_bars(space: &ConfigSpace) -> Vec<RawBar> {
    let layout = header::read::<header::HeaderType>(space).map_or(0, header::HeaderType::layout);
    let count = header::base_address_registers(layout);
    let mut bars = Vec::new();
    let mut number = 0;
    while number < count && layout != 2 {
        let offset = BaseAddress::REGISTER.offset + number * 4;
        let Some(value) = space.u32(offset) else { break };
        let (kind, mask) = match (value & 1, value >> 1 & 3) {
            (1, _) => (BarKind::Io, !3),
            (_, 2) => (BarKind::Memory64, !15),
            (_, 1) => (BarKind::MemoryBelow1M, !15),
            _ => (BarKind::Memory32, !15),
        };
        let upper =
            if kind == BarKind::Memory64 && number + 1 < count { space.u32(offset + 4) } else { None };
        bars.push(RawBar {
            number: number as u8,
            kind,
            prefetchable: kind != BarKind::Io && value & 8 != 0,
            address: u64::from(upper.unwrap_or(0)) << 32 | u64::from(value & mask),
            offset,
        });
        number += if kind == BarKind::Memory64 { 2 } else { 1 };
    }
    bars
}

/// A BAR from both sides.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Bar {
    /// Number of its (first) register, 0 to 5.
    pub number: u8,
    /// What it is.
    pub kind: BarKind,
    /// Prefetchable.
    pub prefetchable: bool,
    /// Address in configuration space; `null` if the register was not read, and for a virtual function, which has none.
    pub address: Option<u64>,
    /// Address that the kernel has noted; `null` if it has none or the source does not tell.
    pub kernel_address: Option<u64>,
    /// Size in bytes; `null` if the source does not tell.
    pub size: Option<u64>,
    /// The kernel has an address for it; `null` if the source does not tell.
    pub assigned: Option<bool>,
    /// Register and kernel agree; `null` if one of them is not known. They differ after a reset behind the kernel's
    /// back.
    pub agrees: Option<bool>,
}

/// BARs that exist: those that the kernel has a line for and those that have a value in configuration space.
pub fn bars(space: Option<&ConfigSpace>, resources: Option<&[Option<Resource>]>) -> Vec<Bar> {
    // A virtual function, which reads FFFFFFFFh at offset 0, has no BARs of its own: its registers are zero and its
    // addresses are in the physical function (PCIe 6.2, 9.3.4.1.11).
    let own = space.filter(|space| space.u32(0) != Some(u32::MAX));
    let raw: Vec<RawBar> = own.map(raw_bars).unwrap_or_default();
    let upper_halves: Vec<u8> =
        raw.iter().filter(|b| b.kind == BarKind::Memory64).map(|b| b.number + 1).collect();
    // Where the header cannot be read, an endpoint's six are assumed: lines for bridges are zero there.
    let count = space
        .and_then(header::read::<header::HeaderType>)
        .map_or(6, |h| header::base_address_registers(h.layout()));
    (0..count as u8)
        .filter(|number| !upper_halves.contains(number))
        .filter_map(|number| {
            let raw = raw.iter().find(|b| b.number == number);
            let line = resources.and_then(|r| r.get(usize::from(number))).copied().flatten();
            let noted = line.filter(|r| r.flags != 0);
            if noted.is_none() && raw.is_none_or(RawBar::is_zero) {
                return None;
            }
            let kind = match (noted, raw) {
                (Some(r), _) if r.flags & Resource::IO != 0 => BarKind::Io,
                (Some(r), _) if r.flags & Resource::MEMORY_64 != 0 => BarKind::Memory64,
                (Some(r), _) if r.is_memory() => BarKind::Memory32,
                (_, Some(b)) => b.kind,
                _ => return None,
            };
            let address = raw.map(|b| b.address);
            let kernel_address = noted.filter(|r| r.is_assigned()).map(|r| r.start);
            Some(Bar {
                number,
                kind,
                prefetchable: noted
                    .map_or(raw.is_some_and(|b| b.prefetchable), |r| r.flags & Resource::PREFETCHABLE != 0),
                address,
                kernel_address,
                size: noted.map(Resource::size).filter(|s| *s != 0),
                assigned: line.map(|_| kernel_address.is_some()),
                agrees: address.zip(kernel_address).map(|(a, b)| a == b),
            })
        })
        .collect()
}

/// A window of a bridge: addresses that it forwards to its secondary side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct BridgeWindow {
    /// `io`, `memory` or `prefetchable`.
    pub kind: &'static str,
    /// First address.
    pub base: u64,
    /// Last address.
    pub limit: u64,
    /// False if base is above limit: the bridge forwards nothing.
    pub open: bool,
}

/// The windows as they stand in configuration space (PCIe 6.2, 7.5.1.3.6 to 7.5.1.3.11). What the kernel notes in
/// `resource` is a copy: a window that was closed in hardware shows only here.
pub fn windows(space: &ConfigSpace) -> Vec<BridgeWindow> {
    let mut windows = Vec::new();
    let mut push = |kind, base: u64, limit: u64, granularity: u64| {
        windows.push(BridgeWindow { kind, base, limit: limit | (granularity - 1), open: base <= limit });
    };
    if let (Some(base), Some(limit)) = (header::read::<IoBase>(space), header::read::<IoLimit>(space)) {
        let wide = base.kind() == 1;
        let upper = |value: Option<u16>| if wide { u64::from(value.unwrap_or(0)) << 16 } else { 0 };
        push(
            "io",
            u64::from(base.base()) << 12 | upper(header::read::<IoBaseUpper>(space).map(|r| r.base())),
            u64::from(limit.limit()) << 12 | upper(header::read::<IoLimitUpper>(space).map(|r| r.limit())),
            0x1000,
        );
    }
    if let (Some(base), Some(limit)) = (header::read::<MemoryBase>(space), header::read::<MemoryLimit>(space))
    {
        push("memory", u64::from(base.base()) << 20, u64::from(limit.limit()) << 20, 0x10_0000);
    }
    if let (Some(base), Some(limit)) =
        (header::read::<PrefetchableBase>(space), header::read::<PrefetchableLimit>(space))
    {
        let wide = base.kind() == 1;
        let upper = |value: Option<u32>| if wide { u64::from(value.unwrap_or(0)) << 32 } else { 0 };
        push(
            "prefetchable",
            u64::from(base.base()) << 20
                | upper(header::read::<PrefetchableBaseUpper>(space).map(|r| r.base())),
            u64::from(limit.limit()) << 20
                | upper(header::read::<PrefetchableLimitUpper>(space).map(|r| r.limit())),
            0x10_0000,
        );
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(layout: u8, words: &[(u16, u32)]) -> ConfigSpace {
        let mut bytes = [0u8; 64];
        bytes[0x0e] = layout;
        for (offset, value) in words {
            bytes[usize::from(*offset)..usize::from(*offset) + 4].copy_from_slice(&value.to_le_bytes());
        }
        ConfigSpace::from_bytes(&bytes)
    }

    #[test]
    fn a_64_bit_bar_takes_two_registers() {
        let space = header(0, &[(0x10, 0xf000_000c), (0x14, 0x38), (0x18, 0x0000_e001)]);
        let resources = resources(
            "0x00000038f0000000 0x00000038f3ffffff 0x000000000014220c\n\
             0x0000000000000000 0x0000000000000000 0x0000000000000000\n\
             0x000000000000e000 0x000000000000e01f 0x0000000000040101\n",
        )
        .unwrap();
        let found = bars(Some(&space), Some(&resources));
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].kind, found[0].address, found[0].size),
            (BarKind::Memory64, Some(0x38_f000_0000), Some(64 << 20))
        );
        assert_eq!(found[0].agrees, Some(true));
        assert_eq!((found[1].number, found[1].kind, found[1].size), (2, BarKind::Io, Some(32)));
        assert!(Resource::default().is_upper_half(Some(&space), 1));
    }

    #[test]
    fn a_bar_that_lost_its_value_disagrees_with_the_kernel() {
        let resources = resources("0x00000000fe800000 0x00000000fe803fff 0x0000000000140204\n").unwrap();
        let found = bars(Some(&header(0, &[(0x10, 4)])), Some(&resources));
        assert_eq!(
            (found[0].address, found[0].agrees, found[0].assigned),
            (Some(0), Some(false), Some(true))
        );
        assert_eq!(bars(Some(&header(0, &[])), Some(&[])), []);
        let unset = super::resources("0x0000000000000000 0x00000000003fffff 0x0000000020140204\n").unwrap();
        assert_eq!(bars(Some(&header(0, &[(0x10, 4)])), Some(&unset))[0].assigned, Some(false));
    }

    #[test]
    fn a_bar_without_address_exists_if_its_register_says_what_it_is() {
        let space = header(0, &[(0x10, 1), (0x14, 0), (0x18, 2), (0x1c, 8), (0x20, 4)]);
        let found: Vec<_> = bars(Some(&space), None).iter().map(|b| (b.number, b.kind, b.address)).collect();
        let expected =
            [(0, BarKind::Io), (2, BarKind::MemoryBelow1M), (3, BarKind::Memory32), (4, BarKind::Memory64)];
        assert_eq!(found, expected.map(|(number, kind)| (number, kind, Some(0))));
    }

    #[test]
    fn a_resource_file_that_is_cut_off_is_not_whole() {
        let line = "0x00000000fe800000 0x00000000fe803fff 0x0000000000140204\n";
        assert_eq!(whole_resources(&line.repeat(7)).unwrap().len(), 7);
        let missing = whole_resources(line).unwrap_err();
        assert_eq!(missing, "resource has 1 lines: expected 7 or more");
        let broken = whole_resources(&format!("{line}0x0 0x0\n{}", line.repeat(6))).unwrap_err();
        assert_eq!(broken, "resource: line 2 is not three hexadecimal numbers");
        assert_eq!(resources(&format!("{line}0x0 0x0\n{line}")).map(|lines| lines.len()), Some(3));
    }

    #[test]
    fn rubbish_is_no_resource_file() {
        assert_eq!(resources("hello\nworld 1 2\n"), None);
        assert_eq!(resources(""), None);
    }

    #[test]
    fn windows_of_a_bridge() {
        let space =
            header(1, &[(0x1c, 0x0000_01f1), (0x20, 0xfe80_fe80), (0x24, 0x0001_fff1), (0x28, 0), (0x2c, 0)]);
        let found = windows(&space);
        assert_eq!((found[0].open, found[0].base), (false, 0xf000));
        assert_eq!((found[1].base, found[1].limit, found[1].open), (0xfe80_0000, 0xfe8f_ffff, true));
        assert!(!found[2].open);
    }
}
