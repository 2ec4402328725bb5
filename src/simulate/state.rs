//! The machine while it is simulated: files, functions with their registers, the kernel log, the time.
//!
//! Files that are copies of the kernel stay as they are until somebody changes them. What the kernel reads from a
//! function at each access (`config`, link attributes, MMIO) follows from [`Function`] when the tree is made.

use std::collections::BTreeMap;

use nix::errno::Errno;

use super::clock::{Microseconds, Random};
use super::config::Config;
use super::document::Mistake;
use super::kernel::Kernel;
use crate::pci::Bdf;

/// What a file holds, or what reading it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Bytes.
    Bytes(Vec<u8>),
    /// A link, with its text.
    Link(String),
    /// Reading it fails; `stat` says this size.
    Error(Errno, u64),
    /// Bytes that take time: microseconds for every four of them.
    Slow(Vec<u8>, Microseconds),
    /// Different bytes with every read from the start; the last ones stay.
    Changing(Vec<Vec<u8>>),
}

/// What a function says when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Its registers.
    Registers,
    /// Nothing: the root complex makes up all-ones (PCIe 6.2, 2.3.2).
    AllOnes,
    /// Request Retry Status: 0001h as vendor ID, all-ones behind it (PCIe 6.2, 2.3.1).
    NotReady,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its address.
    pub address: Bdf,
    /// Its folder below the root, `sys/devices/…`.
    pub folder: String,
    /// Its registers.
    pub config: Config,
    /// Its registers when the kernel found it.
    pub enumerated: Config,
    /// What it says when it is read.
    pub answer: Answer,
    /// The kernel marked it disconnected (pci_dev_set_disconnected).
    pub marked: bool,
    /// Microseconds that each doubleword of configuration space takes.
    pub delay: Microseconds,
    /// Bytes of configuration space that the reader may have, where that is not all of it.
    pub readable: Option<usize>,
    /// Link attributes that change with every read, as (speed encoding, width).
    pub flapping: Vec<(u64, u64)>,
    /// Since when its link changes, if it does.
    pub flapping_since: Microseconds,
    /// Since when it sends no interrupts, if it does not.
    pub silent_since: Option<Microseconds>,
    /// Its messages reach a processor.
    pub delivers: bool,
    /// Something happened to it, so that its live files have to be made again.
    pub touched: bool,
}

/// How long after an event what is said of it still belongs to the moment of the event: a second. A moment that a person
/// names is no finer than that; what comes later (timeouts, the rest of a storm) comes when its time has come.
pub const BURST: Microseconds = 1_000_000;

/// A line of the kernel log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it is printed.
    pub time: Microseconds,
    /// The line is there from this moment on: that of the event that it is about, or its own time where it comes
    /// [`BURST`] later or more. 0 for what was there from the start.
    pub since: Microseconds,
    /// The text without its time stamp.
    pub text: String,
}

/// A function that the kernel removed, with what it needs to be found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The function.
    pub function: Function,
    /// Its files, and the links to it.
    pub files: BTreeMap<String, Content>,
    /// Its lines of `/proc/interrupts`.
    pub interrupts: Vec<String>,
}

/// A machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The kernel that is imitated.
    pub kernel: Kernel,
    /// Files and links by path below the root.
    pub files: BTreeMap<String, Content>,
    /// Functions.
    pub functions: BTreeMap<Bdf, Function>,
    /// Functions that the kernel removed; their hardware is still there.
    pub removed: Vec<Removed>,
    /// The kernel log.
    pub log: Vec<Line>,
    /// Time of what happens now.
    pub now: Microseconds,
    /// Microseconds between the event and its next log line.
    pub lag: Microseconds,
    /// When the last line of the boot was printed: what is broken from the start is spoken of after it.
    pub booted: Microseconds,
    /// Numbers that look random.
    pub random: Random,
}

impl Machine {
    /// A machine without anything.
    pub fn new(kernel: Kernel, seed: u64) -> Self {
        Machine {
            kernel,
            files: BTreeMap::new(),
            functions: BTreeMap::new(),
            removed: Vec::new(),
            log: Vec::new(),
            now: 0,
            lag: 0,
            booted: 0,
            random: Random::new(seed),
        }
    }

    /// Adds or replaces a file.
    pub fn file(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), Content::Bytes(bytes.into()));
    }

    /// Adds or replaces an attribute: a line of text.
    pub fn line(&mut self, path: impl Into<String>, text: impl std::fmt::Display) {
        self.file(path, format!("{text}\n"));
    }

    /// Adds a link from `path` to `target`, both counted from the root.
    pub fn link(&mut self, path: impl Into<String>, target: &str) {
        let path = path.into();
        let text = relative(&path, target);
        self.files.insert(path, Content::Link(text));
    }

    /// The text of a file without the white space around it.
    pub fn text(&self, path: &str) -> Option<String> {
        match self.files.get(path)? {
            Content::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).trim().to_owned()),
            _ => None,
        }
    }

    /// Whether there is a file, a link or a folder.
    pub fn exists(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.contains_key(path)
            || self.files.range(folder.clone()..).next().is_some_and(|(key, _)| key.starts_with(&folder))
    }

    /// Removes a file, or a folder with everything below it.
    pub fn remove(&mut self, path: &str) {
        let folder = format!("{path}/");
        self.files.retain(|key, _| key != path && !key.starts_with(&folder));
    }

    /// A function that must be there.
    pub fn function(&self, address: Bdf) -> Result<&Function, Mistake> {
        self.functions.get(&address).ok_or_else(|| self.no_function(address))
    }

    /// The same, to change it.
    pub fn change(&mut self, address: Bdf) -> Result<&mut Function, Mistake> {
        let missing = self.no_function(address);
        let function = self.functions.get_mut(&address).ok_or(missing)?;
        function.touched = true;
        Ok(function)
    }

    fn no_function(&self, address: Bdf) -> Mistake {
        let names: Vec<String> = self.functions.keys().map(ToString::to_string).collect();
        let hint = super::nearest::nearest(&address.to_string(), names.iter().map(String::as_str));
        Mistake::new(0, format!("there is no function {address} in this machine{hint}"))
    }

    /// Path of an attribute of a function.
    pub fn attribute(&self, address: Bdf, name: &str) -> String {
        match self.functions.get(&address) {
            Some(function) => format!("{}/{name}", function.folder),
            None => format!("sys/bus/pci/devices/{address}/{name}"),
        }
    }

    /// Sets an attribute of a function, if it has it.
    pub fn set_attribute(&mut self, address: Bdf, name: &str, text: impl std::fmt::Display) {
        let path = self.attribute(address, name);
        if self.files.contains_key(&path) {
            self.line(path, text);
        }
    }

    /// The bridge above a function.
    pub fn parent(&self, address: Bdf) -> Option<Bdf> {
        let folder = &self.functions.get(&address)?.folder;
        let above = folder.rsplit('/').nth(1)?.parse().ok()?;
        self.functions.contains_key(&above).then_some(above)
    }

    /// The functions below a bridge, at any depth.
    pub fn below(&self, address: Bdf) -> Vec<Bdf> {
        let Some(function) = self.functions.get(&address) else { return Vec::new() };
        let folder = format!("{}/", function.folder);
        self.functions.values().filter(|f| f.folder.starts_with(&folder)).map(|f| f.address).collect()
    }

    /// The functions of the same device: they share the link.
    pub fn siblings(&self, address: Bdf) -> Vec<Bdf> {
        let same = |other: &&Bdf| {
            (other.domain, other.bus, other.device) == (address.domain, address.bus, address.device)
        };
        self.functions.keys().filter(same).copied().collect()
    }

    /// The topmost bridge above a function: its root port.
    pub fn root_port(&self, address: Bdf) -> Option<Bdf> {
        std::iter::successors(self.parent(address), |above| self.parent(*above)).last()
    }

    /// Name of the bound driver.
    pub fn driver(&self, address: Bdf) -> Option<String> {
        match self.files.get(&self.attribute(address, "driver")) {
            Some(Content::Link(target)) => target.rsplit('/').next().map(str::to_owned),
            _ => None,
        }
    }

    /// How log lines about a function begin (dev_driver_string, dev_name).
    pub fn name(&self, address: Bdf) -> String {
        format!("{} {address}", self.driver(address).as_deref().unwrap_or("pci"))
    }

    /// Adds a line to the log, a little later than the one before.
    pub fn say(&mut self, text: impl Into<String>) {
        self.lag = self.lag.saturating_add(40 + self.random.below(400));
        let start = if self.now == 0 { self.booted } else { self.now };
        let time = start.saturating_add(self.lag);
        let since = if self.lag < BURST { self.now } else { time };
        self.log.push(Line { time, since, text: text.into() });
    }

    /// Adds a line about a function.
    pub fn say_of(&mut self, address: Bdf, text: impl std::fmt::Display) {
        let line = format!("{}: {text}", self.name(address));
        self.say(line);
    }

    /// Lets time pass before the next line of the same event.
    pub fn wait(&mut self, time: Microseconds) {
        self.lag = self.lag.saturating_add(time);
    }

    /// Adds a line behind the last one that `earlier` picks, at its time; at the end of the log if it picks none.
    pub fn say_after(&mut self, earlier: impl Fn(&str) -> bool, texts: &[String]) {
        let place = self.log.iter().rposition(|line| earlier(&line.text));
        let (place, time, since) = match place {
            Some(place) => (place + 1, self.log[place].time, self.log[place].since),
            None => (self.log.len(), self.now, self.now),
        };
        let lines = texts.iter().zip(1..).map(|(text, n)| Line { time: time + n, since, text: text.clone() });
        self.log.splice(place..place, lines.collect::<Vec<_>>());
    }

    /// Takes every line out of the log that `which` picks.
    pub fn unsay(&mut self, which: impl Fn(&str) -> bool) {
        self.log.retain(|line| !which(&line.text));
    }
}

/// Text of a link at `path` to `target`.
fn relative(path: &str, target: &str) -> String {
    let from: Vec<&str> = path.split('/').collect();
    let to: Vec<&str> = target.split('/').collect();
    let folders = &from[..from.len() - 1];
    let shared = folders.iter().zip(&to).take_while(|(a, b)| a == b).count();
    "../".repeat(folders.len() - shared) + &to[shared..].join("/")
}
