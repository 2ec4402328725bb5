//! Dumps of real machines, and of this one, against what lspci makes of them.
//!
//! Runs where `PCISCOPE_CORPUS` points to a folder with `lspci-dumps`; says so and passes where it does not.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pciscope::tree::hexdump::{self, Dump};
use pciscope::tree::source::{self, Kind};
use pciscope::tree::{Tree, read};

/// Address lines followed by hex rows, counted with grep; every file not named here has one.
const FUNCTIONS: [(&str, usize); 20] = [
    ("acer.lspci.txt", 25),
    ("h310.lspci.txt", 14),
    ("huananzhi-x99-bd4.lspci.txt", 87),
    ("latitude-e6430-nvidia.lspci.txt", 22),
    ("talos2-power9.lspci.txt", 16),
    ("106371-hifive-unmatched-asm2824-pericom.1.lspci-x.txt", 18),
    ("7225-neoverse-n1sdp.lspci-x.txt", 16),
    ("95454-radeon-wx3100-aspm.lspci-x.txt", 2),
    ("COPYING", 0),
    ("bridge-ctl-vga16", 2),
    ("cap-aer-root", 2),
    ("cap-vc-and-rcl", 16),
    ("cap-vendor-virtio", 2),
    ("tree-asus-p6t6", 53),
    ("tree-fsl-p2020", 6),
    ("86324-plda-fpga-bar-reset-c.1.lspci-x.txt", 1),
    ("86324-plda-fpga-bar-reset-c.2.lspci-x.txt", 1),
    ("cap-ptm-1", 1),
    ("cap-rcec", 1),
    ("pri-pasid", 1),
];

fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("PCISCOPE_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        println!("skipped: PCISCOPE_CORPUS is not set");
    }
    corpus
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// What `lspci -n` lists, one line a function; `None` if there is no lspci or it refuses.
fn lspci(arguments: &[&str]) -> Option<String> {
    let output = Command::new("lspci").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

fn config(dump: &Dump, address: &str) -> Vec<u8> {
    read(&dump.tree, &format!("sys/bus/pci/devices/{address}/config"), 4096).unwrap()
}

#[test]
fn every_dump_holds_what_lspci_reads_from_it() {
    let Some(corpus) = corpus() else { return };
    let folders = ["coreboot-ports", "linux-pci", "pciutils"];
    let mut agreed = 0;
    for path in folders.iter().flat_map(|folder| files(&corpus.join("lspci-dumps").join(folder))) {
        let dump = hexdump::parse(&fs::read(&path).unwrap());
        let expected = FUNCTIONS.iter().find(|(file, _)| *file == name(&path)).map_or(1, |(_, count)| *count);
        assert_eq!(dump.functions, expected, "{}: {:?}", path.display(), dump.notes);
        let notes: Vec<String> = dump.notes.iter().map(ToString::to_string).collect();
        let joined = "line 5123: 0000:05:00.1: row 0xf10, cut in two by other text, is joined";
        match name(&path) {
            "huananzhi-x99-bd4.lspci.txt" => assert_eq!(notes, [joined]),
            _ => assert_eq!(notes, [""; 0], "{}", path.display()),
        }
        let file = path.to_str().unwrap();
        assert_eq!(source::open(Some(file)).is_ok_and(|source| source.kind == Kind::Dump), expected > 0);
        if expected > 0
            && let Some(listed) = lspci(&["-D", "-n", "-F", file])
        {
            let listed: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
            let mut listed: Vec<&str> = listed.into_iter().filter(|address| !address.is_empty()).collect();
            listed.sort_unstable();
            assert_eq!(dump.tree.list("sys/bus/pci/devices").unwrap(), listed, "{file}");
            // lspci prints back what it read.
            let text = lspci(&["-D", "-xxxx", "-F", file]).unwrap();
            let again = hexdump::parse(text.as_bytes());
            for address in listed {
                assert_eq!(config(&again, address), config(&dump, address), "{file} {address}");
            }
            agreed += 1;
        }
    }
    println!("lspci read {agreed} of them");
}

#[test]
fn sizes_are_those_of_the_functions() {
    let Some(corpus) = corpus() else { return };
    let ports = corpus.join("lspci-dumps/coreboot-ports");
    let dump = hexdump::parse(&fs::read(ports.join("huananzhi-x99-bd4.lspci.txt")).unwrap());
    let mut sizes = BTreeMap::new();
    for address in dump.tree.list("sys/bus/pci/devices").unwrap() {
        *sizes.entry(config(&dump, &address).len()).or_insert(0) += 1;
    }
    assert!(sizes.keys().all(|size| [256, 4096].contains(size)), "{sizes:?}");
    assert_eq!(config(&dump, "0000:05:00.1").len(), 4096);
}

#[test]
fn other_collections_of_dumps_read_as_well() {
    let Some(corpus) = corpus() else { return };
    for path in files(&corpus.join("lspci-defects")) {
        if path.extension().is_none_or(|extension| extension != "txt") {
            let dump = hexdump::parse(&fs::read(&path).unwrap());
            assert_eq!(dump.notes, [], "{}", path.display());
            let listed = lspci(&["-n", "-F", path.to_str().unwrap()]);
            let expected = listed.map_or(dump.functions, |text| text.lines().count());
            assert!(dump.functions > 0 && dump.functions == expected, "{}", path.display());
        }
    }
    for moment in files(&corpus.join("sysfs-trees/aorus-egpu")).iter().filter(|path| path.is_dir()) {
        let tree = source::open(moment.to_str()).unwrap().tree;
        let dump = hexdump::parse(&fs::read(moment.join("lspci-xxxx.txt")).unwrap());
        assert_eq!(dump.notes, [], "{}", moment.display());
        assert_eq!(
            dump.tree.list("sys/bus/pci/devices").unwrap(),
            tree.list("sys/bus/pci/devices").unwrap(),
            "{}",
            moment.display()
        );
    }
}

/// The bytes of this machine. A register that changes while it is read is read again, a few times.
#[test]
fn this_machine_reads_the_same_through_lspci() {
    let live = Path::new("/sys/bus/pci/devices");
    if !live.is_dir() {
        return println!("skipped: there is no {}", live.display());
    }
    let mut different = Vec::new();
    for _ in 0..3 {
        let Some(text) = lspci(&["-D", "-xxxx"]) else { return println!("skipped: there is no lspci") };
        let dump = hexdump::parse(text.as_bytes());
        let addresses = dump.tree.list("sys/bus/pci/devices").unwrap_or_default();
        assert_eq!(addresses.len(), files(live).len());
        different = addresses;
        different
            .retain(|address| config(&dump, address) != fs::read(live.join(address).join("config")).unwrap());
        if different.is_empty() {
            break;
        }
    }
    assert_eq!(different, [""; 0]);
}
