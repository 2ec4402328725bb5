//! Who learns of hardware errors, and what was recorded of the boot before, as firmware says it in ACPI: the tables HEST and
//! BERT (ACPI 6.5, 18.3).

use crate::pci::Bdf;
use crate::tree::{Tree, TreeError, read};

/// Where the kernel shows tables (drivers/acpi/sysfs.c), to root only.
const HEST: &str = "sys/firmware/acpi/tables/HEST";
/// The region that the table BERT points to; it is there only if there is such a table.
pub const BOOT_ERRORS: &str = "sys/firmware/acpi/tables/data/BERT";
/// Most bytes of either.
const LIMIT: usize = 16 << 20;

/// An error source of PCI Express (ACPI 6.5, 18.3.2.4 to 18.3.2.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorSource {
    /// Offset of its structure in the table, in bytes.
    pub offset: usize,
    /// 6: root ports, 7: endpoints, 8: bridges.
    pub kind: u16,
    /// Firmware handles the errors first.
    pub firmware_first: bool,
    /// It is of every device of its kind; otherwise of [`ErrorSource::device`].
    pub global: bool,
    /// The software is to enable the source.
    pub enabled: bool,
    /// The device, where the source is not of all.
    pub device: Option<Bdf>,
}

/// Reads HEST. `Err`: it is absent or cannot be read.
pub fn error_sources(tree: &dyn Tree) -> Result<Result<Vec<ErrorSource>, String>, TreeError> {
    Ok(parse_sources(&read(tree, HEST, LIMIT)?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Length of a structure, by its type; those of Intel's machine checks depend on their number of banks (kernel:
/// hest_esrc_len in drivers/acpi/apei/hest.c).
fn length(bytes: &[u8], at: usize) -> Option<usize> {
    let banks = |place: usize| bytes.get(at + place).map(|banks| usize::from(*banks) * 28);
    Some(match u16_at(bytes, at)? {
        0 => 40 + banks(32)?,
        1 | 11 => 48 + banks(44)?,
        2 => 20,
        6 => 48,
        7 => 44,
        8 => 56,
        9 => 64,
        10 => 92,
        _ => return None,
    })
}

fn parse_sources(bytes: &[u8]) -> Result<Vec<ErrorSource>, String> {
    let count = u32_at(bytes, 36).filter(|_| bytes.starts_with(b"HEST"));
    let count =
        count.ok_or_else(|| format!("{HEST}: expected the header of a HEST, found something else"))?;
    let mut sources = Vec::new();
    let mut at = 40;
    for index in 0..count {
        let whole = length(bytes, at).filter(|length| at + length <= bytes.len());
        let Some(whole) = whole else {
            return Err(format!(
                "{HEST} at {at:#x}: expected error source {index} of {count}, found none that is known"
            ));
        };
        let kind = u16_at(bytes, at).unwrap_or_default();
        if let (6..=8, Some(flags), Some(enabled)) = (kind, bytes.get(at + 6), bytes.get(at + 7)) {
            let global = flags & 2 != 0;
            sources.push(ErrorSource {
                offset: at,
                kind,
                firmware_first: flags & 1 != 0,
                global,
                enabled: *enabled != 0,
                device: if global { None } else { source_device(bytes, at) },
            });
        }
        at += whole;
    }
    Ok(sources)
}

/// Bus in bits 7:0, segment in bits 23:8 (ACPICA: ACPI_HEST_BUS, ACPI_HEST_SEGMENT).
fn source_device(bytes: &[u8], at: usize) -> Option<Bdf> {
    let bus = u32_at(bytes, at + 16)?;
    let (device, function) = (u16_at(bytes, at + 20)?, u16_at(bytes, at + 22)?);
    let text = format!("{:04x}:{:02x}:{device:02x}.{function:x}", bus >> 8 & 0xffff, bus & 0xff);
    text.parse().ok()
}

/// An error that firmware recorded before the machine started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootError {
    /// Offset of its section in the region, in bytes.
    pub offset: usize,
    /// Offset of what the section is about, behind its head, in bytes.
    pub section: usize,
    /// 0 recoverable, 1 fatal, 2 corrected, 3 none (ACPI 6.5, 18.3.2.7.1).
    pub severity: u32,
    /// Of PCI Express; otherwise of something else.
    pub pci_express: bool,
    /// The device, if the section names one.
    pub device: Option<Bdf>,
}

/// What a severity is called.
pub fn severity_name(severity: u32) -> &'static str {
    match severity {
        0 => "recoverable",
        1 => "fatal",
        2 => "corrected",
        _ => "informational",
    }
}

/// Reads the errors of the boot before. `Err`: there is no such region, or it cannot be read.
pub fn boot_errors(tree: &dyn Tree) -> Result<Vec<BootError>, TreeError> {
    Ok(errors(&read(tree, BOOT_ERRORS, LIMIT)?))
}

/// D995E954-BBC1-430F-AD91-B44DCB3C6F35 as it lies in memory (UEFI 2.10, N.2.7).
const PCI_EXPRESS: [u8; 16] =
    [0x54, 0xe9, 0x95, 0xd9, 0xc1, 0xbb, 0x0f, 0x43, 0xad, 0x91, 0xb4, 0x4d, 0xcb, 0x3c, 0x6f, 0x35];

/// The errors in such a region: one Generic Error Status Block after another until one has no status (kernel:
/// bert_print_all).
pub fn errors(bytes: &[u8]) -> Vec<BootError> {
    let mut errors = Vec::new();
    let mut block = 0;
    while let (Some(status), Some(length)) = (u32_at(bytes, block), u32_at(bytes, block + 12)) {
        let end = (block + 20).saturating_add(length as usize).min(bytes.len());
        if status & 0xf == 0 || length == 0 {
            break;
        }
        let mut at = block + 20;
        while at + 64 <= end {
            let Some(data) = u32_at(bytes, at + 24) else { break };
            // From revision 3.0 on a time stamp of eight bytes follows (ACPI 6.5, 18.3.2.7.1).
            let head = if u16_at(bytes, at + 20) >= Some(0x300) { 72 } else { 64 };
            let pci_express = bytes.get(at..at + 16) == Some(&PCI_EXPRESS);
            errors.push(BootError {
                offset: at,
                section: at.saturating_add(head),
                severity: u32_at(bytes, at + 16).unwrap_or(3),
                pci_express,
                device: if pci_express { section_device(bytes, at + head) } else { None },
            });
            at = at.saturating_add(head).saturating_add(data as usize);
        }
        // With nothing more behind it, a block is the last.
        block = match u32_at(bytes, block + 4).filter(|raw| *raw as usize >= 20) {
            Some(raw) => {
                let length = u32_at(bytes, block + 8).unwrap_or(0) as usize;
                block.saturating_add(raw as usize).saturating_add(length).max(end)
            }
            None => end,
        };
    }
    errors
}

/// The device of a section about PCI Express, if it is valid: bit 3 (UEFI 2.10, table N.12).
fn section_device(bytes: &[u8], at: usize) -> Option<Bdf> {
    if u32_at(bytes, at)? & 1 << 3 == 0 {
        return None;
    }
    let (function, device) = (bytes.get(at + 31)?, bytes.get(at + 32)?);
    let (segment, bus) = (u16_at(bytes, at + 33)?, bytes.get(at + 35)?);
    format!("{segment:04x}:{bus:02x}:{device:02x}.{function:x}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(sources: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0; 40];
        bytes[..4].copy_from_slice(b"HEST");
        bytes[36] = sources.len() as u8;
        bytes.extend(sources.concat());
        bytes
    }

    fn source(kind: u8, length: usize, flags: u8) -> Vec<u8> {
        let mut bytes = vec![0; length];
        (bytes[0], bytes[6], bytes[7]) = (kind, flags, 1);
        bytes
    }

    #[test]
    fn sources_of_every_kind_are_stepped_over() {
        let mut machine_check = source(0, 40 + 2 * 28, 0);
        machine_check[32] = 2;
        let mut corrected = source(1, 48 + 28, 0);
        corrected[44] = 1;
        let mut root_port = source(6, 48, 1);
        // Segment 1, bus 80h, device 1, function 2.
        (root_port[16], root_port[17], root_port[20], root_port[22]) = (0x80, 1, 1, 2);
        let all =
            [machine_check, corrected, source(9, 64, 0), source(10, 92, 0), root_port, source(7, 44, 3)];
        let found = parse_sources(&table(&all)).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].device.map(|d| d.to_string()).as_deref(), Some("0001:80:01.2"));
        assert!(found[0].firmware_first && !found[0].global && found[1].global);
    }

    #[test]
    fn broken_tables_are_errors_and_never_panics() {
        assert!(parse_sources(b"FACP").is_err());
        let error = parse_sources(&table(&[source(6, 20, 1)])).unwrap_err();
        assert!(error.contains("at 0x28: expected error source 0 of 1"), "{error}");
        for length in 0..200 {
            let _ = parse_sources(&vec![0xff; length]);
            let _ = errors(&vec![0xff; length]);
            let _ = errors(&vec![0x01; length]);
        }
    }

    #[test]
    fn an_error_of_the_boot_before_names_its_device() {
        let mut section = vec![0; 72 + 208];
        section[..16].copy_from_slice(&PCI_EXPRESS);
        section[16] = 1;
        section[20..22].copy_from_slice(&0x300u16.to_le_bytes());
        section[24..28].copy_from_slice(&208u32.to_le_bytes());
        (section[72], section[72 + 32], section[72 + 35]) = (1 << 3, 0, 0x82);
        let mut block = vec![0; 20];
        block[0] = 1;
        block[12..16].copy_from_slice(&(section.len() as u32).to_le_bytes());
        block.extend(section);
        block.extend([0; 64]);
        let errors = errors(&block);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].device.map(|d| d.to_string()).as_deref(), Some("0000:82:00.0"));
        assert_eq!(severity_name(errors[0].severity), "fatal");
    }
}
