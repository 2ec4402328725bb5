//! Registers as text: name, raw value, fields, and what of a capability is not decoded.

use std::borrow::Cow;

use crate::inspect::capability::known_bytes;
use crate::inspect::value::text_value;
use crate::machine::Function;
use crate::pci::decode::{Capability, Placed, shown_raw};
use crate::pci::register::{Meaning, Register};
use crate::pci::reserved;

use super::super::style::{Lines, Style, Tone, Words, columns, spaces};

/// Column at which fields begin: indent, register name, raw value.
const FIELDS: usize = 33;

/// Registers, a line each; repeats that hold the same are one line.
pub fn registers(out: &mut String, style: Style, registers: &[Placed]) {
    let mut index = 0;
    while index < registers.len() {
        let placed = &registers[index];
        // Sixteen lanes with the same settings are one line.
        let same = registers[index..].iter().take_while(|other| is_repeat_of(placed, other)).count();
        let short = placed.register.short;
        let outer = placed.within.map(|(group, index)| format!("{group}[{index}].")).unwrap_or_default();
        let name = match placed.group {
            Some((group, first)) if same >= 3 => {
                let last = usize::from(first) + same - 1;
                Cow::Owned(format!("{outer}{group}[{first}-{last}] {short}"))
            }
            Some((group, first)) => Cow::Owned(format!("{outer}{group}[{first}] {short}")),
            None => Cow::Borrowed(short),
        };
        index += if same >= 3 { same } else { 1 };
        register(out, style, placed, &name);
    }
}

fn register(out: &mut String, style: Style, placed: &Placed, name: &str) {
    let register = placed.register;
    let length = columns(name);
    let padding = 17usize.saturating_sub(length).max(1);
    out.push_str("    ");
    out.push_str(name);
    spaces(out, padding);
    let start = out.len();
    match placed.raw {
        Some(raw) => push_hexadecimal(out, raw, usize::from(register.width) * 2),
        None => out.push_str("not read"),
    }
    let column = 4 + length + padding + out.len() - start;
    if style.color {
        let painted = style.paint(Tone::Faint, &out[start..]);
        out.replace_range(start.., &painted);
    }
    let end = out.len();
    if let Some(raw) = placed.raw {
        let padding = FIELDS.saturating_sub(column).max(2);
        spaces(out, padding);
        let columns = style.columns();
        let lines = Lines { column: column + padding, indent: FIELDS, columns, between: "  " };
        let mut words = Words::new(out, style, lines);
        fields(&mut words, register, raw);
        if words.is_empty() {
            out.truncate(end);
        }
    }
    out.push('\n');
}

/// Words for the fields: `Name+`, `Name-` for flags, `Name value` for others, and reserved bits that are set.
fn fields(words: &mut Words<'_>, register: &'static Register, raw: u64) {
    let alone = register.fields.len() == 1;
    for field in register.fields {
        let value = field.extract(raw);
        // A register that is one number has it right there, as its raw value.
        let whole = alone && field.mask().count_ones() == u32::from(register.width) * 8;
        match field.meaning {
            Meaning::Hex | Meaning::Number if whole => {}
            Meaning::Flag => {
                let (tone, sign) = if value == 1 { (Tone::Name, '+') } else { (Tone::Faint, '-') };
                words.word(tone, |out| {
                    out.push_str(field.short);
                    out.push(sign);
                });
            }
            _ => words.word(Tone::Name, |out| {
                if !alone {
                    out.push_str(field.short);
                    out.push(' ');
                }
                out.push_str(&text_value(field, raw));
            }),
        }
    }
    let reserved = reserved::set(register, raw);
    if reserved != 0 {
        words.word(Tone::Warn, |out| out.push_str(&format!("reserved bits set: {reserved:#x}")));
    }
}

/// The part of a capability whose layout is not known, as doublewords beside their offsets in configuration space.
pub fn undecoded(out: &mut String, function: &Function, capability: &Capability) {
    let Some(range) = capability.undecoded else { return };
    // Whole doublewords, so that they are found again in a dump.
    let (first, last) = shown_raw(range);
    let bytes = known_bytes(function, first, last.next_multiple_of(4));
    if bytes.is_empty() {
        out.push_str("    not decoded      not read\n");
        return;
    }
    for (index, row) in bytes.chunks(16).enumerate() {
        let at = first + 16 * index as u16;
        out.push_str(&format!("    not decoded {at:03x} "));
        for doubleword in row.chunks_exact(4) {
            let value = doubleword.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
            out.push(' ');
            push_hexadecimal(out, value, 8);
        }
        out.push('\n');
    }
    let left = range.1 - last;
    if left > 0 {
        out.push_str(&format!("    not decoded      {left} bytes more (-x shows them)\n"));
    }
}

/// Reserved bytes that are not zero.
pub fn reserved_bytes(out: &mut String, style: Style, function: &Function, capability: &Capability) {
    let bytes = function.space().map(|space| capability.reserved_bytes(space)).unwrap_or_default();
    bytes_not_zero(out, style, bytes);
}

/// Reserved bytes of the header that are not zero.
pub fn reserved_header_bytes(out: &mut String, style: Style, function: &Function) {
    bytes_not_zero(out, style, function.space().map(reserved::header_bytes).unwrap_or_default());
}

fn bytes_not_zero(out: &mut String, style: Style, bytes: Vec<(u16, u8)>) {
    for (offset, value) in bytes {
        out.push_str("    reserved         ");
        let text = format!("0x{value:02x}        reserved byte at {offset:#x} is not zero");
        out.push_str(&style.paint(Tone::Warn, &text));
        out.push('\n');
    }
}

/// `0x` and that many digits.
fn push_hexadecimal(out: &mut String, value: u64, digits: usize) {
    out.push_str("0x");
    for place in (0..digits).rev() {
        let digit = (value >> (4 * place)) as u32 & 0xf;
        out.push(char::from_digit(digit, 16).unwrap_or('?'));
    }
}

/// Whether the second register is the same as the first, in a later entry of the same group.
fn is_repeat_of(first: &Placed, other: &Placed) -> bool {
    let group = |p: &Placed| p.group.map(|(name, _)| name);
    std::ptr::eq(first.register, other.register)
        && group(first).is_some()
        && group(first) == group(other)
        && first.within == other.within
        && first.raw == other.raw
        && first.raw.is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pci::catalogue::DECODED;
    use crate::pci::header;

    /// The line of a register that stands alone.
    fn line(register: &'static Register, raw: u64) -> String {
        let mut out = String::new();
        let placed = Placed { register, group: None, within: None, offset: 0, raw: Some(raw) };
        registers(&mut out, Style::PLAIN, &[placed]);
        out
    }

    proptest! {
        /// Of every register of every capability: reserved bits are shown if and only if they are set.
        #[test]
        fn every_reserved_bit_that_is_set_is_shown(raw in any::<u64>(), dense in any::<bool>()) {
            let all = DECODED.iter().flat_map(|s| s.registers.iter().copied()).chain(header::REGISTERS.iter().copied());
            for register in all {
                let raw = if dense { raw } else { raw & raw.rotate_left(7) & raw.rotate_left(13) };
                let raw = raw & (u64::MAX >> (64 - 8 * u32::from(register.width)));
                let reserved = reserved::set(register, raw);
                let text = line(register, raw);
                if reserved == 0 {
                    prop_assert!(!text.contains("reserved bits"), "{}: {text}", register.key);
                } else {
                    let said = format!("reserved bits set: {reserved:#x}\n");
                    prop_assert!(text.ends_with(&said), "{}: {text}", register.key);
                }
            }
        }
    }
}
