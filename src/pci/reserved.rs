//! Reserved bits and bytes that are set although they should be zero (PCIe 6.2, 7.4: RsvdP and RsvdZ read as zero).

use super::decode::Placed;
use super::extended::aer;
use super::header;
use super::register::{Register, RegisterType};
use super::space::ConfigSpace;

/// Bits that are not reserved but undefined: they may have any value, and mean nothing. Bit 0 of three registers of AER was
/// Training Error before PCI Express 1.1 (PCIe 6.2, 7.8.4.2 to 7.8.4.4).
fn undefined(register: &'static Register) -> u64 {
    let registers = [
        aer::UncorrectableStatus::REGISTER,
        aer::UncorrectableMask::REGISTER,
        aer::UncorrectableSeverity::REGISTER,
    ];
    u64::from(registers.iter().any(|r| std::ptr::eq(*r, register)))
}

/// Bits of a register that are reserved and set in a raw value.
pub fn set(register: &'static Register, raw: u64) -> u64 {
    raw & !register.defined() & !undefined(register)
}

/// Bits of a register that are reserved and set; 0 if it was not read.
pub fn bits(placed: &Placed) -> u64 {
    set(placed.register, placed.raw.unwrap_or(0))
}

/// Bytes of the header that no register names and that are not zero, with their offsets (PCIe 6.2, 7.5.1.2, 7.5.1.3).
pub fn header_bytes(space: &ConfigSpace) -> Vec<(u16, u8)> {
    let placed = header::registers(space);
    let named = |offset: u16| {
        placed.iter().any(|p| (p.offset..p.offset + u16::from(p.register.width)).contains(&offset))
    };
    let unknown_layout =
        header::read::<header::HeaderType>(space).is_none_or(|h| !header::LAYOUTS.contains(&h.layout()));
    if unknown_layout {
        // What the rest of the header means nobody knows.
        return Vec::new();
    }
    let bytes = (0..super::space::HEADER_SIZE).filter(|offset| !named(*offset));
    bytes.filter_map(|offset| Some((offset, space.u8(offset)?))).filter(|(_, value)| *value != 0).collect()
}

/// Bytes that no register names, stand beside one in its doubleword, lie in front of `end`, and are not zero, with their
/// offsets. Whole doublewords that no register names are not read, and what is behind `end` belongs to somebody else.
pub fn bytes(registers: &[Placed], end: u16, space: &ConfigSpace) -> Vec<(u16, u8)> {
    // Bytes that registers name, a mask for each doubleword with one that is narrower.
    let mut named: Vec<(u16, u8)> = Vec::new();
    for placed in registers.iter().filter(|p| p.register.width < 4) {
        let (start, shift) = (placed.offset & !3, placed.offset & 3);
        let mask = ((1u8 << placed.register.width) - 1) << shift;
        match named.iter_mut().rev().find(|(offset, _)| *offset == start) {
            Some((_, others)) => *others |= mask,
            None => named.push((start, mask)),
        }
    }
    let unnamed = |(start, mask): (u16, u8)| {
        (0..4).filter(move |byte| mask >> byte & 1 == 0).map(move |byte| start + byte)
    };
    let offsets = named.into_iter().flat_map(unnamed).filter(|offset| *offset < end);
    offsets.filter_map(|offset| Some((offset, space.u8(offset)?))).filter(|(_, value)| *value != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::super::decode::{Context, capabilities};
    use super::super::walk::{List, Located};
    use super::*;

    /// Every byte of a doubleword with a register is named by one, is reserved and shown, or lies behind the end.
    #[test]
    fn no_byte_beside_a_register_is_passed_over() {
        for specification in catalogue::DECODED {
            let standard = specification.list == List::Standard;
            let start: u16 = if standard { 0x40 } else { 0x100 };
            let mut config = vec![0xa5; 4096];
            config[usize::from(start)..][..2].copy_from_slice(&specification.id.to_le_bytes());
            let mut space = ConfigSpace::from_bytes(&config);
            let located =
                Located { list: specification.list, id: specification.id, offset: start, version: 1 };
            let context = Context { port_type: Some(4), link_width: Some(3), ..Context::default() };
            let capability = &capabilities(&mut space, context, &[located]).0[0];
            let shown = capability.reserved_bytes(&space);
            let header = start + if standard { 2 } else { 4 };
            let raw = capability.undecoded.unwrap_or_default();
            let doublewords = capability.registers.iter().map(|p| p.offset & !3);
            for offset in doublewords.flat_map(|d| d..d + 4).filter(|o| *o >= header && *o < capability.end) {
                let named = |p: &Placed| (p.offset..p.offset + u16::from(p.register.width)).contains(&offset);
                let is_named = capability.registers.iter().any(named) || (raw.0..raw.1).contains(&offset);
                let is_shown = shown.contains(&(offset, 0xa5));
                assert_ne!(is_named, is_shown, "{} at {:#x}", specification.key, offset - start);
            }
        }
    }

    #[test]
    fn undefined_bits_are_not_reserved() {
        assert_eq!(set(aer::UncorrectableSeverity::REGISTER, 1), 0);
        assert_eq!(set(aer::UncorrectableSeverity::REGISTER, 3), 2);
        assert_eq!(set(aer::CorrectableStatus::REGISTER, 2), 2);
    }

    #[test]
    fn reserved_bytes_of_the_header_are_found() {
        let mut bytes = vec![0; 256];
        (bytes[0x36], bytes[0x38], bytes[0x3b]) = (0x77, 0xef, 0xde);
        let found = |bytes: &[u8]| header_bytes(&ConfigSpace::from_bytes(bytes));
        assert_eq!(found(&bytes), [(0x36, 0x77), (0x38, 0xef), (0x3b, 0xde)]);
        // In a bridge the expansion ROM is at 38h.
        bytes[0x0e] = 1;
        assert_eq!(found(&bytes), [(0x36, 0x77)]);
        bytes[0x0e] = 0x7f;
        assert_eq!(found(&bytes), []);
    }
}
