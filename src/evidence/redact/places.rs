//! Where specifications and the kernel put serial numbers: Device Serial Number, vital product data, DMI.

use super::key::Key;
use super::pseudonym::{Secret, Text, digits, mixed_order};
use super::smbios;
use crate::evidence::recording::Kept;
use crate::machine::error_sources;
use crate::machine::reading::locate;
use crate::pci::walk::List;
use crate::pci::{extended, vpd};

/// A value in a file.
pub struct Place {
    /// Where it begins.
    pub offset: u64,
    /// How many bytes it has.
    pub length: usize,
    /// The value.
    pub secret: Secret,
    /// How it is written there.
    pub form: Form,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text, as that of this value is written.
    Text,
    /// Bytes, the last one first.
    Reversed,
    /// Bytes of a UUID as SMBIOS has them.
    Mixed,
    /// Bytes of unknown meaning: they become zeros.
    Opaque,
}

impl Place {
    /// What stands in the place of the bytes that are there.
    pub fn replacement(&self, key: &Key, old: &[u8]) -> Vec<u8> {
        match self.form {
            Form::Text => self.secret.in_text(key, old),
            Form::Opaque => vec![0; old.len()],
            Form::Reversed => self.secret.pseudonym(key).into_iter().rev().collect(),
            Form::Mixed => {
                let new = self.secret.pseudonym(key);
                <[u8; 16]>::try_from(new).map_or_else(|new| new, |new| mixed_order(new).to_vec())
            }
        }
    }

    /// What it is called in the list of what was replaced.
    pub fn what(&self) -> &'static str {
        self.secret.what()
    }
}

/// Files of `sys/class/dmi/id` whose whole text is personal (kernel: drivers/firmware/dmi-id.c).
const DMI: &[&str] = &[
    "board_asset_tag",
    "board_serial",
    "chassis_asset_tag",
    "chassis_serial",
    "product_serial",
    "product_uuid",
];

/// The values that a file holds where specifications put them.
pub fn found(path: &str, kept: &Kept) -> Vec<Place> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match (name, kept) {
        ("config", _) if path.contains("/pci") => serial_number(kept),
        ("vpd", Kept::File { bytes, .. }) => product_data(bytes),
        ("vpd", Kept::Pieces { pieces, .. }) => match pieces.runs.as_slice() {
            [(0, bytes), ..] => product_data(bytes),
            _ => Vec::new(),
        },
        (_, Kept::File { bytes, .. }) if path == smbios::PATH => smbios::found(bytes),
        (_, Kept::File { bytes, .. }) if path == error_sources::BOOT_ERRORS => boot_errors(bytes),
        (name, Kept::File { bytes, .. }) if path.contains("/dmi/id/") && DMI.contains(&name) => whole(bytes),
        _ => Vec::new(),
    }
}

/// A file that is one value.
fn whole(bytes: &[u8]) -> Vec<Place> {
    let text = bytes.trim_ascii();
    let start = bytes.len() - bytes.trim_ascii_start().len();
    let secret = Secret::text(Text::Serial, text);
    let place = |secret| Place { offset: start as u64, length: text.len(), secret, form: Form::Text };
    secret.map(place).into_iter().collect()
}

/// The Device Serial Number capabilities of a function (PCIe 6.2, 7.9.3): the less significant doubleword first.
fn serial_number(kept: &Kept) -> Vec<Place> {
    let Some(space) = kept.config_space() else { return Vec::new() };
    let id = extended::serial_number::SPECIFICATION.id;
    let mut places = Vec::new();
    for located in locate(&mut space.clone()) {
        if (located.list, located.id) != (List::Extended, id) {
            continue;
        }
        let offset = located.offset + 4;
        let place = |length, secret, form| Place { offset: u64::from(offset), length, secret, form };
        match (space.bytes(offset, 8), space.bytes(offset, 4)) {
            (Some(bytes), _) => {
                let number: Vec<u8> = bytes.iter().rev().copied().collect();
                places.extend(Secret::eui_64(&number).map(|secret| place(8, secret, Form::Reversed)));
            }
            // The device failed in the middle of its number.
            (None, Some(_)) => {
                places.push(place(4, Secret::Text(Text::Oem, Vec::new()), Form::Opaque));
            }
            (None, None) => {}
        }
    }
    places
}

/// Numbers in errors that firmware recorded (ACPI 6.5, 18.3.2.7.1): which part failed, at 28, and, of PCI Express, the Device
/// Serial Number, at 40 of the section (UEFI 2.10, table N.12).
fn boot_errors(bytes: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    for error in error_sources::errors(bytes) {
        let at = |start: usize, length: usize| Some((start, bytes.get(start..start.checked_add(length)?)?));
        if let Some((start, id)) = at(error.offset + 28, 16)
            && let Some(secret) = <[u8; 16]>::try_from(id).ok().and_then(|id| Secret::uuid(&mixed_order(id)))
        {
            places.push(Place { offset: start as u64, length: 16, secret, form: Form::Mixed });
        }
        if error.pci_express
            && let Some((start, number)) = at(error.section + 40, 8)
        {
            let number: Vec<u8> = number.iter().rev().copied().collect();
            let place = |secret| Place { offset: start as u64, length: 8, secret, form: Form::Reversed };
            places.extend(Secret::eui_64(&number).map(place));
        }
    }
    places
}

/// Serial numbers and asset tags in vital product data (PCIe 6.2, 6.27.2.2), and what has the form of an address or a
/// UUID in the fields whose meaning is the manufacturer's.
fn product_data(bytes: &[u8]) -> Vec<Place> {
    let data = vpd::parse(bytes);
    let fields = data.fields.iter().filter_map(|field| {
        let end = field.data.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let text = field.data[..end].trim_ascii();
        let start = field.data.len() - field.data.trim_ascii_start().len();
        let secret = match &field.keyword {
            b"SN" | b"YA" | b"CC" => Secret::text(Text::Serial, text),
            b"NA" | [b'V' | b'Y' | b'Z', _] => address(text),
            _ => None,
        }?;
        Some(Place { offset: (field.offset + start) as u64, length: text.len(), secret, form: Form::Text })
    });
    fields.collect()
}

/// A text that is nothing but the digits of an EUI-48, an EUI-64 or a UUID.
fn address(text: &[u8]) -> Option<Secret> {
    let bytes = digits(text)?;
    match bytes.len() {
        6 => Secret::eui_48(&bytes),
        8 => Secret::eui_64(&bytes),
        16 => Secret::uuid(&bytes),
        _ => None,
    }
}

/// Where vital product data, before anything in it is replaced, has a checksum that is right.
pub fn checksum_of_product_data(path: &str, offset: u64, bytes: &[u8]) -> Option<usize> {
    if !path.ends_with("/vpd") || offset != 0 {
        return None;
    }
    let data = vpd::parse(bytes);
    data.fields.iter().find(|field| field.checksum_good == Some(true)).map(|field| field.offset)
}

/// Makes all bytes up to this one add up to zero again.
pub fn mend_checksum(bytes: &mut [u8], at: usize) {
    let sum = bytes.iter().take(at).fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    if let Some(byte) = bytes.get_mut(at) {
        *byte = sum.wrapping_neg();
    }
}
