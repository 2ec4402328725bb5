//! The expansion ROM: where its register says that it is, and what the kernel has noted.

use super::bars::Resource;
use super::header::{self, BridgeExpansionRom, ExpansionRom as RomRegister};
use super::space::ConfigSpace;

/// Line of `resource` for the ROM (kernel: PCI_ROM_RESOURCE in include/linux/pci.h).
const RESOURCE: usize = 6;
/// The kernel uses a copy in memory, as firmware makes one of a video ROM (IORESOURCE_ROM_SHADOW in include/linux/ioport.h).
const SHADOW: u64 = 2;

/// An expansion ROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ExpansionRom {
    /// Address in the register, 0 if none was written; `null` if it was not read.
    pub address: Option<u64>,
    /// Whether the ROM answers; `null` if the register was not read.
    pub enabled: Option<bool>,
    /// Address that the kernel has noted; `null` if it has none or the source does not tell. It may differ from the register's:
    /// the kernel writes it there when somebody wants to read the ROM, not before (kernel: pci_enable_rom).
    pub kernel_address: Option<u64>,
    /// Size in bytes; `null` if the source does not tell.
    pub size: Option<u64>,
    /// The kernel's address is that of a copy in memory.
    pub shadow: bool,
}

/// The ROM of a function, if the register or the kernel knows one. CardBus bridges have no such register.
pub fn expansion_rom(
    space: Option<&ConfigSpace>,
    resources: Option<&[Option<Resource>]>,
) -> Option<ExpansionRom> {
    let layout = space.and_then(header::read::<header::HeaderType>).map(header::HeaderType::layout);
    let raw = match (space, layout) {
        (Some(space), Some(0)) => header::read::<RomRegister>(space).map(|r| r.0),
        (Some(space), Some(1)) => header::read::<BridgeExpansionRom>(space).map(|r| r.0),
        _ => None,
    };
    let noted = resources.and_then(|r| r.get(RESOURCE)).copied().flatten().filter(|r| r.size() != 0);
    // Where the register reads zero and the kernel has no line, there is no ROM.
    if noted.is_none() && raw.is_none_or(|raw| raw == 0) {
        return None;
    }
    Some(ExpansionRom {
        address: raw.map(|raw| u64::from(raw & 0xffff_f800)),
        enabled: raw.map(|raw| raw & 1 == 1),
        kernel_address: noted.filter(|r| r.is_assigned()).map(|r| r.start),
        size: noted.map(Resource::size),
        shadow: noted.is_some_and(|r| r.flags & SHADOW != 0),
    })
}

#[cfg(test)]
mod tests {
    use super::super::bars;
    use super::*;

    fn header(layout: u8, offset: usize, value: u32) -> ConfigSpace {
        let mut bytes = [0; 64];
        bytes[0x0e] = layout;
        bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        ConfigSpace::from_bytes(&bytes)
    }

    fn noted(line: &str) -> Vec<Option<Resource>> {
        bars::resources(&format!("{}{line}\n", "0x0 0x0 0x0\n".repeat(6))).unwrap()
    }

    #[test]
    fn both_sides() {
        let resources = noted("0x00000000b8000000 0x00000000b807ffff 0x0000000000046200");
        let rom = expansion_rom(Some(&header(0, 0x30, 0xb800_0001)), Some(&resources)).unwrap();
        assert_eq!((rom.address, rom.enabled), (Some(0xb800_0000), Some(true)));
        assert_eq!((rom.kernel_address, rom.size, rom.shadow), (Some(0xb800_0000), Some(512 << 10), false));
        let rom = expansion_rom(Some(&header(1, 0x38, 0)), Some(&resources)).unwrap();
        assert_eq!((rom.address, rom.enabled, rom.kernel_address), (Some(0), Some(false), Some(0xb800_0000)));
        let shadow = noted("0x00000000000c0000 0x00000000000dffff 0x0000000000000212");
        assert!(expansion_rom(None, Some(&shadow)).is_some_and(|rom| rom.shadow && rom.address.is_none()));
    }

    #[test]
    fn none_where_neither_side_knows_one() {
        assert_eq!(expansion_rom(Some(&header(0, 0x30, 0)), Some(&noted("0x0 0x0 0x0"))), None);
        assert_eq!(expansion_rom(Some(&header(2, 0x30, 7)), None), None);
        assert_eq!(expansion_rom(None, None), None);
        let alone = expansion_rom(Some(&header(0, 0x30, 0xfff8_0000)), None).unwrap();
        assert_eq!((alone.address, alone.size), (Some(0xfff8_0000), None));
    }
}
