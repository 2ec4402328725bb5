//! Where machines and texts about them come from.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pciscope::machine::reading::Depth;
use pciscope::machine::{DEADLINE, Function, Scope, load};
use pciscope::pci::Bdf;
use pciscope::tree::{Directory, Tree, hexdump};

use super::compare::{Comparison, Place};
use super::differences::REFUSED;
use super::lspci::{self, Output};
use super::tally::Tally;
use super::text;
use super::walking;

/// What neither side reads of a capture; unpacking takes longer than everything else.
const PASSED_OVER: [&str; 24] = [
    "sys/class",
    "sys/kernel",
    "sys/module",
    "sys/bus/*/drivers",
    "sys/bus/pci/slots",
    "sys/devices/[^p]*",
    "sys/devices/p[^c]*",
    "*/power",
    "*/msi_irqs",
    "*/net",
    "*/nvme",
    "*/ptp",
    "*/drm",
    "*/graphics",
    "*/iommu",
    "*/wakeup",
    "*/pci_bus",
    "*:pcie[0-9]*",
    "*/virtio[0-9]*",
    "*/usb[0-9]*",
    "*/ata[0-9]*",
    "*/host[0-9]*",
    "*/*_link_*",
    "*/local_*",
];

/// Text by the lspci of somebody else, stored beside what it is about.
pub const STORED: &str = "lspci 3.14, stored";
/// Text by the lspci of the machine that was captured.
pub const CAPTURED: &str = "lspci of the captured machine";
/// The lspci on `PATH` about functions made for the purpose.
pub const MADE: &str = "lspci on PATH, walking through every encoding";
/// Text in a dump itself, by the lspci that made it, which knew more than the dump holds.
pub const DUMPED: &str = "lspci that made the dump";
/// The lspci on `PATH`.
pub const HERE: &str = "lspci on PATH";

/// Compares everything there is.
pub struct Run {
    pub tally: Tally,
    /// Whether there is an lspci.
    pub lspci: bool,
}

impl Run {
    /// Files in one format, each with a text of lspci 3.14 stored elsewhere.
    pub fn dumps(&mut self, folder: &Path, stored: impl Fn(&Path) -> PathBuf) {
        for path in files(folder) {
            let bytes = fs::read(&path).expect("the corpus can be read");
            let dump = hexdump::parse(&bytes);
            if dump.functions == 0 {
                continue;
            }
            let functions = functions(&dump.tree);
            let source = name(&path);
            if self.lspci {
                self.against(HERE, &source, &lspci::of_dump(&path), &functions);
            }
            // Decoded text before the hex rows of each function. In the dumps of pciutils that is by versions so old
            // that they say little; the two others decode the same bytes.
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let decoded = text::parse(&text).iter().any(|function| !function.header.is_empty());
            if decoded && !folder.ends_with("pciutils") {
                self.against(DUMPED, &source, &Output { text, trouble: None }, &functions);
            }
            if let Ok(text) = fs::read_to_string(stored(&path)) {
                let ended = text.lines().last().filter(|last| last.contains("exit ") && *last != "exit 0");
                let trouble = ended.map(str::to_owned);
                self.against(STORED, &source, &Output { text, trouble }, &functions);
            }
        }
    }

    /// Functions made for the purpose.
    pub fn walks(&mut self) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for walk in walking::walks() {
            let file = folder.path().join("dump");
            fs::write(&file, &walk.dump).expect("a temporary folder can be written");
            self.against(MADE, &walk.name, &lspci::of_dump(&file), &walk.functions);
        }
    }

    /// A folder shaped like `/`, and whatever the lspci of that machine left in it.
    pub fn tree(&mut self, root: &Path) {
        let directory = Directory::open(root).expect("the folder can be opened");
        let functions = functions(&directory);
        let source = name(root);
        if self.lspci && lspci::links_are_text(root) {
            let copy = tempfile::tempdir().expect("a temporary folder");
            lspci::copy_tree(&root.join("sys"), &copy.path().join("sys"));
            self.against(HERE, &source, &lspci::of_tree(copy.path()), &functions);
        } else if self.lspci {
            self.against(HERE, &source, &lspci::of_tree(root), &functions);
        }
        for file in ["reference-lspci-vvv.txt", "capture/lspci-vvv.txt"] {
            if let Ok(text) = fs::read_to_string(root.join(file)) {
                self.against(CAPTURED, &source, &Output { text, trouble: None }, &functions);
            }
        }
    }

    /// Captures, packed.
    pub fn captures(&mut self, folder: &Path) {
        for path in files(folder).iter().filter(|p| p.extension().is_some_and(|e| e == "zst")) {
            let name = name(path);
            let name = name.trim_end_matches(".tar.zst");
            let prefix = format!("{name}-");
            let mut unpacked = tempfile::Builder::new();
            unpacked.prefix(&prefix);
            // A capture is thousands of small files: several times faster in memory.
            let unpacked = unpacked.tempdir_in("/dev/shm").or_else(|_| unpacked.tempdir());
            let unpacked = unpacked.expect("a temporary folder");
            let tar = Command::new("tar")
                .arg("--zstd")
                .arg("-xf")
                .arg(path)
                .arg("-C")
                .arg(unpacked.path())
                .args(PASSED_OVER.map(|name| format!("--exclude={name}")))
                .args(["sys", "capture/lspci-vvv.txt"])
                .status();
            assert!(tar.expect("tar is on PATH").success(), "{} cannot be unpacked", path.display());
            let functions = functions(&Directory::open(unpacked.path()).expect("the folder can be opened"));
            if self.lspci {
                self.against(HERE, name, &lspci::of_tree(unpacked.path()), &functions);
            }
            let text = fs::read_to_string(unpacked.path().join("capture/lspci-vvv.txt"));
            let text = text.expect("every capture has the text of lspci");
            self.against(CAPTURED, name, &Output { text, trouble: None }, &functions);
        }
    }

    fn against(&mut self, referee: &'static str, source: &str, output: &Output, ours: &[Function]) {
        let at = format!("{referee}: {source}");
        if let Some(trouble) = &output.trouble {
            let listed = REFUSED.iter().position(|r| source.ends_with(r.source));
            match listed {
                Some(index) => drop(self.tally.refused.insert(index)),
                None => self.tally.fail(format!("lspci does not read it: {trouble}"), &at),
            }
        }
        let functions = text::parse(&output.text);
        self.tally.referees.entry(referee).or_default().files += 1;
        for (index, text) in functions.iter().enumerate() {
            match ours.binary_search_by_key(&text.address, |function| function.address) {
                Ok(found) => {
                    let cut = output.trouble.is_some() && index + 1 == functions.len();
                    let place = Place { referee, source, cut };
                    Comparison { tally: &mut self.tally, place }.function(text, &ours[found]);
                }
                Err(_) => self.tally.fail(format!("{}: only lspci has this function", text.address), &at),
            }
        }
        let theirs: BTreeSet<Bdf> = functions.iter().map(|text| text.address).collect();
        let missing = ours.iter().filter(|function| !theirs.contains(&function.address));
        if output.trouble.is_none() {
            for function in missing {
                self.tally.fail(format!("{}: only pciscope has this function", function.address), &at);
            }
        }
    }
}

/// Everything in a tree, read as far as it goes.
fn functions(tree: &dyn Tree) -> Vec<Function> {
    let scope = Scope {
        depth: Depth::Bytes,
        wanted: &|_| true,
        wake: true,
        deadline: DEADLINE,
        vital_product_data: false,
    };
    load(tree, false, scope).expect("the tree has functions").functions
}

/// What is in a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
