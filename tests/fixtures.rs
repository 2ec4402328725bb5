//! What the program reads of every machine in `sysfs-fixtures/`, and that `lspci` takes the trees for machines too.
#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};

use pciscope::machine::interrupts::{LinuxInterrupt, linux_interrupts, read_interrupts};
use pciscope::machine::link::{LinkState, Rate, link, slot_occupied};
use pciscope::machine::platform::{Platform, read_platform};
use pciscope::machine::reading::Depth;
use pciscope::machine::vectors::{self, Message, Unreadable, VectorTable};
use pciscope::machine::{self, DEADLINE, Function, Machine, Scope, State};
use pciscope::pci::bars::{bars, resources};
use pciscope::pci::walk::{Anomaly, List};
use pciscope::tree::Directory;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sysfs-fixtures").join(name)
}

/// A fixture, read as far as possible.
struct Loaded {
    tree: Directory,
    machine: Machine,
    platform: Platform,
}

fn load(name: &str) -> Loaded {
    load_at(name, Depth::Bytes)
}

fn load_at(name: &str, depth: Depth) -> Loaded {
    let tree = Directory::open(&folder(name)).expect("the fixture is there");
    let scope =
        Scope { depth, wanted: &|_| true, wake: false, deadline: DEADLINE, vital_product_data: false };
    let machine = machine::load(&tree, false, scope).expect("a machine");
    let lines = read_interrupts(&tree);
    let platform = read_platform(&tree, false, lines.as_deref());
    Loaded { tree, machine, platform }
}

impl Loaded {
    fn function(&self, address: &str) -> &Function {
        let address = address.parse().expect("an address");
        self.machine.get(address).unwrap_or_else(|| panic!("no {address}"))
    }

    /// Presence and readable bytes of all functions.
    fn states(&self) -> Vec<(String, State, u16)> {
        let functions = self.machine.functions.iter();
        functions.map(|f| (f.address.to_string(), f.presence.state, f.config_bytes())).collect()
    }

    fn vectors(&self, address: &str) -> Option<Result<VectorTable, Unreadable>> {
        vectors::read(&self.tree, false, self.function(address), &self.platform, false)
    }

    fn unreadable(&self, address: &str) -> Unreadable {
        match self.vectors(address) {
            Some(Err(reason)) => reason,
            other => panic!("{address}: {other:?}"),
        }
    }

    fn table(&self, address: &str) -> VectorTable {
        match self.vectors(address) {
            Some(Ok(table)) => table,
            other => panic!("{address}: {other:?}"),
        }
    }

    fn interrupts(&self, address: &str) -> Vec<LinuxInterrupt> {
        let lines = read_interrupts(&self.tree);
        linux_interrupts(&self.tree, self.function(address), lines.as_deref())
    }

    fn anomalies(&self, address: &str) -> Vec<Anomaly> {
        self.function(address).decode().1
    }

    /// Nothing may be decoded from a function that does not answer, while what the kernel knows of it stays.
    fn nothing_decoded(&self, address: &str) {
        let function = self.function(address);
        assert_eq!(function.config_bytes(), 0, "{address}");
        assert!(function.located.is_empty() && function.space().is_none(), "{address}");
        assert_eq!(function.header_layout(), None, "{address}");
        let (capabilities, anomalies) = function.decode();
        assert!(capabilities.is_empty() && anomalies.is_empty(), "{address}");
        assert_eq!(link(function), None, "{address}: the width 63 and the speed of nobody");
        assert!(function.identity.vendor_id.is_some_and(|id| id != 0xffff), "{address}");
        assert!(function.identity.class.is_some_and(|class| class != 0xff_ffff), "{address}");
    }
}

fn owned(states: &[(&str, State, u16)]) -> Vec<(String, State, u16)> {
    states.iter().map(|(address, state, bytes)| ((*address).to_owned(), *state, *bytes)).collect()
}

const GEN5_X16: Rate = Rate { speed_mts: Some(32_000), width: Some(16) };
const PORT: &str = "0000:80:01.1";
const GPU: &str = "0000:82:00.0";
const AUDIO: &str = "0000:82:00.1";
const NVME: &str = "0000:01:00.0";
const NIC: &str = "0000:41:00.0";

#[test]
fn everything_answers_on_the_healthy_machines() {
    for (name, count) in [("machines/qemu-q35-gpu", 41), ("machines/two-socket-gpu-server", 14)] {
        let loaded = load(name);
        assert_eq!(loaded.machine.functions.len(), count, "{name}");
        assert!(loaded.machine.strange.is_empty());
        for function in &loaded.machine.functions {
            assert!(function.answers(), "{name} {}: {:?}", function.address, function.presence);
            assert_eq!(function.identity.answers_as, None, "{name} {}", function.address);
            let (_, anomalies) = function.decode();
            assert!(anomalies.is_empty(), "{name} {}: {anomalies:?}", function.address);
        }
    }
}

#[test]
fn the_captured_machine() {
    let loaded = load("machines/qemu-q35-gpu");
    let gpu = loaded.function("0000:06:00.0");
    assert_eq!((gpu.identity.vendor_id, gpu.identity.device_id), (Some(0x10de), Some(0x2330)));
    let path: Vec<String> = loaded.machine.path(gpu).iter().map(|f| f.address.to_string()).collect();
    assert_eq!(path, ["0000:00:02.0", "0000:02:00.0", "0000:03:02.0", "0000:06:00.0"]);
    assert_eq!(link(gpu).map(|l| l.current), Some(GEN5_X16));
    assert_eq!(gpu.driver(), None);
    assert!(gpu.driver_known());
    assert!(loaded.platform.kernel.as_deref().is_some_and(|k| k.contains("6.12.117")));
    assert_eq!(loaded.platform.host_bridges.len(), 2);
    assert_eq!(loaded.platform.aer_ports, None, "that folder was not captured");
    assert_eq!(loaded.platform.interrupt_remapping, Some(false), "sys/class/iommu was there and empty");
    let nvme = "0000:01:00.0";
    assert_eq!(loaded.function(nvme).driver(), Some("nvme"));
    assert_eq!(loaded.unreadable(nvme), Unreadable::NotCaptured { bar: 0 });
    assert!(loaded.interrupts(nvme).iter().all(|i| i.kind == "msix" && i.count.is_some()));
}

#[test]
fn the_hierarchy_of_the_server() {
    let loaded = load("machines/two-socket-gpu-server");
    let machine = &loaded.machine;
    let port = loaded.function(PORT);
    let children: Vec<String> = machine.children(port.address).map(|f| f.address.to_string()).collect();
    assert_eq!(children, [GPU, AUDIO]);
    for (function, parent, host_bridge) in [
        (GPU, Some(PORT), "pci0000:80"),
        (AUDIO, Some(PORT), "pci0000:80"),
        (PORT, None, "pci0000:80"),
        (NVME, Some("0000:00:01.1"), "pci0000:00"),
        (NIC, Some("0000:00:03.1"), "pci0000:00"),
    ] {
        let function = loaded.function(function);
        assert_eq!(function.parent.map(|p| p.to_string()).as_deref(), parent);
        assert_eq!(function.host_bridge.as_deref(), Some(host_bridge));
        assert_eq!(function.config_bytes(), 4096);
    }
    for address in [GPU, PORT] {
        let link = link(loaded.function(address)).expect("a link");
        assert_eq!((link.state, link.current, link.maximum), (LinkState::Up, GEN5_X16, GEN5_X16));
    }
    let empty = loaded.function("0000:80:03.1");
    assert_eq!(link(empty).map(|l| (l.state, l.current)), Some((LinkState::Down, Rate::default())));
    assert_eq!((slot_occupied(empty), slot_occupied(port)), (Some(false), Some(true)));
    let gpu = loaded.function(GPU);
    assert_eq!(gpu.driver(), Some("nvidia"));
    assert_eq!(gpu.reading.text("numa_node"), Some("1"));
    assert_eq!(gpu.reading.link_name("iommu_group"), Some("22"));
}

#[test]
fn the_platform_of_the_server() {
    let platform = load_at("machines/two-socket-gpu-server", Depth::Summary).platform;
    assert_eq!(platform.architecture.as_deref(), Some("x86_64"));
    assert_eq!((platform.fadt_no_aspm, platform.fadt_no_msi), (Some(false), Some(false)));
    assert_eq!(platform.aspm_policy.as_deref(), Some("default"));
    assert_eq!(platform.aer_ports, Some(vec![]), "port services are there, that for AER is not");
    assert_eq!(platform.interrupt_remapping, Some(false));
    for name in ["pci0000:00", "pci0000:80"] {
        let bridge = platform.host_bridge(name).expect("a host bridge in the log");
        assert_eq!(bridge.not_supported, ["AER", "LTR", "DPC"], "{name}");
        assert!(bridge.windows.len() > 2, "{name}");
    }
}

#[test]
fn vectors_of_the_server() {
    let loaded = load("machines/two-socket-gpu-server");
    let table = loaded.table(GPU);
    assert_eq!((table.vectors.len(), &table.pending_unreadable), (9, &None));
    let states: Vec<(bool, Option<bool>)> = table.vectors.iter().map(|v| (v.masked, v.pending)).collect();
    assert_eq!(states[..6], [(false, Some(false)); 6]);
    assert_eq!(states[6..], [(true, Some(false)), (true, Some(true)), (true, Some(false))]);
    assert_eq!(table.vectors[8].message, Some(Message::Empty));
    let interrupts = loaded.interrupts(GPU);
    assert_eq!(interrupts.len(), 8);
    for (interrupt, vector) in interrupts.iter().zip(&table.vectors) {
        assert_eq!(interrupt.vector, Some(vector.index));
        let Some(Message::Processor { destination_apic_id, delivery_mode, logical, .. }) = vector.message
        else {
            panic!("{:?}", vector.message)
        };
        assert_eq!((delivery_mode, logical), ("fixed", false));
        // Processors 4 to 7 are those of the second socket, with local APIC IDs from 0x80 on.
        let processor: u32 =
            interrupt.effective_affinity.as_deref().and_then(|t| t.parse().ok()).expect("one");
        assert_eq!(destination_apic_id, 0x80 + 2 * (processor - 4));
        assert_eq!(interrupt.actions.as_deref(), Some("nvidia"));
    }
    assert_eq!(loaded.table(NVME).vectors.len(), 33);
    assert_eq!(loaded.table(NIC).vectors.iter().filter(|v| !v.masked).count(), 9);
    assert!(loaded.vectors(PORT).is_none(), "it has MSI only");
}

#[test]
fn all_ones() {
    let loaded = load("broken/all-ones");
    let expected = [(PORT, State::Answering, 4096), (GPU, State::AllOnes, 0), (AUDIO, State::AllOnes, 0)];
    assert_eq!(loaded.states(), owned(&expected));
    loaded.nothing_decoded(GPU);
    loaded.nothing_decoded(AUDIO);
    assert_eq!(loaded.unreadable(GPU), Unreadable::Dead);
    let port = loaded.function(PORT);
    assert_eq!(link(port).map(|l| l.state), Some(LinkState::Down));
    assert_eq!(slot_occupied(port), Some(true));
    // What is a copy of the kernel's looks as if nothing had happened.
    assert_eq!(loaded.function(GPU).driver(), Some("nvidia"));
    assert_eq!(loaded.interrupts(GPU).len(), 8);
}

#[test]
fn disconnected() {
    let loaded = load("broken/disconnected");
    assert_eq!(loaded.states(), owned(&[(PORT, State::Answering, 4096), (GPU, State::Disconnected, 0)]));
    loaded.nothing_decoded(GPU);
    assert_eq!(loaded.unreadable(GPU), Unreadable::Dead);
    assert_eq!(slot_occupied(loaded.function(PORT)), Some(false));
}

#[test]
fn header_only() {
    let loaded = load("broken/header-only-64");
    assert_eq!(loaded.states(), owned(&[(PORT, State::Answering, 64), (GPU, State::Answering, 64)]));
    let gpu = loaded.function(GPU);
    assert_eq!(gpu.reading.config_size, Some(4096));
    assert_eq!(loaded.anomalies(GPU), [], "what was not read is not broken");
    assert!(gpu.located.is_empty());
    let found = link(gpu).expect("the kernel tells");
    assert_eq!((found.current, found.maximum), (GEN5_X16, GEN5_X16));
    assert!(matches!(loaded.unreadable(GPU), Unreadable::NotRead { .. }));
}

#[test]
fn asleep() {
    let loaded = load("broken/asleep-d3cold");
    assert_eq!(loaded.states(), owned(&[(PORT, State::Answering, 4096), (GPU, State::Asleep, 0)]));
    loaded.nothing_decoded(GPU);
    assert_eq!(loaded.unreadable(GPU), Unreadable::Asleep);
    assert_eq!(loaded.function(GPU).reading.config_reads, 0);

    let loaded = load("broken/asleep-below-bridge");
    let asleep = [(PORT, State::Asleep, 0), (GPU, State::Asleep, 0), (AUDIO, State::Asleep, 0)];
    assert_eq!(loaded.states(), owned(&asleep));
    for address in [PORT, GPU, AUDIO] {
        loaded.nothing_decoded(address);
        assert_eq!(loaded.function(address).reading.config_reads, 0);
        assert_eq!(loaded.function(address).reading.answer("current_link_speed"), None, "that wakes it too");
    }
    assert!(loaded.function(GPU).presence.reason.contains("bridge above"));
    assert!(loaded.function(PORT).presence.reason.contains("power_state"));
}

#[test]
fn broken_lists_end() {
    let loaded = load("broken/capability-loop");
    let anomalies = loaded.anomalies(NVME);
    assert_eq!(
        anomalies,
        [
            Anomaly::Loop { list: List::Standard, from: 0xb0, to: 0x40 },
            Anomaly::Loop { list: List::Extended, from: 0x21c, to: 0x100 },
        ]
    );
    let loaded = load("broken/pointers-into-header");
    assert_eq!(
        loaded.anomalies(NVME),
        [
            Anomaly::IntoHeader { list: List::Standard, from: 0xb0, to: 0x10 },
            Anomaly::IntoHeader { list: List::Extended, from: 0x21c, to: 0x40 },
        ]
    );
    for name in ["broken/capability-loop", "broken/pointers-into-header"] {
        let loaded = load(name);
        assert_eq!(loaded.function(NVME).located.len(), 11, "every capability once");
        assert_eq!(loaded.table(NVME).vectors.len(), 33, "the rest is as good as ever");
    }
}

#[test]
fn reasons_why_the_vector_table_cannot_be_read() {
    let outside = Unreadable::OutsideBar { bar: 0, end: 0x3f00 + 33 * 16, size: 0x4000 };
    assert_eq!(load("broken/msix-table-outside-bar").unreadable(NVME), outside);
    let owned = Unreadable::OwnedByDriver { bar: 0, driver: Some("nvme".into()) };
    assert_eq!(load("broken/msix-driver-owns-bar").unreadable(NVME), owned);
    assert_eq!(load("broken/unset-bar").unreadable(NVME), Unreadable::BarUnassigned { bar: 0 });
    let lost = load("broken/bar-lost");
    let nvme = lost.function(NVME);
    let lines = resources(nvme.reading.text("resource").expect("lines")).expect("resources");
    let bars = bars(nvme.space(), Some(&lines));
    assert_eq!((bars[0].address, bars[0].agrees), (Some(0), Some(false)));
    assert_eq!(lost.unreadable(NVME), Unreadable::MemoryDecodeOff);
    assert_eq!(lost.unreadable(NIC), Unreadable::BarUnassigned { bar: 0 });
}

#[test]
fn wide_domains() {
    let loaded = load("broken/wide-domain");
    assert!(loaded.machine.strange.is_empty(), "{:?}", loaded.machine.strange);
    let answering = |address| (address, State::Answering, 4096);
    let expected = ["0000:00:0e.0", "10000:e0:06.0", "10000:e1:00.0", "feedbeef:00:00.0"].map(answering);
    assert_eq!(loaded.states(), owned(&expected));
    let nvme = loaded.function("10000:e1:00.0");
    assert_eq!(nvme.parent.map(|p| p.to_string()).as_deref(), Some("10000:e0:06.0"));
    assert_eq!(nvme.host_bridge.as_deref(), Some("pci10000:e0"));
    assert_eq!(loaded.function("feedbeef:00:00.0").host_bridge.as_deref(), Some("pcifeedbeef:00"));
    assert_eq!(loaded.table("feedbeef:00:00.0").vectors.len(), 33);
}

#[test]
fn not_ready() {
    let loaded = load("broken/not-ready-rrs");
    assert_eq!(loaded.states(), owned(&[(PORT, State::Answering, 4096), (GPU, State::NotReady, 0)]));
    loaded.nothing_decoded(GPU);
    assert!(matches!(loaded.unreadable(GPU), Unreadable::NotRead { .. }));
}

#[test]
fn unknown_header_type() {
    let loaded = load("broken/header-type-7f");
    let function = loaded.function(NVME);
    assert_eq!(function.presence.state, State::Answering);
    assert!(loaded.anomalies(NVME).contains(&Anomaly::UnknownHeaderType { raw: 0x7f }));
    assert!(matches!(loaded.vectors(NVME), None | Some(Err(_))), "no BARs are known in such a header");
}

#[test]
fn virtual_functions_are_alive() {
    let loaded = load("broken/virtual-function");
    for address in ["0000:41:00.1", "0000:41:00.2"] {
        let function = loaded.function(address);
        assert_eq!(function.presence.state, State::Answering);
        assert_eq!(function.config_bytes(), 4096);
        assert_eq!((function.identity.vendor_id, function.identity.device_id), (Some(0x15b3), Some(0x101e)));
        assert_eq!(function.identity.answers_as, None);
        assert_eq!(function.reading.link_name("physfn"), Some(NIC));
        assert_eq!(loaded.anomalies(address), []);
    }
    let function = loaded.function("0000:41:00.1");
    let lines = resources(function.reading.text("resource").expect("lines")).expect("resources");
    let bars = bars(function.space(), Some(&lines));
    assert_eq!(bars.len(), 1);
    assert_eq!((bars[0].size, bars[0].address, bars[0].agrees), (Some(1 << 20), None, None));
    // Memory Space Enable of a virtual function is in its physical function, and so are its BARs.
    let table = loaded.table("0000:41:00.1");
    assert_eq!((table.vectors.len(), table.vectors.iter().filter(|v| !v.masked).count()), (12, 4));
}

#[test]
fn every_fixture_is_described() {
    let text = std::fs::read_to_string(folder("README.md")).expect("a README");
    for name in names() {
        let last = name.rsplit('/').next().unwrap_or_default();
        assert!(text.contains(&format!("`{last}`")), "{name} is not in sysfs-fixtures/README.md");
    }
}

fn names() -> Vec<String> {
    let mut names = Vec::new();
    for kind in ["machines", "broken"] {
        for entry in std::fs::read_dir(folder(kind)).expect("a folder") {
            let entry = entry.expect("an entry");
            // Beside the folders are descriptions of simulated machines, which have tests of their own.
            if entry.file_type().expect("a kind").is_dir() {
                names.push(format!("{kind}/{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    names.sort();
    names
}

/// What `lspci` may say of a tree beside its normal output, because that is the fault.
fn expected_complaints(name: &str) -> &'static [&'static str] {
    match name {
        // Domains are signed numbers in lspci.
        "broken/wide-domain" => &["Invalid domain feedbeef"],
        _ => &[],
    }
}

#[test]
fn lspci_reads_every_tree() {
    let version = std::process::Command::new("lspci").arg("--version").output();
    let Ok(version) = version else {
        eprintln!("skipped: lspci is not installed (package pciutils)");
        return;
    };
    eprintln!("{}", String::from_utf8_lossy(&version.stdout).trim());
    for name in names() {
        let path = folder(&name).join("sys/bus/pci");
        let output = std::process::Command::new("lspci")
            .args(["-A", "linux-sysfs", "-vvv", "-O"])
            .arg(format!("sysfs.path={}", path.display()))
            .env("LC_ALL", "C")
            .output()
            .expect("lspci was there a moment ago");
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        let known = expected_complaints(&name);
        for line in complaints.lines() {
            // The modules that could drive a device are looked up on the machine that runs the test.
            let of_the_host = line.contains("libkmod");
            assert!(of_the_host || known.iter().any(|k| line.contains(k)), "{name}: {line}");
        }
        if known.is_empty() {
            assert!(output.status.success(), "{name}: {complaints}");
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let unknown_header = text.matches("!!! Unknown header type 7f").count();
        assert_eq!(unknown_header, silent_functions(&name), "{name}:\n{text}");
    }
}

/// Functions of which `lspci` says that they have an unknown header type: those that do not answer.
fn silent_functions(name: &str) -> usize {
    match name {
        "broken/all-ones" => 2,
        "broken/disconnected" | "broken/asleep-d3cold" | "broken/not-ready-rrs" | "broken/header-type-7f" => {
            1
        }
        "broken/asleep-below-bridge" => 3,
        _ => 0,
    }
}
