//! Which functions there are, and which bridge is above which.

use crate::pci::Bdf;
use crate::tree::{Tree, TreeError, join_link};

use super::reading::DEVICES;

/// One entry of `sys/bus/pci/devices`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The function.
    pub address: Bdf,
    /// Path of its folder, without links as far as the tree tells: every link on the way costs.
    pub path: String,
    /// The bridge directly above it, if the tree tells.
    pub parent: Option<Bdf>,
    /// Name of the host bridge, such as `pci0000:80`.
    pub host_bridge: Option<String>,
    /// Whether the entry is a link into the hierarchy, as in sysfs. In a flat tree the hierarchy is only in the bus
    /// numbers of the bridges.
    pub linked: bool,
}

/// What the folder of functions holds.
#[derive(Debug, Clone, Default)]
pub struct Enumeration {
    /// Functions by address.
    pub entries: Vec<Entry>,
    /// Names that are no addresses.
    pub strange: Vec<String>,
}

/// Lists the functions. A machine without PCI (no such folder) is an error that says so.
///
/// `live`: threads must not be used yet (see [`super::load`]).
pub fn enumerate(tree: &dyn Tree, live: bool) -> Result<Enumeration, TreeError> {
    let names = tree.list(DEVICES)?;
    let folder = tree.enter(DEVICES)?;
    let entry = |name: String| {
        let Ok(address) = name.parse::<Bdf>() else { return Err(name) };
        let target = folder.read_link(&name).ok();
        let (parent, host_bridge) = target.as_deref().map_or((None, None), hierarchy);
        let linked = target.is_some();
        let listed = format!("{DEVICES}/{name}");
        let path = target.map(|target| join_link(&listed, &target)).unwrap_or(listed);
        Ok(Entry { address, path, parent, host_bridge, linked })
    };
    let found = if live { names.into_iter().map(entry).collect() } else { super::in_threads(names, entry) };
    let mut enumeration = Enumeration::default();
    for entry in found {
        match entry {
            Ok(entry) => enumeration.entries.push(entry),
            Err(name) => enumeration.strange.push(name),
        }
    }
    enumeration.entries.sort_by_key(|e| e.address);
    Ok(enumeration)
}

/// Bridge above and host bridge, out of a link such as `../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0`.
fn hierarchy(target: &str) -> (Option<Bdf>, Option<String>) {
    let mut above = target.rsplit('/').skip(1);
    let parent = above.next().and_then(|name| name.parse::<Bdf>().ok());
    let host_bridge = target.rsplit('/').find(|part| part.starts_with("pci")).map(str::to_owned);
    (parent, host_bridge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemoryTree;

    #[test]
    fn the_link_tells_the_hierarchy() {
        let tree = MemoryTree::complete()
            .link(format!("{DEVICES}/0000:01:00.0"), "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0")
            .link(format!("{DEVICES}/0000:00:01.0"), "../../../devices/pci0000:00/0000:00:01.0")
            .link(
                format!("{DEVICES}/10000:e1:00.0"),
                "../../../devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0",
            )
            .file(format!("{DEVICES}/0000:05:00.0/config"), [0; 64])
            .file(format!("{DEVICES}/rubbish"), "");
        let found = enumerate(&tree, false).unwrap();
        assert_eq!(found.strange, ["rubbish"]);
        assert_eq!(found.entries[1].path, "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0");
        assert_eq!(found.entries[2].path, "sys/bus/pci/devices/0000:05:00.0");
        let row = |i: usize| {
            let e: &Entry = &found.entries[i];
            (e.address.to_string(), e.parent.map(|p| p.to_string()), e.host_bridge.clone(), e.linked)
        };
        assert_eq!(row(0), ("0000:00:01.0".into(), None, Some("pci0000:00".into()), true));
        assert_eq!(
            row(1),
            ("0000:01:00.0".into(), Some("0000:00:01.0".into()), Some("pci0000:00".into()), true)
        );
        assert_eq!(row(2), ("0000:05:00.0".into(), None, None, false));
        assert_eq!(
            row(3),
            ("10000:e1:00.0".into(), Some("10000:e0:06.0".into()), Some("pci10000:e0".into()), true)
        );
    }
}
