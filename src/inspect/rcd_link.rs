//! The link of a Restricted CXL Device: one of CXL 1.1, or one that runs as such.
//!
//! It appears as an endpoint integrated in the root complex, so its configuration space has no link registers. They are in
//! the Root Complex Register Block of the device's upstream port, in memory space (CXL 3.1, 8.2.1.2), from where Linux's
//! driver cxl_pci reads them anew for whoever opens `rcd_link_cap`, `rcd_link_ctrl` and `rcd_link_status` (6.12 and
//! later; rcd_pcie_cap_emit in drivers/cxl/pci.c). The files hold hexadecimal numbers without a prefix.

use std::collections::BTreeMap;

use crate::inspect::show::{FieldValue, field_value};
use crate::machine::Function;
use crate::pci::capability::express::{LinkCapabilities, LinkControl, LinkStatus};
use crate::pci::decode::Placed;
use crate::pci::register::{Register, RegisterType};
use crate::pci::reserved;

/// A link register of a Restricted CXL Device, out of a file of the kernel.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct RcdRegister {
    /// Short name, as lspci or the kernel write it.
    pub short: &'static str,
    /// Width in bytes.
    pub width: u8,
    /// The value; `null` if it was not read.
    pub raw: Option<u64>,
    /// Reserved bits that are set although they should be zero.
    pub reserved: u64,
    /// Its fields, as those of the PCI Express capability are called.
    pub fields: BTreeMap<&'static str, FieldValue>,
    /// Why it was not read; `null` if it was.
    pub unread: Option<String>,
}

/// Files, and the register that each holds.
const FILES: [(&str, &Register); 3] = [
    ("rcd_link_cap", LinkCapabilities::REGISTER),
    ("rcd_link_ctrl", LinkControl::REGISTER),
    ("rcd_link_status", LinkStatus::REGISTER),
];

/// The link registers by the file that they are from; empty if the function is no Restricted CXL Device, or the source
/// has no such files.
pub fn rcd_link(function: &Function) -> BTreeMap<&'static str, RcdRegister> {
    let register = |(_, placed, unread): (_, Placed, _)| RcdRegister {
        short: placed.register.short,
        width: placed.register.width,
        raw: placed.raw,
        reserved: reserved::bits(&placed),
        fields: placed.register.fields.iter().map(|f| (f.key, field_value(f, placed.raw))).collect(),
        unread,
    };
    placed(function).map(|one| (one.0, register(one))).collect()
}

/// The same as registers, each with its file and the reason why it was not read. Offsets are those in the PCI Express
/// capability, wherever that is.
pub fn placed(function: &Function) -> impl Iterator<Item = (&'static str, Placed, Option<String>)> + '_ {
    FILES.into_iter().filter_map(|(file, register)| {
        let number = match function.reading.answer(file)? {
            Ok(text) => number(file, text, register),
            Err(crate::tree::Cause::Errno(nix::errno::Errno::ENOENT)) => return None,
            Err(cause) => Err(format!("{file}: {cause}")),
        };
        let (raw, unread) = match number {
            Ok(raw) => (Some(raw), None),
            Err(why) => (None, Some(why)),
        };
        Some((file, Placed { register, group: None, within: None, offset: register.offset, raw }, unread))
    })
}

fn number(file: &str, text: &str, register: &Register) -> Result<u64, String> {
    let digits = text.trim().trim_start_matches("0x");
    let most = u64::MAX >> (64 - 8 * u32::from(register.width));
    match u64::from_str_radix(digits, 16) {
        Ok(number) if number <= most && !digits.starts_with('+') => Ok(number),
        _ => Err(format!(
            "{file}: expected a hexadecimal number of at most {} digits, got {text:?}",
            2 * register.width
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::reading::Depth;
    use crate::machine::{DEADLINE, Machine, Scope, load};
    use crate::tree::MemoryTree;

    const FOLDER: &str = "sys/bus/pci/devices/0000:35:00.0";

    /// A CXL memory device: an endpoint of this port type with the DVSEC of CXL devices.
    fn config(port_type: u8) -> Vec<u8> {
        let mut config = vec![0; 4096];
        config[..12].copy_from_slice(&[0x86, 0x80, 0x93, 0x0d, 6, 0, 0x10, 0, 1, 0x10, 0x02, 0x05]);
        config[0x34] = 0x40;
        config[0x40..0x44].copy_from_slice(&[0x10, 0, 2 | port_type << 4, 0]);
        config[0x100..0x104].copy_from_slice(&[0x23, 0, 1, 0]);
        config[0x104..0x10a].copy_from_slice(&[0x98, 0x1e, 0x82, 0x03, 0, 0]);
        config
    }

    fn machine(port_type: u8, files: &[(&str, &str)]) -> Machine {
        let mut tree = MemoryTree::complete().file(format!("{FOLDER}/config"), config(port_type));
        for (name, text) in files {
            tree = tree.file(format!("{FOLDER}/{name}"), text.as_bytes());
        }
        let scope = Scope {
            depth: Depth::Detail,
            wanted: &|_| true,
            wake: false,
            deadline: DEADLINE,
            vital_product_data: false,
        };
        load(&tree, false, scope).unwrap()
    }

    const FILES: &[(&str, &str)] =
        &[("rcd_link_cap", "7a504105\n"), ("rcd_link_ctrl", "40\n"), ("rcd_link_status", "1084\n")];

    #[test]
    fn the_link_of_a_restricted_device_is_that_of_the_files() {
        let link = rcd_link(&machine(9, FILES).functions[0]);
        let text = |file: &str, field: &str| link[file].fields[field].text.clone();
        assert_eq!(text("rcd_link_cap", "max_link_speed"), "32 GT/s");
        assert_eq!(text("rcd_link_cap", "maximum_link_width"), "x16");
        assert_eq!(text("rcd_link_ctrl", "common_clock_configuration"), "yes");
        assert_eq!(text("rcd_link_status", "current_link_speed"), "16 GT/s");
        assert_eq!(text("rcd_link_status", "negotiated_link_width"), "x8");
        assert_eq!((link["rcd_link_status"].raw, link["rcd_link_status"].short), (Some(0x1084), "LnkSta"));
    }

    #[test]
    fn what_is_no_restricted_device_is_not_asked() {
        let machine = machine(0, FILES);
        assert!(machine.functions[0].reading.answer("rcd_link_cap").is_none());
        assert!(rcd_link(&machine.functions[0]).is_empty());
    }

    #[test]
    fn what_is_not_there_or_is_no_number_is_never_a_value() {
        assert!(rcd_link(&machine(9, &[]).functions[0]).is_empty());
        let link =
            rcd_link(&machine(9, &[("rcd_link_ctrl", "10040\n"), ("rcd_link_status", "\n")]).functions[0]);
        assert_eq!(link.len(), 2);
        assert_eq!(
            link["rcd_link_ctrl"].unread.as_deref(),
            Some("rcd_link_ctrl: expected a hexadecimal number of at most 4 digits, got \"10040\"")
        );
        assert!(link["rcd_link_status"].raw.is_none());
        assert!(link["rcd_link_status"].fields.values().all(|f| f.raw.is_none()));
    }
}
