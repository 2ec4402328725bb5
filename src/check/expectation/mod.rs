//! What a machine is expected to be: a TOML file that a person writes, or `check --learn` from a known-good machine.
//!
//! `[machine]` says what the machine as a whole is; each `[[device]]` says where something is ([`Entry::places`]) and what it
//! must be like. What an entry does not say is not compared. What it says of a link or a BAR may be less than the hardware
//! can: then it is so by design, and the checks that would complain are told so ([`design`]).

pub mod compare;
pub mod design;
pub mod facts;
pub mod learn;
pub mod pattern;
mod read;

use crate::machine::Function;
use crate::pci::{Bdf, PartialBdf};

use super::subject::Subject;
use facts::Facts;
use pattern::Patterns;

/// An expectation.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// The file that it was read from.
    pub file: String,
    /// What the machine as a whole is: a key of [`facts::MACHINE`], and what is expected.
    pub machine: Vec<(&'static str, Wanted<Patterns>)>,
    /// What devices are where.
    pub devices: Vec<Entry>,
    /// What the source tells of the machine besides its functions. To be filled before anything is compared.
    pub facts: Facts,
}

/// Something that is expected, with the line that says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted<T> {
    /// Line in the file, counted from 1.
    pub line: usize,
    /// What is expected.
    pub value: T,
}

/// Where a device, or a bridge above it, is expected: in one of several places.
#[derive(Debug, Clone)]
pub struct Places(pub Vec<Place>);

/// One place.
#[derive(Debug, Clone)]
pub enum Place {
    /// An address, with or without its domain.
    Address(PartialBdf),
    /// Patterns for addresses in full.
    Pattern(Patterns),
}

/// One `[[device]]`.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Line where it begins.
    pub line: usize,
    /// The file, for messages.
    pub file: String,
    /// Where it is; without it every function whose identity fits is meant.
    pub places: Option<Wanted<Places>>,
    /// What the device is: keys of [`IDENTITY`].
    pub identity: Vec<(&'static str, Wanted<Patterns>)>,
    /// How many functions the entry means; without it at least one.
    pub count: Option<Wanted<u64>>,
    /// Name of the driver; `none` for none.
    pub driver: Option<Wanted<Patterns>>,
    /// Version of the driver's module.
    pub driver_version: Option<Wanted<Patterns>>,
    /// Version of the device's firmware.
    pub firmware: Option<Wanted<Patterns>>,
    /// The link above it.
    pub link: LinkWanted,
    /// Number of MSI-X vectors of the device: 1 to 2048, or 0 for a device without MSI-X.
    pub msix_vectors: Option<Wanted<u64>>,
    /// Sizes in bytes of resizable BARs, by number.
    pub rebar: Vec<(u8, Wanted<u64>)>,
    /// NUMA node; -1 for none.
    pub numa_node: Option<Wanted<i64>>,
    /// Name of the physical slot.
    pub slot: Option<Wanted<Patterns>>,
    /// Address of any bridge above it.
    pub below: Option<Wanted<Places>>,
    /// Number of virtual functions that are enabled; 0 also fits a device that cannot have any.
    pub virtual_functions: Option<Wanted<u64>>,
}

/// What is expected of a link.
#[derive(Debug, Clone, Default)]
pub struct LinkWanted {
    /// Current speed in MT/s.
    pub speed_mts: Option<Wanted<u32>>,
    /// Current number of lanes.
    pub width: Option<Wanted<u8>>,
    /// Highest speed that both ends can, in MT/s: for links that idle at a lower one.
    pub max_speed_mts: Option<Wanted<u32>>,
    /// Number of lanes that both ends have.
    pub max_width: Option<Wanted<u8>>,
    /// Number of retimers on the link: 0, 1 or 2.
    pub retimers: Option<Wanted<u64>>,
}

/// Keys by which a device is known.
pub const IDENTITY: [&str; 7] =
    ["id", "class", "subsystem", "revision", "device_serial_number", "part_number", "serial_number"];

impl Expectation {
    /// The entries that mean a function.
    pub fn of(&self, subject: &Subject<'_>) -> Vec<&Entry> {
        self.devices.iter().filter(|entry| entry.means(subject.function)).collect()
    }

    /// Whether vital product data has to be read.
    pub fn needs_vital_product_data(&self) -> bool {
        let from_it = |key: &str| matches!(key, "part_number" | "serial_number");
        self.devices.iter().any(|entry| entry.identity.iter().any(|(key, _)| from_it(key)))
    }
}

impl Places {
    /// Whether an address is one of them.
    pub fn matches(&self, address: Bdf) -> bool {
        self.0.iter().any(|place| match place {
            Place::Address(known) => known.matches(address),
            Place::Pattern(pattern) => pattern.matches(&address.to_string()),
        })
    }

    /// As they were written: `82:00.0 or 0000:83:*`.
    pub fn text(&self) -> String {
        let text = |place: &Place| match place {
            Place::Address(address) => address.to_string(),
            Place::Pattern(pattern) => pattern.text(),
        };
        self.0.iter().map(text).collect::<Vec<_>>().join(" or ")
    }
}

impl Entry {
    /// Whether it means this function: by its address; without one by vendor, device, class and subsystem.
    pub fn means(&self, function: &Function) -> bool {
        match &self.places {
            Some(places) => places.value.matches(function.address),
            None => {
                let selecting = |key: &str| matches!(key, "id" | "class" | "subsystem");
                let mut keys = self.identity.iter().filter(|(key, _)| selecting(key)).peekable();
                keys.peek().is_some()
                    && keys.all(|(key, wanted)| {
                        compare::identity_text(function, key).is_some_and(|text| wanted.value.matches(&text))
                    })
            }
        }
    }

    /// Whether it says something that the check of that name compares.
    pub fn has(&self, check: &str) -> bool {
        let link = &self.link;
        match check {
            "identity-expected" => self.identity.iter().any(|(key, _)| self.compares(key)),
            "driver-expected" => self.driver.is_some() || self.driver_version.is_some(),
            "firmware-expected" => self.firmware.is_some(),
            "link-expected" => {
                link.speed_mts.is_some()
                    || link.width.is_some()
                    || link.max_speed_mts.is_some()
                    || link.max_width.is_some()
            }
            "link-retimers" => link.retimers.is_some(),
            "msix-expected" => self.msix_vectors.is_some(),
            "rebar-expected" => !self.rebar.is_empty(),
            "numa-expected" => self.numa_node.is_some(),
            "slot-expected" => self.slot.is_some(),
            "switch-expected" => self.below.is_some(),
            "sriov-expected" => self.virtual_functions.is_some(),
            _ => false,
        }
    }

    /// Whether that key of its identity is compared: by what an entry finds its functions, they cannot differ.
    pub fn compares(&self, key: &str) -> bool {
        self.places.is_some() || !matches!(key, "id" | "class" | "subsystem")
    }

    /// Where it stands: `rack.toml:12`.
    pub fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.file)
    }
}
