//! How much is read of a function: files and bytes of configuration space, counted.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use pciscope::machine::reading::{self, Depth, Order};
use pciscope::pci::Bdf;
use pciscope::tree::{Directory, File, Result, Tree, Window};

/// A tree that notes what is read of it.
struct Counting {
    tree: Box<dyn Tree>,
    counts: Arc<Mutex<Counts>>,
    /// What `config` reads as, instead of what it holds.
    dead: bool,
}

#[derive(Default)]
struct Counts {
    opened: Vec<String>,
    doublewords: Vec<u64>,
}

struct CountingFile {
    file: Box<dyn File>,
    counts: Option<Arc<Mutex<Counts>>>,
    dead: bool,
}

impl Tree for Counting {
    fn open(&self, path: &str) -> Result<Box<dyn File>> {
        self.counts.lock().unwrap().opened.push(path.to_owned());
        let file = self.tree.open(path)?;
        let counts = (path == "config").then(|| self.counts.clone());
        Ok(Box::new(CountingFile { file, counts, dead: self.dead }))
    }
    fn read_link(&self, path: &str) -> Result<String> {
        self.tree.read_link(path)
    }
    fn list(&self, path: &str) -> Result<Vec<String>> {
        self.tree.list(path)
    }
    fn enter(&self, path: &str) -> Result<Box<dyn Tree>> {
        let tree = self.tree.enter(path)?;
        Ok(Box::new(Counting { tree, counts: self.counts.clone(), dead: self.dead }))
    }
    fn window(&self, path: &str, offset: u64, length: usize) -> Result<Window> {
        self.tree.window(path, offset, length)
    }
}

impl File for CountingFile {
    fn size(&self) -> u64 {
        self.file.size()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let read = self.file.read_at(offset, buffer)?;
        if let Some(counts) = &self.counts {
            counts.lock().unwrap().doublewords.extend((offset / 4)..(offset + read as u64).div_ceil(4));
            if self.dead {
                buffer.fill(0xff);
            }
        }
        Ok(read)
    }
}

const MACHINES: [&str; 2] =
    ["sysfs-fixtures/machines/two-socket-gpu-server", "sysfs-fixtures/machines/qemu-q35-gpu"];

fn functions() -> impl Iterator<Item = (&'static str, Bdf)> {
    MACHINES.into_iter().flat_map(|machine| {
        let tree = Directory::open(machine.as_ref()).unwrap();
        let names = tree.list(reading::DEVICES).unwrap();
        names.into_iter().map(move |name| (machine, name.parse().unwrap()))
    })
}

/// Reads one function and gives what that took.
fn count((machine, address): (&str, Bdf), depth: Depth, dead: bool) -> Counts {
    let counts = Arc::new(Mutex::new(Counts::default()));
    let tree = Box::new(Directory::open(machine.as_ref()).unwrap());
    let tree = Counting { tree, counts: counts.clone(), dead };
    reading::read(
        &tree,
        Order {
            address,
            depth,
            bridge_asleep: false,
            wake: false,
            remembered: false,
            vital_product_data: false,
        },
    );
    std::mem::take(&mut *counts.lock().unwrap())
}

#[test]
fn a_dead_function_costs_four_doublewords() {
    for function in functions() {
        for depth in [Depth::Summary, Depth::Detail, Depth::Full, Depth::Bytes] {
            let counts = count(function, depth, true);
            assert!(counts.doublewords.len() <= 4, "{function:?}: {:?}", counts.doublewords);
        }
    }
}

/// Header and one doubleword behind it, the headers of capabilities, four doublewords of the PCI Express capability.
#[test]
fn a_line_of_list_needs_three_files_and_little_configuration_space() {
    for function in functions() {
        let counts = count(function, Depth::Summary, false);
        let answered = counts.doublewords.len() > 4;
        assert!(counts.doublewords.len() <= 17 + 8 + 4, "{function:?}: {:?}", counts.doublewords);
        assert!(!answered || counts.opened.len() == 3, "{function:?}: {:?}", counts.opened);
    }
}

#[test]
fn nothing_is_read_twice() {
    for function in functions() {
        for depth in [Depth::Summary, Depth::Detail, Depth::Full, Depth::Bytes] {
            let counts = count(function, depth, false);
            let doublewords: HashSet<_> = counts.doublewords.iter().collect();
            assert_eq!(doublewords.len(), counts.doublewords.len(), "{function:?} at {depth:?}");
            let opened: HashSet<_> = counts.opened.iter().collect();
            assert_eq!(opened.len(), counts.opened.len(), "{function:?} at {depth:?}: {:?}", counts.opened);
        }
    }
}

/// What `show` prints needs fewer files than what programs are given.
#[test]
fn text_reads_no_more_than_it_prints() {
    for function in functions() {
        let [detail, full] = [Depth::Detail, Depth::Full].map(|depth| count(function, depth, false).opened);
        assert!(detail.len() <= 16 && detail.len() < full.len(), "{function:?}: {detail:?}");
        assert!(detail.iter().all(|path| full.contains(path)), "{function:?}: {detail:?}");
    }
}
