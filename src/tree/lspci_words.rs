//! What `lspci -v` says of a function beside its registers, as the files that it read it from: driver, NUMA node, slot,
//! IOMMU group, and who a function is that no longer answers (pciutils, lspci.c, show_verbose; ls-kernel.c).
//!
//! lspci reads identifiers from sysfs, where the kernel keeps them: of a function whose registers read all-ones they are
//! all that is known.

use std::collections::{BTreeMap, BTreeSet};

use super::MemoryTree;
use super::hexline::Line;
use crate::pci::Bdf;

/// Longest word that is taken.
const WORD: usize = 128;
/// Most functions, as in a dump.
const FUNCTIONS: usize = 65_536;

/// What is said of one function.
#[derive(Default)]
struct Said {
    identity: Option<Identity>,
    driver: Option<String>,
    numa_node: Option<String>,
    slot: Option<String>,
    iommu_group: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    class: u16,
    vendor: u16,
    device: u16,
    revision: u8,
}

/// Adds what a text says to the tree of its dump. Functions that have no configuration space there are left out.
pub(super) fn add(mut tree: MemoryTree, text: &[u8]) -> MemoryTree {
    let mut all: BTreeMap<Bdf, Said> = BTreeMap::new();
    let mut current = None;
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(line) = str::from_utf8(line) else { continue };
        if !line.starts_with(['\t', ' ']) {
            match Line::of(line.trim_end().as_bytes()) {
                Line::Address(address) if all.len() < FUNCTIONS => {
                    let said = all.entry(address).or_default();
                    said.identity = said.identity.or_else(|| identity(line));
                    current = Some(address);
                }
                Line::Row(_) => {}
                _ => current = None,
            }
            continue;
        }
        let Some(said) = current.and_then(|address| all.get_mut(&address)) else { continue };
        let Some((name, value)) = line.trim().split_once(": ") else { continue };
        let to = match name {
            "Kernel driver in use" => &mut said.driver,
            "NUMA node" => &mut said.numa_node,
            "Physical Slot" => &mut said.slot,
            "IOMMU group" => &mut said.iommu_group,
            _ => continue,
        };
        to.get_or_insert_with(|| value.to_owned());
    }
    let mut slots = BTreeSet::new();
    for (address, said) in all {
        let folder = format!("sys/bus/pci/devices/{address}");
        let Some(silent) = is_silent(&tree, &format!("{folder}/config")) else { continue };
        let mut put = |name: String, text: String| {
            if tree.stored(&name).is_none() {
                tree.add_file(name, text.into_bytes().into());
            }
        };
        if let (true, Some(Identity { class, vendor, device, revision })) = (silent, said.identity) {
            put(format!("{folder}/vendor"), format!("{vendor:#06x}\n"));
            put(format!("{folder}/device"), format!("{device:#06x}\n"));
            put(format!("{folder}/class"), format!("{class:#06x}00\n"));
            put(format!("{folder}/revision"), format!("{revision:#04x}\n"));
        }
        if let Some(node) = said.numa_node.filter(|node| node.parse::<i32>().is_ok()) {
            put(format!("{folder}/numa_node"), format!("{node}\n"));
        }
        // A slot has all functions of a device; it is named once.
        let device = format!("{:04x}:{:02x}:{:02x}", address.domain, address.bus, address.device);
        if let Some(slot) = said.slot.filter(|slot| is_name(slot))
            && slots.insert(slot.clone())
        {
            put(format!("sys/bus/pci/slots/{slot}/address"), format!("{device}\n"));
        }
        if let Some(driver) = said.driver.filter(|driver| is_name(driver)) {
            tree.add_link(format!("{folder}/driver"), format!("../../../../bus/pci/drivers/{driver}"));
        }
        if let Some(group) = said.iommu_group.filter(|group| group.parse::<u32>().is_ok()) {
            tree.add_link(
                format!("{folder}/iommu_group"),
                format!("../../../../kernel/iommu_groups/{group}"),
            );
        }
    }
    tree
}

/// Whether the first bytes of configuration space are all-ones; `None` without them.
fn is_silent(tree: &MemoryTree, config: &str) -> Option<bool> {
    let file = super::Tree::open(tree, config).ok()?;
    let mut start = [0; 4];
    let read = file.read_at(0, &mut start).ok()?;
    Some(read == 4 && start == [0xff; 4])
}

/// Whether a word can be one component of a path.
fn is_name(word: &str) -> bool {
    let good = |c: char| c.is_ascii_graphic() && c != '/';
    !word.is_empty() && word.len() <= WORD && !matches!(word, "." | "..") && word.chars().all(good)
}

/// `82:00.0 VGA compatible controller [0300]: NVIDIA Corporation Device [10de:2b85] (rev a1)` of `lspci -nn`, or
/// `82:00.0 0300: 10de:2b85 (rev a1)` of `lspci -n`.
fn identity(line: &str) -> Option<Identity> {
    let (_, rest) = line.split_once(' ')?;
    let (class, rest) = rest.split_once(": ")?;
    let class = class.strip_suffix(']').map_or(Some(class), |class| Some(class.rsplit_once('[')?.1))?;
    let number = |text: &str| (text.len() == 4).then(|| u16::from_str_radix(text, 16).ok()).flatten();
    let class = number(class)?;
    let (rest, revision) = match rest.rsplit_once(" (rev ") {
        Some((rest, revision)) => (rest, u8::from_str_radix(revision.get(..2)?, 16).ok()?),
        None => (rest, 0),
    };
    let rest = rest.split(" (prog-if").next()?.trim_end();
    let ids = rest.strip_suffix(']').map_or(Some(rest), |rest| Some(rest.rsplit_once('[')?.1))?;
    let (vendor, device) = ids.split_once(':')?;
    let (vendor, device) = (number(vendor)?, number(device)?);
    // lspci that was not given identifiers shows what the bus gave.
    (vendor != 0xffff).then_some(Identity { class, vendor, device, revision })
}

#[cfg(test)]
mod tests {
    use super::super::{hexdump, read_text};
    use super::*;

    #[test]
    fn who_it_was_is_known_of_a_function_that_is_gone() {
        let row = |byte: &str| format!("00:{}\n", format!(" {byte}").repeat(16));
        let text = format!(
            "0000:82:00.0 VGA compatible controller [0300]: NVIDIA Corporation Device [10de:2b85] (rev a1) (prog-if 00 [VGA controller])\n\
             \tPhysical Slot: 6\n\tNUMA node: 1\n\tKernel driver in use: nvidia\n\
             \tKernel modules: nouveau\n{}\n\
             01:00.0 0108: 144d:a80a\n\tKernel driver in use: ../x\n{}",
            row("ff"),
            row("11")
        );
        let tree = add(hexdump::parse(text.as_bytes()).tree, text.as_bytes());
        let read = |path: &str| read_text(&tree, &format!("sys/bus/pci/devices/{path}")).ok();
        assert_eq!(read("0000:82:00.0/vendor").as_deref(), Some("0x10de"));
        assert_eq!(read("0000:82:00.0/device").as_deref(), Some("0x2b85"));
        assert_eq!(read("0000:82:00.0/class").as_deref(), Some("0x030000"));
        assert_eq!(read("0000:82:00.0/revision").as_deref(), Some("0xa1"));
        assert_eq!(read("0000:82:00.0/numa_node").as_deref(), Some("1"));
        assert_eq!(read("0000:01:00.0/vendor"), None, "it answers for itself");
        assert_eq!(read_text(&tree, "sys/bus/pci/slots/6/address").unwrap(), "0000:82:00");
        let link = |path: &str| super::super::Tree::read_link(&tree, path).ok();
        let driver = link("sys/bus/pci/devices/0000:82:00.0/driver").unwrap();
        assert!(driver.ends_with("/drivers/nvidia"));
        assert_eq!(link("sys/bus/pci/devices/0000:01:00.0/driver"), None, "no name of a driver");
    }
}
