//! Serial numbers in the tables that firmware hands to the operating system: SMBIOS 3.7 (DMTF DSP0134).
//!
//! The kernel gives the structures in `sys/firmware/dmi/tables/DMI` and the entry point, which holds where they are and
//! how long, in another file (Documentation/ABI/testing/sysfs-firmware-dmi-tables). Lengths stay, so the entry point and
//! its checksum, which is of its own bytes only (5.2.1, 5.2.2), stay true.

use std::ops::Range;

use super::places::{Form, Place};
use super::pseudonym::{Secret, Text, mixed_order};

/// Where the kernel gives the structures.
pub const PATH: &str = "sys/firmware/dmi/tables/DMI";

/// Offsets of numbers of strings that name one item, by type of structure: serial numbers and asset tags.
const STRINGS: &[(u8, &[usize])] = &[
    (1, &[0x07]),        // 7.2 System Information: Serial Number
    (2, &[0x07, 0x08]),  // 7.3 Baseboard: Serial Number, Asset Tag
    (3, &[0x07, 0x08]),  // 7.4 System Enclosure: Serial Number, Asset Tag
    (4, &[0x20, 0x21]),  // 7.5 Processor: Serial Number, Asset Tag
    (17, &[0x18, 0x19]), // 7.18 Memory Device: Serial Number, Asset Tag
    (22, &[0x07]),       // 7.23 Portable Battery: Serial Number
    (39, &[0x08, 0x09]), // 7.40 System Power Supply: Serial Number, Asset Tag
];
/// 7.2: System Information has the UUID at 08h.
const SYSTEM: u8 = 1;
/// 7.12: strings of the manufacturer, which may be anything, credentials included.
const OEM_STRINGS: u8 = 11;
/// 7.43: Management Controller Host Interface, with addresses, names and a UUID of the service.
const HOST_INTERFACE: u8 = 42;
/// 6.1.2: types that only the manufacturer knows the meaning of.
const OEM: u8 = 128;
/// 7.45: the last structure.
const END: u8 = 127;

/// A structure: where it is and how long without its strings, its type, and its strings.
struct Structure {
    at: usize,
    length: usize,
    kind: u8,
    strings: Vec<(usize, usize)>,
}

/// The structures, and where they end: at the end of the table, or where something else begins. Behind the last one, of type
/// 127, there may be more: firmware leaves there what it does not want to be seen.
fn structures(table: &[u8]) -> (Vec<Structure>, usize) {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some([kind, length]) = table.get(at..at + 2).and_then(|head| head.first_chunk()) {
        let (kind, length) = (*kind, usize::from(*length));
        // 6.1.2: a structure has a header of four bytes at least.
        if length < 4 || table.len() < at + length {
            break;
        }
        let (strings, next) = strings(table, at + length);
        found.push(Structure { at, length, kind, strings });
        at = next;
    }
    (found, at.min(table.len()))
}

/// Texts in which something may be named: all strings.
pub fn texts(table: &[u8]) -> Vec<Range<usize>> {
    let strings = structures(table).0.into_iter().flat_map(|structure| structure.strings);
    strings.map(|(start, end)| start..end).collect()
}

/// Values in the structures.
pub fn found(table: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    let (structures, end) = structures(table);
    let mut last = false;
    for Structure { at, length, kind, strings } in structures {
        let body = &table[at..at + length];
        // What stands behind the last structure is no structure, even if it looks like one.
        let opaque = last || kind == HOST_INTERFACE || kind >= OEM;
        let name = |number: usize| strings.get(number.checked_sub(1)?).copied();
        let serial = |(start, end): (usize, usize)| text(table, start, end, Text::Serial);
        if kind == SYSTEM
            && let Some(uuid) = body.get(8..24).and_then(|uuid| <[u8; 16]>::try_from(uuid).ok())
            // SMBIOS before 2.6 had it in the other order; the kernel shows it so too (dmi_save_uuid). Which it is, is in
            // the entry point: both orders are looked for, this one is what stands here.
            && let Some(secret) = Secret::uuid(&mixed_order(uuid))
        {
            places.push(Place { offset: (at + 8) as u64, length: 16, secret, form: Form::Mixed });
        }
        for (_, offsets) in STRINGS.iter().filter(|(known, _)| *known == kind) {
            let numbers =
                offsets.iter().filter_map(|offset| body.get(*offset)).map(|number| usize::from(*number));
            places.extend(numbers.filter_map(name).filter_map(serial));
        }
        if opaque {
            places.extend(unknown(table, at + 4, at + length));
        }
        if opaque || kind == OEM_STRINGS {
            places.extend(strings.iter().filter_map(|(start, end)| text(table, *start, *end, Text::Oem)));
        }
        last |= kind == END;
    }
    places.extend(unknown(table, end, table.len()));
    places
}

/// Bytes of unknown meaning, unless there is nothing in them.
fn unknown(table: &[u8], start: usize, end: usize) -> Option<Place> {
    let bytes = table.get(start..end)?;
    let nothing = bytes.iter().all(|byte| matches!(byte, 0 | 0xff));
    let secret = Secret::Text(Text::Oem, Vec::new());
    let place = Place { offset: start as u64, length: bytes.len(), secret, form: Form::Opaque };
    (!nothing).then_some(place)
}

fn text(table: &[u8], start: usize, end: usize, what: Text) -> Option<Place> {
    let whole = table.get(start..end)?;
    let text = whole.trim_ascii();
    let secret = Secret::text(what, text)?;
    let offset = (start + whole.len() - whole.trim_ascii_start().len()) as u64;
    Some(Place { offset, length: text.len(), secret, form: Form::Text })
}

/// Where the strings behind a structure are, and where the next structure begins: each ends with a zero, the list with
/// another one; two zeros if there is none (6.1.3).
fn strings(table: &[u8], start: usize) -> (Vec<(usize, usize)>, usize) {
    let mut strings = Vec::new();
    let mut at = start;
    while let Some(length) = table.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0)) {
        if length == 0 {
            return (strings.clone(), at + if strings.is_empty() { 2 } else { 1 });
        }
        strings.push((at, at + length));
        at += length + 1;
    }
    (strings, table.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structure(kind: u8, body: &[u8], strings: &[&str]) -> Vec<u8> {
        let mut bytes = vec![kind, body.len() as u8 + 4, 1, 0];
        bytes.extend(body);
        strings.iter().for_each(|text| bytes.extend([text.as_bytes(), &[0]].concat()));
        if strings.is_empty() {
            bytes.push(0);
        }
        bytes.push(0);
        bytes
    }

    #[test]
    fn serial_numbers_and_the_uuid_are_found() {
        let mut system = vec![1, 2, 3, 4];
        system.extend(1..=16);
        let table = [
            structure(0, &[1; 14], &["BIOS"]),
            structure(1, &system, &["Maker", "Product", "1.0", "SYS-SERIAL"]),
            structure(2, &[1, 2, 3, 4, 5], &["Maker", "Board", "1.0", "BOARD-SERIAL", "Default string"]),
            structure(200, &[9; 6], &["secret"]),
            structure(127, &[], &[]),
            structure(9, &[7; 4], &["HIDDEN-1"]),
            structure(2, &[1, 2, 3, 4, 5], &["Maker", "Board", "1.0", "HIDDEN-2"]),
            b"\x01\x03no structure".to_vec(),
        ]
        .concat();
        let places = found(&table);
        let shown: Vec<_> = places.iter().map(|place| (place.form, place.length)).collect();
        let expected = [
            (Form::Mixed, 16),
            (Form::Text, 10),
            (Form::Text, 12),
            (Form::Opaque, 6),
            (Form::Text, 6),
            // Behind the last structure nothing is left as it is.
            (Form::Opaque, 4),
            (Form::Text, 8),
            (Form::Text, 8),
            (Form::Opaque, 5),
            (Form::Text, 5),
            (Form::Text, 5),
            (Form::Text, 3),
            (Form::Text, 8),
            (Form::Opaque, 14),
        ];
        assert_eq!(shown, expected);
        let at = places[1].offset as usize;
        assert_eq!(&table[at..at + 10], b"SYS-SERIAL");
        let Secret::Uuid(uuid) = places[0].secret else { unreachable!("no UUID") };
        assert_eq!(uuid[..8], [4, 3, 2, 1, 6, 5, 8, 7], "the order of the text");
    }

    #[test]
    fn tables_that_break_off_end() {
        let table = structure(1, &[1, 2, 3, 4], &["a", "b", "c", "SERIAL-1"]);
        for length in 0..table.len() {
            found(&table[..length]);
            texts(&table[..length]);
        }
        found(&[1, 0, 0, 0, 0, 0]);
        found(&[1; 4096]);
    }
}
