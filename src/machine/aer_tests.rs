use super::*;
use crate::kernel_log::event::Evidence;
use crate::machine::attributes::index;
use crate::machine::enumerate::Entry;
use crate::machine::reading::Reading;
use crate::pci::ConfigSpace;
use crate::tree::Cause;

const ROOT: Bdf = Bdf { domain: 0, bus: 0, device: 1, function: 0 };
const ENDPOINT: Bdf = Bdf { domain: 0, bus: 1, device: 0, function: 0 };

/// Device/Port Type (PCIe 6.2, 7.5.3.2).
const TYPE_ENDPOINT: u8 = 0;
const TYPE_ROOT_PORT: u8 = 4;
const TYPE_INTEGRATED: u8 = 9;

/// Configuration space of a PCI Express function with Advanced Error Reporting at 100h.
fn config(port_type: u8) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    bytes[..8].copy_from_slice(&[0x86, 0x80, 1, 0, 6, 0, 0x10, 0]);
    if port_type == TYPE_ROOT_PORT {
        (bytes[0x0e], bytes[0x0a], bytes[0x0b]) = (1, 4, 6);
    }
    bytes[0x34] = 0x40;
    bytes[0x40..0x44].copy_from_slice(&[0x10, 0, 2 | port_type << 4, 0]);
    bytes[0x100..0x104].copy_from_slice(&0x0001_0001u32.to_le_bytes());
    bytes
}

fn function(address: Bdf, parent: Option<Bdf>, config: &[u8], texts: &[(&str, &str)]) -> Function {
    let answers = texts.iter().map(|(name, text)| (index(name).unwrap(), Ok((*text).to_owned())));
    let reading = Reading {
        space: ConfigSpace::from_bytes(config),
        config_error: None,
        answers: answers.collect(),
        ..Reading::failed(address, Cause::NotCaptured)
    };
    let entry =
        Entry { address, path: String::new(), parent, host_bridge: Some("pci0000:00".into()), linked: true };
    Function::new(&entry, reading)
}

/// A root port with these attributes, and an endpoint below it.
fn machine(top: u8, texts: &[(&str, &str)]) -> Machine {
    let root = function(ROOT, None, &config(top), texts);
    let endpoint = function(ENDPOINT, Some(ROOT), &config(TYPE_ENDPOINT), &[]);
    Machine::from_functions(vec![root, endpoint])
}

fn owner(machine: &Machine, address: Bdf, platform: &Platform, lines: Option<&[Line]>) -> Ownership {
    aer(machine, machine.get(address).unwrap(), platform, lines).ownership
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

/// What the log of a machine says about `pci0000:00`.
fn bridge(controls: &[&str], not_supported: &[&str], refused: Option<&str>) -> HostBridge {
    HostBridge {
        name: "PNP0A08:00".into(),
        root_bus: Some("0000:00".into()),
        os_controls: words(controls),
        not_supported: words(not_supported),
        refused: refused.map(str::to_owned),
        ..HostBridge::default()
    }
}

fn granted() -> HostBridge {
    bridge(&["PCIeHotplug", "AER", "PCIeCapability"], &["LTR"], None)
}

fn platform(command_line: &str, ports: Option<&[&str]>, bridge: Option<HostBridge>) -> Platform {
    Platform {
        command_line: Some(command_line.into()),
        aer_ports: ports.map(words),
        host_bridges: bridge.into_iter().collect(),
        ..Platform::default()
    }
}

#[test]
fn who_handles_errors_below_a_root_port() {
    let refused = || bridge(&[], &[], Some("_OSC failed (AE_NOT_FOUND); disabling ASPM"));
    let unsupported = || bridge(&["PCIeHotplug"], &["AER", "DPC"], None);
    let others = || bridge(&["PCIeHotplug", "PCIeCapability"], &[], None);
    let silent = || bridge(&[], &["LTR"], None);
    let here: Option<&[&str]> = Some(&["0000:00:01.0", "0000:00:02.0"]);
    let elsewhere: Option<&[&str]> = Some(&["0000:00:02.0"]);
    let nowhere: Option<&[&str]> = Some(&[]);
    let (yes, no) = (Some(true), Some(false));
    let table = [
        // The command line decides before everything else.
        (platform("quiet pci=noaer", here, Some(granted())), no, "pci=noaer"),
        (platform("pci=realloc,nomsi", here, Some(granted())), no, "pci=nomsi"),
        (platform("pcie_ports=compat", here, Some(granted())), no, "pcie_ports=compat"),
        (platform("pcie_ports=native", nowhere, Some(refused())), yes, "pcie_ports=native"),
        (platform("quiet -- pci=noaer", here, None), yes, "the AER service runs on"),
        (platform("pci=noaerx xpci=noaer", here, None), yes, "the AER service runs on"),
        // Then port services, which are what runs.
        (platform("", here, None), yes, "the AER service runs on root port 0000:00:01.0"),
        (platform("", here, Some(refused())), yes, "the AER service runs on root port 0000:00:01.0"),
        (platform("", elsewhere, None), no, "no AER service runs on root port 0000:00:01.0"),
        (platform("", nowhere, Some(granted())), no, "no AER service runs on root port 0000:00:01.0"),
        (platform("", nowhere, Some(refused())), no, "; PNP0A08:00: _OSC failed (AE_NOT_FOUND)"),
        (platform("", nowhere, Some(unsupported())), no, "; _OSC of PNP0A08:00: platform does not support"),
        // Then what firmware gave.
        (platform("", None, Some(granted())), yes, "_OSC of PNP0A08:00 gave AER to Linux"),
        (platform("", None, Some(unsupported())), no, "platform does not support [AER DPC]"),
        (platform("", None, Some(refused())), no, "_OSC failed (AE_NOT_FOUND)"),
        (platform("", None, Some(others())), no, "gave Linux [PCIeHotplug PCIeCapability], not AER"),
        // Nothing tells.
        (platform("", None, Some(silent())), None, "neither"),
        (platform("", None, None), None, "neither"),
        (Platform::default(), None, "neither"),
    ];
    let machine = machine(TYPE_ROOT_PORT, &[]);
    for (row, (platform, expected, words)) in table.iter().enumerate() {
        // The answer for the port is the answer for everything below it.
        for address in [ROOT, ENDPOINT] {
            let owner = owner(&machine, address, platform, None);
            assert_eq!(owner.kernel, *expected, "row {row}: {}", owner.reason);
            assert!(owner.reason.contains(words), "row {row}: {}", owner.reason);
        }
    }
}

#[test]
fn a_conclusion_rests_on_what_it_was_read_from() {
    let line = |text: &str| Evidence { line: 3, offset: 0, text: text.to_owned() };
    let text = "[    1.1] acpi PNP0A08:00: _OSC: platform does not support [AER LTR]";
    let mut unsupported = bridge(&["PCIeHotplug"], &["AER", "LTR"], None);
    unsupported.lines.not_supported = Some(line(text));
    let nowhere: Option<&[&str]> = Some(&[]);
    let file = |path, text: &str| Basis::File { path, text: text.to_owned() };
    let service = |word: &str| file(AER_SERVICES, &format!("{word} entry for 0000:00:01.0"));
    let said = Basis::Line(line(text));
    let table = [
        (platform("quiet pci=nomsi", nowhere, None), vec![file("proc/cmdline", "quiet pci=nomsi")]),
        (platform("pcie_ports=native", None, None), vec![file("proc/cmdline", "pcie_ports=native")]),
        (platform("", Some(&["0000:00:01.0"]), None), vec![service("an")]),
        (platform("", nowhere, None), vec![service("no")]),
        (platform("", nowhere, Some(unsupported.clone())), vec![service("no"), said.clone()]),
        (platform("", None, Some(unsupported)), vec![said]),
        (platform("", None, None), vec![]),
    ];
    let ports = machine(TYPE_ROOT_PORT, &[("msi_irqs", "24")]);
    for (platform, basis) in &table {
        let owner = owner(&ports, ENDPOINT, platform, None);
        assert_eq!(owner.basis, *basis, "{}", owner.reason);
    }
    let owner = owner(&ports, ENDPOINT, &platform("", None, None), Some(&lines("PCIe PME, aerdrv")));
    assert_eq!(owner.basis, [file("proc/interrupts", "interrupt 24: PCIe PME, aerdrv")]);
}

#[test]
fn another_host_bridge_says_nothing() {
    let other = HostBridge { root_bus: Some("0000:80".into()), ..granted() };
    let machine = machine(TYPE_ROOT_PORT, &[]);
    assert_eq!(owner(&machine, ENDPOINT, &platform("", None, Some(other)), None).kernel, None);
}

fn lines(actions: &str) -> Vec<Line> {
    let line = |number, actions: &str| Line {
        number,
        count: 0,
        per_processor: Vec::new(),
        chip: "PCI-MSI-0000:00:01.0".into(),
        hardware: "0-edge".into(),
        actions: actions.to_owned(),
    };
    vec![line(16, "i801_smbus"), line(24, actions), line(25, "nvme0q0")]
}

#[test]
fn the_interrupt_of_a_port_tells_of_its_services() {
    let unknown = platform("", None, None);
    let kernel = |machine: &Machine, lines: Option<&[Line]>| owner(machine, ENDPOINT, &unknown, lines).kernel;
    let messages = machine(TYPE_ROOT_PORT, &[("msi_irqs", "23\n24")]);
    assert_eq!(kernel(&messages, Some(&lines("PCIe PME, aerdrv, PCIe DPC"))), Some(true));
    assert_eq!(kernel(&messages, Some(&lines("aerdrv"))), Some(true));
    assert_eq!(kernel(&messages, Some(&lines("PCIe PME"))), None);
    assert_eq!(kernel(&messages, Some(&lines("aerdrv2, xaerdrv"))), None);
    assert_eq!(kernel(&messages, None), None);
    let pin = machine(TYPE_ROOT_PORT, &[("irq", "24")]);
    assert_eq!(kernel(&pin, Some(&lines("PCIe PME, aerdrv"))), Some(true));
    let other = machine(TYPE_ROOT_PORT, &[("msi_irqs", "25"), ("irq", "16")]);
    assert_eq!(kernel(&other, Some(&lines("aerdrv"))), None, "the interrupt of somebody else");
    let endpoint = machine(TYPE_ENDPOINT, &[("msi_irqs", "24")]);
    assert_eq!(kernel(&endpoint, Some(&lines("aerdrv"))), None, "no port, no service");
    // A service that runs is more certain than what firmware is said to have given.
    let refused = platform("", None, Some(bridge(&[], &["AER"], None)));
    let found = owner(&messages, ENDPOINT, &refused, Some(&lines("aerdrv")));
    assert_eq!((found.kernel, found.reason.contains("aerdrv")), (Some(true), true));
    let off = platform("pci=noaer", None, None);
    assert_eq!(owner(&messages, ENDPOINT, &off, Some(&lines("aerdrv"))).kernel, Some(false));
}

#[test]
fn an_integrated_endpoint_has_no_port() {
    let integrated = function(ROOT, None, &config(TYPE_INTEGRATED), &[]);
    let machine = Machine::from_functions(vec![integrated]);
    let kernel = |platform| owner(&machine, ROOT, &platform, None).kernel;
    assert_eq!(kernel(platform("", Some(&[]), None)), None, "its errors go to an event collector");
    assert_eq!(kernel(platform("", Some(&[]), Some(granted()))), Some(true));
    assert_eq!(kernel(platform("pci=noaer", Some(&[]), Some(granted()))), Some(false));
}

#[test]
fn the_topmost_function_is_called_what_it_is() {
    let nowhere = platform("", Some(&[]), None);
    let reason = |top: &[u8]| {
        let machine = Machine::from_functions(vec![function(ROOT, None, top, &[])]);
        owner(&machine, ROOT, &nowhere, None).reason
    };
    assert_eq!(reason(&config(TYPE_ROOT_PORT)), "no AER service runs on root port 0000:00:01.0");
    assert_eq!(reason(&config(TYPE_ENDPOINT)), "0000:00:01.0 is no root port");
    let unread = "whether 0000:00:01.0 is a root port was not read";
    assert_eq!(reason(&config(TYPE_ROOT_PORT)[..64]), unread);
    assert_eq!(reason(&config(TYPE_ENDPOINT)[..64]), unread);
}

fn counted(text: &str) -> Counters {
    let function = function(ROOT, None, &config(TYPE_ROOT_PORT), &[("aer_dev_fatal", text)]);
    counters(&function, "aer_dev_fatal").unwrap()
}

#[test]
fn counters_are_parsed() {
    let pair = |name: &str, count| (name.to_owned(), count);
    let some = counted("RxErr 3\nBadTLP 0\nBadDLLP 4\nTOTAL_ERR_COR 7");
    assert_eq!(some, Counters { counts: vec![pair("RxErr", 3), pair("BadDLLP", 4)], total: Some(7) });
    let none = counted("Undefined 0\nDLP 0\nTOTAL_ERR_FATAL 0");
    assert_eq!(none, Counters { counts: vec![], total: Some(0) });
    // Names of old kernels have spaces in them.
    let old = counted("Receiver Error 2\nTOTAL_ERR_NONFATAL 2");
    assert_eq!(old, Counters { counts: vec![pair("Receiver Error", 2)], total: Some(2) });
    assert_eq!(counted("DLP 18446744073709551615").counts, [pair("DLP", u64::MAX)]);
}

#[test]
fn lines_of_garbage_are_passed_over() {
    let text = "\n \nRxErr\nRxErr x\nBadTLP -1\nBadDLLP 18446744073709551616\nRollover 1.5\nTOTAL_ERR_COR ?\nTimeout 2";
    assert_eq!(counted(text).counts, [("Timeout".to_owned(), 2)]);
}

#[test]
fn a_file_that_is_not_there_is_no_zero() {
    let machine = machine(TYPE_ROOT_PORT, &[("aer_dev_correctable", "RxErr 1\nTOTAL_ERR_COR 1")]);
    let root = aer(&machine, machine.get(ROOT).unwrap(), &Platform::default(), None);
    assert_eq!(root.correctable.and_then(|c| c.total), Some(1));
    assert_eq!((root.non_fatal, root.fatal), (None, None));
    let endpoint = aer(&machine, machine.get(ENDPOINT).unwrap(), &Platform::default(), None);
    assert_eq!(endpoint.correctable, None);
}

fn of_bytes(bytes: &[u8]) -> (Aer, Option<ErrorsSeen>) {
    let machine = Machine::from_functions(vec![function(ROOT, None, bytes, &[])]);
    let root = machine.get(ROOT).unwrap();
    (aer(&machine, root, &Platform::default(), None), errors_seen(root))
}

#[test]
fn latched_errors_are_named() {
    let mut bytes = config(TYPE_ROOT_PORT);
    let (clean, seen) = of_bytes(&bytes);
    assert_eq!((clean.capability, seen.map(ErrorsSeen::is_empty)), (Some(true), Some(true)));
    assert_eq!((clean.uncorrectable_status, clean.correctable_status), (Some(vec![]), Some(vec![])));

    bytes[0x104..0x108].copy_from_slice(&(1u32 << 5 | 1 << 14 | 1 << 20).to_le_bytes());
    bytes[0x110..0x114].copy_from_slice(&1u32.to_le_bytes());
    bytes[0x4a] = 0b1001;
    let (latched, seen) = of_bytes(&bytes);
    let uncorrectable = ["surprise_down_error", "completion_timeout", "unsupported_request_error"];
    assert_eq!(latched.uncorrectable_status.unwrap(), uncorrectable);
    assert_eq!(latched.correctable_status.map(|names| names.len()), Some(1));
    let expected = ErrorsSeen { correctable: true, unsupported_request: true, ..ErrorsSeen::default() };
    assert_eq!(seen, Some(expected));
    bytes[0x4a] = 0b0110;
    let expected = ErrorsSeen { non_fatal: true, fatal: true, ..ErrorsSeen::default() };
    assert_eq!(of_bytes(&bytes).1, Some(expected));
}

#[test]
fn what_was_not_read_is_not_called_clean() {
    let mut bytes = config(TYPE_ROOT_PORT);
    let (ended, _) = of_bytes(&bytes[..256]);
    assert_eq!((ended.capability, ended.uncorrectable_status, ended.correctable_status), (None, None, None));
    let (header, seen) = of_bytes(&bytes[..64]);
    assert_eq!((header.capability, seen), (None, None));
    let (cut, _) = of_bytes(&bytes[..0x108]);
    assert_eq!(
        (cut.capability, cut.uncorrectable_status, cut.correctable_status),
        (Some(true), Some(vec![]), None)
    );
    bytes[0x100] = 0x0b;
    let (without, _) = of_bytes(&bytes);
    assert_eq!((without.capability, without.uncorrectable_status), (Some(false), None));
}
