//! A small sound machine for tests: a root port, a drive below it, and another drive of the same kind below a switch.
//!
//! Registers are set by their dotted paths, so that a test says what is wrong and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::check::earlier::Earlier;
use crate::check::expectation::Expectation;
use crate::check::expectation::facts::Facts;
use crate::check::finding::{Finding, Status};
use crate::check::history::{History, Work};
use crate::check::profile::{Profile, Setting};
use crate::check::registry::{self, Check, Severity};
use crate::check::run;
use crate::check::subject::Surroundings;
use crate::kernel_log::event::Evidence;
use crate::kernel_log::platform::Lines;
use crate::kernel_log::source::events_of;
use crate::machine::enumerate::Entry;
use crate::machine::platform::{Platform, Slot};
use crate::machine::reading::{self, DEVICES, Reading};
use crate::machine::vital_product_data::VitalProductData;
use crate::machine::{Function, Machine, attributes, interrupts};
use crate::pci::{Bdf, ConfigSpace, decode, header};
use crate::tree::{Cause, MemoryTree};

/// A function that is yet to be made.
#[derive(Clone)]
pub struct Made {
    parent: Option<&'static str>,
    /// Configuration space.
    pub bytes: Vec<u8>,
    /// Answers to attributes.
    pub attributes: BTreeMap<&'static str, Result<String, Cause>>,
}

/// A machine that is yet to be made.
pub struct Bench {
    /// Functions by address.
    pub functions: BTreeMap<&'static str, Made>,
    /// The platform.
    pub platform: Platform,
    /// `/proc/interrupts`.
    pub interrupts: String,
    /// The vector table of `01:00.0`, behind its BAR 0, and everything else there.
    pub memory: Vec<u8>,
    /// The functions are busy.
    pub busy: bool,
    /// A command gives them work, from after the first reading on.
    pub command: bool,
    /// The kernel log, after the line with which it begins.
    pub log: String,
    /// Other files; of two with the same path the last.
    pub files: Vec<(&'static str, Vec<u8>)>,
    /// Why vital product data of the drives cannot be read.
    pub product_data: Option<nix::errno::Errno>,
    /// The log begins with that line.
    pub start: bool,
    /// Functions and `/proc/interrupts` some time before; the same as now if nobody sets them.
    pub before: Option<(BTreeMap<&'static str, Made>, String)>,
    /// Time between the two readings.
    pub elapsed: Duration,
    /// What link was seen in between at `01:00.0`, second by second: Link Status of both ends.
    pub looks: Vec<u64>,
    /// A threshold of the profile.
    pub threshold: Option<(&'static str, u64)>,
    /// The expectation.
    pub expectation: String,
    /// What it is compared with besides functions.
    pub facts: Facts,
}

/// How often links are looked at.
const LOOKS: usize = 10;

/// The expectation that the sound machine fulfils.
const EXPECTATION: &str = r#"
[machine]
bios_version = "1.2.*"

[[device]]
where = "01:00.0"
id = "8086:1234"
driver = ["some", "other"]
driver_version = "3.?"
firmware = "98.02*"
link = { speed = "8 GT/s", width = 4, max_speed = "8 GT/s", max_width = 4, retimers = 0 }
msix_vectors = 4
rebar = { 0 = "1 MiB" }
numa_node = 0
slot = "7"
below = "0000:00:01.0"
virtual_functions = 0

[[device]]
id = "8086:1234"
class = "0x010802"
count = 2
"#;

/// The line with which a log begins that goes back to the start of the machine.
const START: &str = "[    0.000000] Linux version 6.12.0 (build@host) #1 SMP\n";

/// (offset, bytes) of the capabilities of both lists; the walk pointers are set by [`space`].
type Capabilities = Vec<(usize, u16, usize)>;

const STANDARD: [(usize, u16, usize); 5] =
    [(0x50, 0x01, 8), (0x60, 0x10, 0x3c), (0xa0, 0x05, 14), (0xb0, 0x11, 12), (0xc0, 0x03, 8)];

fn space(class: u32, layout: u8, standard: &[(usize, u16, usize)], extended: &Capabilities) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    bytes[..4].copy_from_slice(&[0x86, 0x80, 0x34, 0x12]);
    bytes[4] = 0x06;
    bytes[6] = 0x10;
    bytes[9..12].copy_from_slice(&[class as u8, (class >> 8) as u8, (class >> 16) as u8]);
    bytes[0x0e] = layout;
    bytes[0x34] = standard[0].0 as u8;
    for (place, (offset, id, _)) in standard.iter().enumerate() {
        bytes[*offset] = *id as u8;
        bytes[*offset + 1] = standard.get(place + 1).map_or(0, |next| next.0 as u8);
    }
    for (place, (offset, id, _)) in extended.iter().enumerate() {
        let next = extended.get(place + 1).map_or(0, |next| next.0);
        let header = u32::from(*id) | 1 << 16 | (next as u32) << 20;
        bytes[*offset..*offset + 4].copy_from_slice(&header.to_le_bytes());
    }
    bytes
}

impl Made {
    fn new(parent: Option<&'static str>, bytes: Vec<u8>) -> Made {
        let mut made = Made { parent, bytes, attributes: BTreeMap::new() };
        for (name, text) in [
            ("uevent", "DRIVER=some\nPCI_ID=8086:1234\n"),
            ("power_state", "D0"),
            ("power/runtime_status", "active"),
            ("power/control", "on"),
            ("numa_node", "0"),
            ("enable", "1"),
            ("msi_bus", "1"),
            ("msi_irqs", "30\n31"),
            ("irq", "30"),
            ("resource", "0x0000000000000000 0x0000000000000000 0x0000000000000000"),
            ("iommu_group", "../../../kernel/iommu_groups/1"),
            ("aer_dev_correctable", "RxErr 0\nTOTAL_ERR_COR 0"),
            ("aer_dev_nonfatal", "TLP 0\nTOTAL_ERR_NONFATAL 0"),
            ("aer_dev_fatal", "DLP 0\nTOTAL_ERR_FATAL 0"),
        ] {
            made.attributes.insert(name, Ok(whole(name, text)));
        }
        made
    }
}

impl Bench {
    /// The sound machine.
    pub fn new() -> Bench {
        let port = || {
            let extended = vec![
                (0x100, 0x01, 0x38),
                (0x140, 0x0d, 8),
                (0x150, 0x1d, 12),
                (0x170, 0x19, 0x2c),
                (0x1a0, 0x26, 0x30),
                (0x1d0, 0x1e, 0x14),
                (0x280, 0x2a, 0x30),
            ];
            space(0x06_0400, 1, &STANDARD[..3], &extended)
        };
        let drive = || {
            let extended = vec![
                (0x100, 0x01, 0x38),
                (0x170, 0x19, 0x2c),
                (0x1a0, 0x26, 0x30),
                (0x1d0, 0x1e, 0x14),
                (0x200, 0x15, 0x0c),
                (0x220, 0x10, 0x40),
                (0x270, 0x03, 0x0c),
                (0x280, 0x2a, 0x30),
            ];
            space(0x01_0802, 0, &STANDARD, &extended)
        };
        let functions = BTreeMap::from([
            ("00:01.0", Made::new(None, port())),
            ("00:02.0", Made::new(None, port())),
            ("01:00.0", Made::new(Some("00:01.0"), drive())),
            ("02:00.0", Made::new(Some("00:02.0"), port())),
            ("03:00.0", Made::new(Some("02:00.0"), port())),
            ("04:00.0", Made::new(Some("03:00.0"), drive())),
        ]);
        let mut bench = Bench {
            functions,
            platform: Platform {
                command_line: Some("quiet".to_owned()),
                aer_ports: Some(vec!["0000:00:01.0".to_owned(), "0000:00:02.0".to_owned()]),
                aspm_policy: Some("default".to_owned()),
                interrupt_remapping: Some(true),
                architecture: Some("x86_64".to_owned()),
                slots: vec![Slot { name: "7".to_owned(), address: "0000:01:00".to_owned() }],
                host_bridges: vec![crate::kernel_log::platform::HostBridge {
                    name: "PNP0A08:00".to_owned(),
                    root_bus: Some("0000:00".to_owned()),
                    os_controls: ["PCIeHotplug", "AER", "PCIeCapability"].map(str::to_owned).to_vec(),
                    windows: vec!["[mem 0x380000000000-0x3bffffffffff window]".to_owned()],
                    lines: Lines {
                        os_controls: Some(line(
                            7,
                            "[    1.100000] acpi PNP0A08:00: _OSC: OS now controls [PCIeHotplug AER PCIeCapability]",
                        )),
                        windows: vec![line(
                            9,
                            "[    1.200000] pci_bus 0000:00: root bus resource [mem 0x380000000000-0x3bffffffffff window]",
                        )],
                        ..Lines::default()
                    },
                    ..Default::default()
                }],
                ..Platform::default()
            },
            interrupts: "   CPU0\n 30: 5 PCI-MSI 0-edge some\n 31: 5 PCI-MSI 1-edge some\n".to_owned(),
            memory: vec![0; 0x4000],
            busy: false,
            command: false,
            log: String::new(),
            files: Vec::new(),
            product_data: None,
            start: true,
            before: None,
            elapsed: Duration::from_secs(60),
            looks: Vec::new(),
            threshold: None,
            expectation: EXPECTATION.to_owned(),
            facts: Facts {
                machine: BTreeMap::from([("bios_version", Ok("1.2.34".to_owned()))]),
                driver_versions: BTreeMap::from([("some".to_owned(), Ok("3.1".to_owned()))]),
                firmware: BTreeMap::from([(
                    "0000:01:00.0".parse().expect("an address"),
                    Ok("98.02.2e.00.af".to_owned()),
                )]),
            },
        };
        for (address, kind, buses) in [
            ("00:01.0", 4, Some((0, 1, 1))),
            ("00:02.0", 4, Some((0, 2, 4))),
            ("02:00.0", 5, Some((2, 3, 4))),
            ("03:00.0", 6, Some((3, 4, 4))),
            ("01:00.0", 0, None),
            ("04:00.0", 0, None),
        ] {
            bench.set(address, "express.capabilities.version", 2);
            bench.set(address, "express.capabilities.device_port_type", kind);
            if matches!(kind, 4 | 6) {
                bench.set(address, "express.capabilities.slot_implemented", 1);
                bench.set(
                    address,
                    "express.link_capabilities.data_link_layer_link_active_reporting_capable",
                    1,
                );
                bench.set(address, "express.link_status.data_link_layer_link_active", 1);
                bench.set(address, "express.slot_status.presence_detect_state", 1);
            }
            bench.set_all(
                address,
                &[
                    ("express.device_capabilities.max_payload_size_supported", 1),
                    ("express.device_capabilities.extended_tag_field_supported", 1),
                    ("express.device_capabilities.captured_slot_power_limit_value", 75),
                    ("express.device_control.max_payload_size", 1),
                    ("express.device_control.max_read_request_size", 2),
                    ("express.device_control.extended_tag_field_enable", 1),
                    ("express.device_control.enable_relaxed_ordering", 1),
                    ("express.device_control.non_fatal_error_reporting_enable", 1),
                    ("express.device_control.fatal_error_reporting_enable", 1),
                    ("express.device_capabilities_2.completion_timeout_ranges_supported", 3),
                    ("express.device_capabilities_2.atomic_op_routing_supported", 1),
                    ("express.link_capabilities.max_link_speed", 3),
                    ("express.link_capabilities.maximum_link_width", 4),
                    ("express.link_capabilities.aspm_support", 2),
                    ("express.link_status.current_link_speed", 3),
                    ("express.link_status.negotiated_link_width", 4),
                    ("express.link_control_2.target_link_speed", 3),
                    ("express.link_status_2.equalization_8gts_complete", 1),
                    ("express.link_status_2.equalization_8gts_phase_1_successful", 1),
                    ("express.link_status_2.equalization_8gts_phase_2_successful", 1),
                    ("express.link_status_2.equalization_8gts_phase_3_successful", 1),
                    ("msi.control.enable", 1),
                ],
            );
            match buses {
                Some((primary, secondary, subordinate)) => bench.set_all(
                    address,
                    &[
                        ("header.primary_bus.number", primary),
                        ("header.secondary_bus.number", secondary),
                        ("header.subordinate_bus.number", subordinate),
                        ("header.memory_base.base", 0xf00),
                        ("header.memory_limit.limit", 0xf0f),
                        ("header.prefetchable_base.base", 0xfff),
                    ],
                ),
                None => bench.drive(address),
            }
            if matches!(kind, 4 | 6) {
                bench.set(address, "dpc.control.trigger_enable", 1);
            }
            if kind == 4 {
                for which in ["correctable", "non_fatal", "fatal"] {
                    bench.set(address, &format!("aer.root_error_command.{which}_error_reporting_enable"), 1);
                }
            }
            if kind == 6 {
                for which in [
                    "source_validation",
                    "p2p_request_redirect",
                    "p2p_completion_redirect",
                    "upstream_forwarding",
                ] {
                    let capability = which;
                    bench.set(address, &format!("acs.capability.{capability}"), 1);
                }
            }
        }
        bench.attribute("04:00.0", "iommu_group", "../../../kernel/iommu_groups/2");
        bench
    }

    fn drive(&mut self, address: &'static str) {
        let start = if address == "01:00.0" { 0xf000_0000u64 } else { 0xf080_0000 };
        let resource = format!("{start:#018x} {:#018x} 0x0000000000040200\n", start + 0x3fff);
        let unused = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n".repeat(12);
        self.attribute(address, "resource", &format!("{resource}{unused}"));
        self.bytes(address)[0x10..0x14].copy_from_slice(&(start as u32).to_le_bytes());
        let serial = if address == "01:00.0" { 0x11 } else { 0x22 };
        self.set_all(
            address,
            &[
                ("serial_number.number.eui_64", serial),
                ("msi.control.enable", 0),
                ("msix.control.enable", 1),
                ("msix.control.table_size", 3),
                ("msix.table.offset", 0),
                ("msix.pending_bit_array.offset", 0x400),
                ("rebar.entry[0].control.number_of_resizable_bars", 1),
                ("rebar.entry[0].capability.supported_sizes", 1),
                ("sriov.total_vfs.number", 4),
            ],
        );
        for vector in 0..4 {
            self.vector(vector, 0xfee0_0000, 0x4021, 0);
        }
    }

    /// Writes an entry of the vector table of `01:00.0`.
    pub fn vector(&mut self, index: usize, address: u64, data: u32, control: u32) {
        let at = index * 16;
        self.memory[at..at + 8].copy_from_slice(&address.to_le_bytes());
        self.memory[at + 8..at + 12].copy_from_slice(&data.to_le_bytes());
        self.memory[at + 12..at + 16].copy_from_slice(&control.to_le_bytes());
    }

    /// A function.
    pub fn function(&mut self, address: &str) -> &mut Made {
        self.functions.get_mut(address).expect("a function of the machine")
    }

    /// Configuration space of a function.
    pub fn bytes(&mut self, address: &str) -> &mut Vec<u8> {
        &mut self.function(address).bytes
    }

    /// Sets an attribute.
    pub fn attribute(&mut self, address: &str, name: &'static str, text: &str) {
        self.function(address).attributes.insert(name, Ok(whole(name, text)));
    }

    /// Sets a field by its dotted path.
    pub fn set(&mut self, address: &str, path: &str, value: u64) {
        let bytes = self.bytes(address);
        let space = ConfigSpace::from_bytes(bytes);
        let context = header::context(&space).expect("a header");
        let located = reading::locate(&mut &space);
        let (capabilities, _) = decode::capabilities(&mut &space, context, &located);
        let own = header::registers(&space).into_iter().map(|p| ("header".to_owned(), p));
        let others = capabilities.iter().flat_map(|c| c.registers.iter().map(|p| (c.path(), *p)));
        let (placed, field) = own
            .chain(others)
            .find_map(|(capability, placed)| {
                let prefix = format!("{capability}.{}.", placed.path());
                let field = path.strip_prefix(&prefix)?;
                Some((placed, placed.register.field(field)?))
            })
            .unwrap_or_else(|| panic!("{address} has no {path}"));
        let raw = field.insert(placed.raw.expect("read"), value).to_le_bytes();
        let (offset, width) = (usize::from(placed.offset), usize::from(placed.register.width));
        bytes[offset..offset + width].copy_from_slice(&raw[..width]);
    }

    /// Sets several.
    pub fn set_all(&mut self, address: &str, fields: &[(&str, u64)]) {
        fields.iter().for_each(|(path, value)| self.set(address, path, *value));
    }

    /// Makes the machine and the check of that name.
    pub fn run(&self, id: &str) -> Vec<Finding> {
        self.run_all(&|check| check.id == id)
    }

    /// Makes the machine and the checks.
    pub fn run_all(&self, wanted: &(dyn Fn(&Check) -> bool + Sync)) -> Vec<Finding> {
        let mut tree = MemoryTree::complete();
        for address in self.functions.keys() {
            tree = tree.file(format!("{DEVICES}/0000:{address}/resource0"), self.memory.clone());
        }
        for (path, bytes) in &self.files {
            tree = tree.file(*path, bytes.clone());
        }
        let mut machine = made(&self.functions);
        for function in &mut machine.functions {
            let error = self.product_data.map(Cause::Errno);
            function.reading.vital_product_data = Some(VitalProductData { bytes: vec![0x78], error });
        }
        let (functions, interrupts) = match &self.before {
            Some((functions, interrupts)) => (functions, interrupts),
            None => (&self.functions, &self.interrupts),
        };
        let (first, before) = (made(functions), interrupts::parse(interrupts));
        let lines = interrupts::parse(&self.interrupts);
        let mut history = History::default();
        let work = match (self.command, self.busy) {
            (true, _) => Work::Begun,
            (false, true) => Work::Steady,
            (false, false) => Work::Unknown,
        };
        history.look(&first, Duration::ZERO, if self.command { Work::Unknown } else { work });
        // As often as it takes to have seen what changes: the last of them goes on.
        let last = self.looks.last().copied();
        let looks = self
            .looks
            .iter()
            .copied()
            .map(Some)
            .chain(std::iter::repeat(last))
            .take(LOOKS.max(self.looks.len()));
        for (second, status) in looks.enumerate() {
            let Some(status) = status else {
                history.look(&first, Duration::from_secs(1 + second as u64), work);
                continue;
            };
            let mut look = Bench { functions: self.functions.clone(), ..Bench::new() };
            for address in ["01:00.0", "00:01.0"] {
                look.set(address, "express.link_status.current_link_speed", status & 0xf);
                look.set(address, "express.link_status.negotiated_link_width", status >> 4);
            }
            history.look(&made(&look.functions), Duration::from_secs(1 + second as u64), work);
        }
        history.look(&machine, self.elapsed, work);
        let earlier =
            Earlier { machine: &first, interrupts: Some(&before), elapsed: self.elapsed, history: &history };
        let text = format!("{}{}", if self.start { START } else { "" }, self.log);
        let log = events_of(&mut text.as_bytes()).expect("a log");
        let mut expectation = Expectation::parse(&self.expectation, "rack.toml").expect("an expectation");
        expectation.facts = self.facts.clone();
        let mut profile = everything();
        if let Some((id, threshold)) = self.threshold {
            profile.settings.entry(id.to_owned()).and_modify(|setting| setting.threshold = Some(threshold));
        }
        let over_time = |check: &Check| wanted(check) && matches!(check.of, registry::Of::OverTime(_));
        let twice = self.before.is_some() || registry::all().any(over_time) || !self.looks.is_empty();
        let around = Surroundings {
            interrupts: Some(&lines),
            busy: self.busy || self.command,
            named: self.busy || self.command,
            log: Some(&log),
            expectation: Some(&expectation),
            earlier: Some(&earlier).filter(|_| twice),
            ..Surroundings::new(&machine, &self.platform, &tree, &profile)
        };
        run::run(around, machine.functions.iter().collect(), wanted)
    }

    /// The worst status of the check of that name over the machine, and in which words.
    pub fn worst(&self, id: &str) -> (Status, String) {
        let worst = self.run(id).into_iter().max_by_key(|f| f.status).expect("a finding");
        (worst.status, format!("{:?} {}", worst.address, worst.summary))
    }
}

/// `resource` with as many lines as the kernel writes of a function without virtual functions, whatever is said of the first.
fn whole(name: &str, text: &str) -> String {
    let missing = 7usize.saturating_sub(text.lines().count());
    match name {
        "resource" => {
            text.trim_end().to_owned()
                + &"\n0x0000000000000000 0x0000000000000000 0x0000000000000000".repeat(missing)
        }
        _ => text.to_owned(),
    }
}

/// A line of the kernel log.
fn line(number: u64, text: &str) -> Evidence {
    Evidence { line: number, offset: 0, text: text.to_owned() }
}

/// The machine of these functions.
fn made(functions: &BTreeMap<&'static str, Made>) -> Machine {
    let mut all = Vec::new();
    for (address, made) in functions {
        let bdf: Bdf = format!("0000:{address}").parse().expect("an address");
        let mut reading = Reading::failed(bdf, Cause::NotCaptured);
        reading.config_error = None;
        reading.config_size = Some(made.bytes.len() as u64);
        reading.config_reads = 1;
        reading.space = ConfigSpace::from_bytes(&made.bytes);
        if made.bytes.is_empty() {
            // It went away while it was read.
            reading = Reading::failed(bdf, Cause::Errno(nix::errno::Errno::ENODEV));
        }
        let answers = made.attributes.iter();
        reading.answers =
            answers.map(|(name, answer)| (attributes::index(name).expect(name), answer.clone())).collect();
        let parent = made.parent.map(|p| format!("0000:{p}").parse().expect("an address"));
        let host_bridge = Some("pci0000:00".to_owned());
        let entry = Entry { address: bdf, path: String::new(), parent, host_bridge, linked: true };
        all.push(Function::new(&entry, reading));
    }
    let mut machine = Machine::from_functions(all);
    machine.wanted = machine.functions.iter().map(|f| f.address).collect();
    machine
}

/// A profile that has every check on.
fn everything() -> Profile {
    let off = registry::all().filter(|check| check.severity == Severity::Off);
    let setting = Setting { severity: Some(Severity::Warn), threshold: None, why: "a test".to_owned() };
    Profile {
        description: "all of them".to_owned(),
        settings: off.map(|check| (check.id.to_owned(), setting.clone())).collect(),
    }
}
