//! Simulated machines: what is shipped shows what it says, every fault works on every machine, the log speaks the
//! kernel's words, and real `lspci` reads the folders.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "simulate/strangers.rs"]
mod strangers;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use pciscope::pci::Bdf;
use pciscope::simulate::fault::{self, Call, Fault, ParameterKind, Target};
use pciscope::simulate::folder::write;
use pciscope::simulate::kernel::{KERNELS, Kernel};
use pciscope::simulate::scenario::Scenario;
use pciscope::simulate::state::Machine;
use pciscope::simulate::{expectation, library, output, source};

fn scenario(name: &str, kernel: Option<Kernel>) -> Scenario {
    source::scenario(name, kernel).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn shipped_scenarios_show_what_they_expect_in_every_kernel() {
    for shipped in library::SCENARIOS {
        let own = scenario(shipped.name, None);
        assert!(!own.expectations.is_empty(), "{}: expects nothing", shipped.name);
        let (_, differences) = expectation::check(&own).unwrap();
        assert!(differences.is_empty(), "{differences:#?}");
        for (_, kernel) in KERNELS {
            // Wording differs; what must hold in all is that it can be made.
            let other = scenario(shipped.name, Some(kernel));
            other.machine_at(None).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[test]
fn everything_that_is_committed_is_shipped() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sysfs-fixtures");
    for (folder, shipped) in [("machines", library::MACHINES), ("scenarios", library::SCENARIOS)] {
        let names: BTreeSet<String> = root
            .join(folder)
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
            .collect();
        let known: BTreeSet<String> = shipped.iter().map(|s| s.name.to_owned()).collect();
        assert_eq!(names, known, "{folder}: src/simulate/library.rs lists what is in the folder");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for shipped in library::SCENARIOS {
        let files = |_| output::files(&scenario(shipped.name, None).machine_at(None).unwrap());
        assert_eq!(files(0), files(1), "{}", shipped.name);
    }
}

/// Every combination of choices that matters: each choice of each parameter once, the others as assumed.
fn calls(fault: &Fault, function: Option<Bdf>) -> Vec<Call> {
    let mut all = vec![Call::new(fault, function)];
    for parameter in fault.parameters {
        let values: Vec<fault::Given> = match parameter.kind {
            ParameterKind::Choice(words) => {
                words[1..].iter().map(|word| fault::Given::Text((*word).to_owned())).collect()
            }
            ParameterKind::Flag(assumed) => vec![fault::Given::Flag(!assumed)],
            _ => Vec::new(),
        };
        for value in values {
            let mut call = Call::new(fault, function);
            call.values.retain(|(name, _)| *name != parameter.name);
            call.values.push((parameter.name, value));
            all.push(call);
        }
    }
    all
}

/// Every fault on every function of every machine where it makes sense.
fn each(mut look: impl FnMut(&str, &Machine, &Fault, &Machine)) {
    for (place, shipped) in library::MACHINES.iter().enumerate() {
        // The kernels on the first machine, the machines with their own.
        let kernels = if place == 0 { KERNELS.map(|(_, kernel)| Some(kernel)).to_vec() } else { vec![None] };
        for kernel in kernels {
            let healthy = scenario(shipped.name, kernel).machine_at(None).unwrap();
            for fault in fault::all() {
                let functions: Vec<Option<Bdf>> = match fault.on {
                    Target::Machine => vec![None],
                    _ => representatives(&healthy),
                };
                for function in functions {
                    if fault::objection(fault, &healthy, function).is_some() {
                        continue;
                    }
                    for call in calls(fault, function) {
                        let mut machine = healthy.clone();
                        machine.now = 60_000_000;
                        let what =
                            format!("{}, {}, {function:?}, {:?}", shipped.name, fault.name, call.values);
                        match fault::apply(fault, &mut machine, &call) {
                            Ok(()) => look(&what, &healthy, fault, &machine),
                            // A fault may refuse what only its own look at the machine can tell, in one line.
                            Err(mistake) => assert!(
                                !mistake.message.contains('\n')
                                    && !mistake.message.contains("is no register"),
                                "{what}: {mistake}"
                            ),
                        }
                    }
                }
            }
        }
    }
}

/// One function of each kind, which is enough to see every fault.
fn representatives(machine: &Machine) -> Vec<Option<Bdf>> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (address, function) in &machine.functions {
        let kind = (function.enumerated.number(0, 4), machine.driver(*address), function.config.layout());
        if seen.insert(kind) {
            all.push(Some(*address));
        }
    }
    all
}

/// Lines that have no pattern in the table, because they are no events by themselves, whole, with the function of Linux or of
/// NVIDIA's open module that prints them.
const OTHER_LINES: [&str; 11] = [
    // probe.c: __pci_read_base, pci_read_bridge_windows; up to 6.8 "reg 0x10: ", from 6.9 on the name of the BAR.
    r"^pci BDF: (reg 0x[0-9a-f]{2}:|(VF )?BAR \d|ROM) RANGE$",
    r"^pci BDF:   bridge window RANGE$",
    // probe.c: pci_setup_device, pci_register_host_bridge.
    r"^pci BDF: unknown header type [0-9a-f]{2}, ignoring device$",
    r"^pci_bus [0-9a-f]{4,8}:[0-9a-f]{2}: Unknown NUMA node; performance will be reduced$",
    // vpd.c: pci_vpd_wait.
    r"^[\w.+-]+ BDF: VPD access failed\.  This is likely a firmware bug on this device\.  Contact the card vendor for a firmware update$",
    // arch/x86/kernel/apic/vector.c: activate_reserved.
    r"^irq \d+: Affinity broken due to vector space exhaustion\.$",
    // drivers/iommu/intel/dmar.c: dmar_fault.
    r"^DMAR: DRHD: handling fault status reg [0-9a-f]+$",
    // drivers/nvme/host/core.c: nvme_wait_ready; pci.c: nvme_warn_reset.
    r"^nvme nvme\d+: Device not ready; aborting reset, CSTS=0x[0-9a-f]+$",
    r"^nvme nvme\d+: Does your device have a faulty power saving mode enabled\?$",
    r#"^nvme nvme\d+: Try "nvme_core\.default_ps_max_latency_us=0 pcie_aspm=off pcie_port_pm=off" and report a bug$"#,
    // nv-pci.c: nv_pci_probe; the line behind it, "NVRM: BAR1 is 0M @ 0x0", has a pattern.
    r"^NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:$",
];

#[test]
fn every_fault_changes_something_and_every_line_is_in_the_words_of_the_kernel() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel-log-patterns.json"));
    let patterns: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
    let patterns: Vec<regex::Regex> = patterns
        .as_array()
        .unwrap()
        .iter()
        .map(|p| regex::Regex::new(p["regex"].as_str().unwrap()).expect("a pattern"))
        .collect();
    let others = OTHER_LINES.map(|pattern| {
        let pattern = pattern
            .replace("BDF", r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
            .replace("RANGE", r"\[(mem|io ) ?0x[0-9a-f]+-0x[0-9a-f]+( 64bit)?( pref)?\]");
        regex::Regex::new(&pattern).expect("a pattern")
    });
    let mut unused: BTreeSet<usize> = (0..others.len()).collect();
    let (mut matched, mut seen) = (0, BTreeSet::new());
    let mut worked = BTreeSet::new();
    each(|what, healthy, fault, broken| {
        if !worked.contains(fault.name) && output::files(healthy) != output::files(broken) {
            worked.insert(fault.name);
        }
        let known: BTreeSet<&str> = healthy.log.iter().map(|line| line.text.as_str()).collect();
        for line in broken.log.iter().filter(|line| !known.contains(line.text.as_str())) {
            if !seen.insert(line.text.clone()) {
                continue;
            }
            let text = line.text.trim_end();
            if patterns.iter().any(|pattern| pattern.is_match(text)) {
                matched += 1;
                continue;
            }
            let other = others.iter().position(|pattern| pattern.is_match(text));
            unused.remove(&other.unwrap_or_else(|| panic!("{what}: no pattern knows `{text}`")));
        }
    });
    let all: BTreeSet<&str> = fault::all().map(|fault| fault.name).collect();
    assert_eq!(worked, all, "every fault makes sense on some shipped machine");
    assert!(unused.is_empty(), "patterns that no line needs: {unused:?}");
    println!("{matched} lines match their patterns, of {}", seen.len());
    assert!(matched > 200, "{matched} lines");
}

fn lspci(folder: &Path, options: &[&str]) -> Option<(String, String)> {
    let output = Command::new("lspci")
        .args(["-A", "linux-sysfs", "-O"])
        .arg(format!("sysfs.path={}", folder.join("sys/bus/pci").display()))
        .args(options)
        .output()
        .ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}: {}", folder.display(), text(&output.stderr));
    Some((text(&output.stdout), text(&output.stderr)))
}

#[test]
fn lspci_reads_every_moment_of_every_scenario_and_every_machine() {
    let place = tempfile::tempdir().unwrap();
    for (number, shipped) in library::SCENARIOS.iter().chain(library::MACHINES).enumerate() {
        let scenario = scenario(shipped.name, None);
        let moments = scenario.moments();
        for (step, at) in moments.iter().copied().enumerate() {
            let folder = place.path().join(format!("{number}-{step}"));
            let machine = scenario.machine_at(Some(at)).unwrap();
            write(&machine, &folder).unwrap();
            // Everything at the end, what is decoded at every step.
            let all: [&[&str]; 4] = [&["-vvv"], &["-tv"], &["-nnk"], &["-xxxx"]];
            let count = if step + 1 == moments.len() { 4 } else { 1 };
            for options in &all[..count] {
                let Some((text, errors)) = lspci(&folder, options) else {
                    println!("skipped: lspci is not installed");
                    return;
                };
                // Debian's lspci looks for the modules of the running kernel, which are none of ours.
                let errors: Vec<&str> = errors.lines().filter(|line| !line.contains("libkmod")).collect();
                assert!(errors.is_empty(), "{} at {at}: {errors:?}", shipped.name);
                if *options == ["-vvv"] {
                    let shown =
                        text.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_hexdigit())).count();
                    assert_eq!(shown, machine.functions.len(), "{} at {at}", shipped.name);
                    lspci_agrees(&machine, &text);
                }
            }
        }
    }
}

/// A function that answers with a header type that does not exist, or not at all, is told as such, and no other is.
fn lspci_agrees(machine: &Machine, text: &str) {
    let strange = |f: &&pciscope::simulate::state::Function| output::config_bytes(f)[0x0e] & 0x7f == 0x7f;
    let count = machine.functions.values().filter(strange).count();
    assert_eq!(text.matches("!!! Unknown header type 7f").count(), count, "{text}");
}

#[test]
fn a_folder_is_never_overwritten() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("something"), "").unwrap();
    let machine = scenario("two-socket-gpu-server", None).machine_at(None).unwrap();
    let error = write(&machine, place.path()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
}

/// Since Linux 6.16 ten errors of a function are printed within 5 s; all of them are counted.
#[test]
fn recent_kernels_print_few_of_many_errors() {
    let text = |version: &str| {
        format!(
            "title = \"storm\"\nbase = \"eight-gpu-server\"\nkernel = \"{version}\"\n[[event]]\nat = \"1m\"\n\
             fault = \"aer-correctable-storm\"\nfunction = \"0000:18:00.0\"\ncount = 200\nevery_ms = 100\n"
        )
    };
    for (version, printed, told) in [("6.12", 200, 0), ("7.2", 40, 3)] {
        let machine =
            source::from_text(&text(version), "storm.toml", None).unwrap().machine_at(None).unwrap();
        let count = |words: &str| machine.log.iter().filter(|line| line.text.contains(words)).count();
        let messages = count("error message received from 0000:18:00.0");
        assert_eq!((messages, count("aer_ratelimit: 40 callbacks suppressed")), (printed, told), "{version}");
        let counted =
            machine.text(&machine.attribute("0000:18:00.0".parse().unwrap(), "aer_dev_correctable"));
        assert!(counted.is_some_and(|text| text.contains("TOTAL_ERR_COR 200")), "{version}");
    }
}

/// A machine at the end of events, each a table of a scenario without its `[[event]]`.
fn after(base: &str, kernel: &str, events: &[&str]) -> Machine {
    let mut text = format!("title = \"t\"\nbase = \"{base}\"\nkernel = \"{kernel}\"\n");
    for event in events {
        text += &format!("[[event]]\n{event}\n");
    }
    source::from_text(&text, "t.toml", None).unwrap().machine_at(None).unwrap()
}

fn says(machine: &Machine, text: &str) -> bool {
    machine.log.iter().any(|line| line.text.contains(text))
}

fn attribute(machine: &Machine, address: &str, name: &str) -> Option<String> {
    machine.text(&machine.attribute(address.parse().unwrap(), name))
}

/// What the kernel notes of a function's ranges, with their lines.
fn ranges(machine: &Machine, address: Bdf) -> Vec<(usize, pciscope::pci::bars::Resource)> {
    let text = machine.text(&machine.attribute(address, "resource")).unwrap();
    let all = pciscope::pci::bars::resources(&text).unwrap();
    let whole = all.into_iter().map(|line| line.unwrap());
    whole.enumerate().filter(|(_, range)| range.size() != 0).collect()
}

/// Windows nest, and of what lies below one bridge nothing overlaps.
fn possible(what: &str, machine: &Machine) {
    let mut siblings: std::collections::BTreeMap<Option<Bdf>, Vec<(u64, u64, String)>> = Default::default();
    for address in machine.functions.keys() {
        let parent = machine.parent(*address);
        for (line, range) in ranges(machine, *address).into_iter().filter(|(_, range)| range.is_memory()) {
            let name = format!("{address} line {line}");
            if let Some(parent) = parent {
                let fits = ranges(machine, parent)
                    .into_iter()
                    .any(|(line, w)| line >= 14 && w.start <= range.start && range.end <= w.end);
                assert!(fits, "{what}: {name} {range:x?} lies in no window of {parent}");
            }
            siblings.entry(parent).or_default().push((range.start, range.end, name));
        }
    }
    for ranges in siblings.values_mut() {
        ranges.sort();
        for pair in ranges.windows(2) {
            assert!(pair[0].1 < pair[1].0, "{what}: {pair:x?}");
        }
    }
}

#[test]
fn a_large_bar_below_4_gib_leaves_a_possible_machine() {
    let fault = fault::find("large-bar-below-4g").unwrap();
    let (mut moved, mut refused) = (0, 0);
    for shipped in library::MACHINES {
        let healthy = scenario(shipped.name, None).machine_at(None).unwrap();
        possible(shipped.name, &healthy);
        for address in healthy.functions.keys().copied() {
            let mut machine = healthy.clone();
            let what = format!("{}, {address}", shipped.name);
            match fault::apply(fault, &mut machine, &Call::new(fault, Some(address))) {
                Ok(()) => moved += 1,
                Err(_) => {
                    refused += 1;
                    continue;
                }
            }
            possible(&what, &machine);
            let bars = |machine: &Machine| -> Vec<_> {
                ranges(machine, address).into_iter().filter(|(line, _)| *line < 6).collect()
            };
            let (before, now) = (bars(&healthy), bars(&machine));
            assert!(now.iter().all(|(_, range)| range.end < 1 << 32), "{what}: {now:x?}");
            let function = &machine.functions[&address].config;
            for ((line, old), (_, new)) in before.iter().zip(&now) {
                let raw = function.number(0x10 + 4 * *line as u16, 4) & !0xf;
                assert!(!new.is_memory() || raw == new.start, "{what}: BAR {line} {raw:#x} {new:x?}");
                // Nothing but Resizable BAR makes a BAR smaller.
                assert!(new.size() == old.size() || function.capability("rebar").is_some(), "{what}");
            }
            // Ranges of others that were above 4 GiB did not move.
            for other in healthy.functions.keys().filter(|other| other.bus != address.bus) {
                let high = |machine: &Machine| -> Vec<_> {
                    let all = ranges(machine, *other);
                    all.into_iter().filter(|(line, range)| *line < 13 && range.start >= 1 << 32).collect()
                };
                assert_eq!(high(&healthy), high(&machine), "{what}: {other}");
            }
        }
    }
    println!("{moved} devices moved, {refused} functions have nothing to move or no room");
    assert!(moved >= 4, "{moved} moved, {refused} refused");
}

/// With `pci=nommconf` Linux 6.12 asks for no control: no service, no report, no interrupt of a port.
#[test]
fn without_extended_configuration_space_the_kernel_controls_nothing() {
    for (_, kernel) in KERNELS {
        let machine = after(
            "nvme-storage-server",
            kernel.name(),
            &["at = \"1s\"\nfault = \"extended-config-missing\""],
        );
        let service = machine.files.keys().find(|path| path.contains(":pcie"));
        assert_eq!(service, None, "{}", kernel.name());
        for said in
            ["OS now controls", "[ExtendedConfig ASPM ClockPM Seg", "AER: enabled", "Signaling", "Slot #"]
        {
            assert!(!says(&machine, said), "{}: {said}", kernel.name());
        }
        assert!(says(&machine, "OS requires [ExtendedConfig ASPM ClockPM MSI]"));
        let interrupts = machine.text("proc/interrupts").unwrap();
        for handler in ["aerdrv", "pciehp", "PCIe PME", "pcie-dpc", "bwctrl"] {
            assert!(!interrupts.contains(handler), "{}: {interrupts}", kernel.name());
        }
        for function in machine.functions.values() {
            assert_eq!(function.config.value("express.device_control") & 0xf, 0, "{}", function.address);
        }
    }
}

#[test]
fn older_kernels_contain_errors_too_and_name_the_service_as_sysfs_does() {
    let contained = "at = \"1m\"\nfault = \"dpc-containment\"\nfunction = \"0000:18:00.0\"";
    for kernel in ["4.19", "5.4"] {
        let machine = after("eight-gpu-server", kernel, &[contained]);
        let above = machine.parent("0000:18:00.0".parse().unwrap()).unwrap();
        let name = format!("{above}:pcie208");
        assert!(machine.exists(&format!("sys/bus/pci_express/devices/{name}")), "{kernel}");
        let line = match kernel {
            "4.19" => format!("dpc {name}: DPC containment event, status:"),
            _ => format!("pcieport {above}: DPC: containment event, status:"),
        };
        assert!(says(&machine, &line), "{kernel}");
    }
    let removed = "at = \"1m\"\nfault = \"surprise-removal\"\nfunction = \"0000:1b:00.0\"";
    let machine = after("eight-gpu-server", "4.19", &[removed]);
    assert!(says(&machine, "pciehp 0000:17:03.0:pcie204: Slot(4): Card not present"));
}

#[test]
fn a_fatal_error_below_a_switch_resets_the_port_above() {
    let fatal = "at = \"1m\"\nfault = \"aer-fatal\"\nfunction = \"0000:18:00.0\"";
    for (kernel, expected) in [
        ("5.4", "AER: downstream link has been reset"),
        ("6.12", "AER: Downstream Port link has been reset (0)"),
    ] {
        let machine = after("eight-gpu-server", kernel, &[fatal]);
        assert!(says(&machine, expected) && !says(&machine, "Root Port link"), "{kernel}");
    }
    let machine = after("eight-gpu-server", "4.19", &[fatal]);
    assert!(says(&machine, "pci 0000:18:00.0: Device recovery from fatal error successful"));
    assert!(says(&machine, "Removing device 0000:18:00.0 from group"));
    assert!(machine.functions.contains_key(&"0000:18:00.0".parse().unwrap()));
    let below_root = "at = \"1m\"\nfault = \"aer-fatal\"\nfunction = \"0000:03:00.0\"";
    let machine = after("nvme-storage-server", "6.12", &[below_root]);
    assert!(says(&machine, "AER: Root Port link has been reset (0)"));
}

const STORM: &str = "at = \"10s\"\nfault = \"aer-correctable-storm\"\nfunction = \"0000:03:00.0\"\ncount = 3";

/// As in the capture of Linux 6.12 that found a card in a hot-plug slot.
#[test]
fn what_is_found_again_is_told_in_full_and_counts_from_zero() {
    let again: [&[&str]; 2] = [
        &[
            "at = \"20s\"\naction = \"remove\"\nfunction = \"0000:03:00.0\"",
            "at = \"30s\"\naction = \"rescan\"",
        ],
        &[
            "at = \"20s\"\nfault = \"surprise-removal\"\nfunction = \"0000:03:00.0\"",
            "at = \"30s\"\nclear = \"surprise-removal\"",
        ],
    ];
    let healthy = scenario("nvme-storage-server", None).machine_at(None).unwrap();
    for events in again {
        let mut all = vec![STORM];
        all.extend(events);
        let machine = after("nvme-storage-server", "6.12", &all);
        let late: Vec<&str> =
            machine.log.iter().filter(|l| l.since >= 30_000_000).map(|l| l.text.as_str()).collect();
        let place = |what: &str| {
            let found = late.iter().position(|line| line.contains(what));
            found.unwrap_or_else(|| panic!("{what} is missing in {late:#?}"))
        };
        let order = [
            place("pci 0000:03:00.0: ["),
            place("pci 0000:03:00.0: BAR 0 [mem "),
            place("pci 0000:03:00.0: Adding to iommu group "),
            place("]: assigned"),
            place("nvme nvme2: pci function 0000:03:00.0"),
        ];
        assert!(order.is_sorted(), "{late:#?}");
        assert!(late[order[0]].ends_with(" PCIe Endpoint"), "{late:#?}");
        let counted = attribute(&machine, "0000:03:00.0", "aer_dev_correctable").unwrap();
        assert!(counted.contains("TOTAL_ERR_COR 0"), "{counted}");
        let bytes = |machine: &Machine| match machine.files.get("proc/interrupts") {
            Some(pciscope::simulate::state::Content::Bytes(bytes)) => {
                String::from_utf8(bytes.clone()).unwrap()
            }
            _ => panic!("no /proc/interrupts"),
        };
        let names = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.split(':').next().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&bytes(&machine)), names(&bytes(&healthy)));
    }
}

#[test]
fn interrupts_that_do_not_arrive_stop_where_they_were() {
    let text = "title = \"t\"\nbase = \"nvme-storage-server\"\nkernel = \"6.12\"\n[[event]]\nat = \"60s\"\n\
                fault = \"interrupts-not-delivered\"\nfunction = \"0000:03:00.0\"\n[[event]]\nat = \"5m\"\nlog = [\"x\"]\n";
    let scenario = source::from_text(text, "t.toml", None).unwrap();
    let counts = |seconds: u64| -> Vec<u64> {
        let machine = scenario.machine_at(Some(seconds * 1_000_000)).unwrap();
        let text = machine.text("proc/interrupts").unwrap();
        let own = text.lines().filter(|line| line.contains("0000:03:00.0"));
        own.map(|line| line.split_whitespace().filter_map(|n| n.parse::<u64>().ok()).sum()).collect()
    };
    let (before, then, later) = (counts(59), counts(60), counts(300));
    assert!(!before.is_empty() && before.iter().zip(&then).all(|(a, b)| a < b), "{before:?} {then:?}");
    assert_eq!(then, later);
}

#[test]
fn a_hot_plug_service_hears_of_every_link_that_goes_down() {
    for fault in ["fallen-off-bus", "slot-power-fault", "retrain-loop", "link-down"] {
        let event = format!("at = \"1m\"\nfault = \"{fault}\"\nfunction = \"0000:03:00.0\"");
        let healthy = scenario("nvme-storage-server", None).machine_at(None).unwrap();
        let port = healthy.parent("0000:03:00.0".parse().unwrap()).unwrap();
        let machine = after("nvme-storage-server", "6.12", &[&event]);
        assert!(says(&machine, ": Link Down"), "{fault}");
        assert!(!machine.functions.contains_key(&"0000:03:00.0".parse().unwrap()), "{fault}");
        let config = &machine.functions[&port].config;
        assert_eq!(config.value("express.slot_status.data_link_layer_state_changed"), 0, "{fault}");
    }
}

/// A masked error is latched and not reported; a device without link reports nothing (PCIe 6.2, 6.2.3.2.2).
#[test]
fn faults_see_the_faults_before_them() {
    let masked = "at = \"1s\"\nfault = \"aer-masked\"\nfunction = \"0000:03:00.0\"";
    let error = "at = \"10s\"\nfault = \"aer-nonfatal\"\nfunction = \"0000:03:00.0\"";
    let machine = after("nvme-storage-server", "6.12", &[masked, error]);
    assert!(!machine.log.iter().any(|line| line.since >= 10_000_000), "{:?}", machine.log.last());
    let counted = attribute(&machine, "0000:03:00.0", "aer_dev_nonfatal").unwrap();
    assert!(counted.contains("TOTAL_ERR_NONFATAL 0"), "{counted}");
    let config = &machine.functions[&"0000:03:00.0".parse().unwrap()].config;
    assert_eq!(config.value("aer.uncorrectable_status.unexpected_completion"), 1);

    // A port without hot-plug: the device stays, dead, and its counters with it.
    for (link, at_root) in [("down", 0), ("up", 3)] {
        let gone = format!(
            "at = \"1s\"\nfault = \"fallen-off-bus\"\nfunction = \"0000:18:00.0\"\nlink = \"{link}\""
        );
        let storm = STORM.replace("0000:03:00.0", "0000:18:00.0");
        let machine = after("eight-gpu-server", "6.12", &[&gone, &storm]);
        let counted = attribute(&machine, "0000:18:00.0", "aer_dev_correctable").unwrap();
        assert!(counted.contains("TOTAL_ERR_COR 0"), "{link}: {counted}");
        let root = machine.root_port("0000:18:00.0".parse().unwrap()).unwrap();
        let total = machine.text(&machine.attribute(root, "aer_rootport_total_err_cor")).unwrap();
        assert_eq!(total, at_root.to_string(), "{link}");
        assert!(!says(&machine, "0000:18:00.0: PCIe Bus Error"), "{link}");
    }
}
