//! What stands in a side instead of personal data: it cannot be compared with data, nor with other pseudonyms.

use std::collections::BTreeMap;

use crate::pci::Bdf;

/// Why a value was not compared.
pub const WHY: &str = "a pseudonym stands in its place since it was captured";

/// Personal data that was replaced in a side, by file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Which pseudonyms they are, if the side tells.
    pub pseudonyms: Option<String>,
    /// Offsets and lengths of what was replaced, by path without a leading `/`; functions by `ADDRESS/FILE`. Empty where only
    /// the file is known.
    pub files: BTreeMap<String, Vec<[u64; 2]>>,
}

impl Replaced {
    /// Adds a file that something was replaced in.
    pub fn add(&mut self, path: &str, ranges: &[[u64; 2]]) {
        let path = path.trim_start_matches('/');
        let mut last = path.rsplitn(3, '/');
        let (name, folder) = (last.next().unwrap_or_default(), last.next().unwrap_or_default());
        let path = match folder.parse::<Bdf>() {
            Ok(address) => format!("{address}/{name}"),
            Err(_) => path.to_owned(),
        };
        self.files.entry(path).or_default().extend(ranges);
    }

    /// Whether something was replaced in a file.
    pub fn in_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Whether something was replaced in configuration space of a function, within a register or a capability.
    pub fn in_registers(&self, address: Bdf, offset: u16, length: usize) -> bool {
        let (start, end) = (u64::from(offset), u64::from(offset) + length as u64);
        let ranges = self.files.get(&format!("{address}/config"));
        let overlaps = |[at, length]: &[u64; 2]| *at < end && at.saturating_add(*length) > start;
        ranges.is_some_and(|ranges| ranges.iter().any(overlaps))
    }

    /// The file that a value of a function is read from, if personal data may be in it.
    pub fn in_value(&self, address: Bdf, path: &str) -> bool {
        let file = match path.split(['.', '[']).next() {
            Some("label") => "label",
            Some("vpd") => "vpd",
            _ => return false,
        };
        self.in_file(&format!("{address}/{file}"))
    }

    /// The same of the machine as a whole.
    pub fn in_machine(&self, path: &str) -> bool {
        const FILES: &[(&str, &str)] = &[
            ("kernel", "proc/version"),
            ("command_line", "proc/cmdline"),
            ("board.vendor", "sys/class/dmi/id/sys_vendor"),
            ("board.product", "sys/class/dmi/id/product_name"),
            ("board.board_vendor", "sys/class/dmi/id/board_vendor"),
            ("board.board", "sys/class/dmi/id/board_name"),
            ("board.firmware_vendor", "sys/class/dmi/id/bios_vendor"),
            ("board.firmware_version", "sys/class/dmi/id/bios_version"),
            ("board.firmware_date", "sys/class/dmi/id/bios_date"),
        ];
        FILES.iter().any(|(of, file)| *of == path && self.in_file(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_functions_are_found_by_their_address() {
        let address = Bdf { domain: 0, bus: 0x82, device: 0, function: 0 };
        let mut replaced = Replaced::default();
        replaced.add("/sys/devices/pci0000:80/0000:80:01.1/0000:82:00.0/config", &[[0x104, 8]]);
        replaced.add("/proc/cmdline", &[]);
        for (offset, length, expected) in
            [(0x104, 4, true), (0x108, 4, true), (0x10c, 4, false), (0x100, 4, false), (0x100, 12, true)]
        {
            assert_eq!(replaced.in_registers(address, offset, length), expected, "{offset:#x}");
        }
        assert!(replaced.in_machine("command_line") && !replaced.in_machine("kernel"));
        assert!(!replaced.in_value(address, "label"));
    }
}
