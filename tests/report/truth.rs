//! What a letter asks for agrees with what `diagnose` says and with its own evidence, and every command can show it.

use std::path::PathBuf;

use serde_json::Value;

use super::{CARD, MINIMAL, addresses, as_typed, json, opening, requests, scenario, written};

/// A capture of a real kernel, where they are at hand.
fn capture(name: &str) -> Option<String> {
    let folder = std::env::var_os("PCISCOPE_CORPUS").map(|c| PathBuf::from(c).join("../captures"));
    match folder.filter(|folder| folder.is_dir()) {
        Some(folder) => Some(folder.join(format!("{name}.tar.zst")).to_str().unwrap().to_owned()),
        None => {
            println!("skipped: {name}: PCISCOPE_CORPUS is not set, or there are no captures beside it");
            None
        }
    }
}

const PROVIDER: [&str; 3] = ["--for", "provider", "--no-redact"];

fn scenario_letter(name: &str) -> &'static Value {
    let file = format!("{name}.toml");
    &MINIMAL.iter().find(|(source, _)| source.ends_with(&format!("/{file}"))).unwrap().1
}

fn request<'a>(report: &'a Value, topic: &str) -> &'a Value {
    let all = report["requests"].as_array().unwrap();
    all.iter().find(|r| r["topic"] == topic).unwrap_or_else(|| panic!("{topic}: {:?}", requests(report)))
}

fn topics(report: &Value) -> Vec<String> {
    requests(report).into_iter().map(|(topic, _)| topic).collect()
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap()
}

#[test]
fn a_dead_switch_is_one_patient_with_what_is_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switch.toml");
    std::fs::write(
        &file,
        "title = \"t\"\nbase = \"eight-gpu-server\"\nseed = 5\n[[event]]\nat = \"30s\"\nfault = \"fallen-off-bus\"\n\
         function = \"0000:16:00.0\"\n",
    )
    .unwrap();
    let report = json(file.to_str().unwrap(), &PROVIDER);
    assert_eq!(addresses(&report), ["0000:16:00.0"]);
    assert_eq!(topics(&report), ["card-and-riser", "management-controller"]);
    let behind = report["patients"][0]["behind"].as_array().unwrap();
    let places: Vec<&str> = behind.iter().map(|a| a.as_str().unwrap()).collect();
    let below = ["17:00", "17:01", "17:02", "17:03", "18:00", "19:00", "1a:00", "1b:00"];
    assert_eq!(places, below.map(|place| format!("0000:{place}.0")));
    let opening = opening(&report);
    assert!(
        opening.contains("What is behind it is silent because of it") && opening.contains("0000:1b:00.0"),
        "{opening}"
    );
    // The port below which the link is, not one inside the switch, of which that bit is always 0.
    assert!(text(request(&report, "card-and-riser"), "command").contains("0000:15:01.0"));
}

#[test]
fn a_port_inside_a_switch_has_no_slot_at_the_switch() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("port.toml");
    std::fs::write(
        &file,
        "title = \"t\"\nbase = \"eight-gpu-server\"\nseed = 5\n[[event]]\nat = \"30s\"\nfault = \"fallen-off-bus\"\n\
         function = \"0000:17:00.0\"\n",
    )
    .unwrap();
    let report = json(file.to_str().unwrap(), &PROVIDER);
    assert_eq!(addresses(&report), ["0000:17:00.0"]);
    assert_eq!(report["patients"][0]["behind"].as_array().unwrap().len(), 1);
    let command = text(request(&report, "card-and-riser"), "command");
    assert!(!command.contains("0000:16:00.0"), "the bit of an upstream port is always 0: {command}");
}

#[test]
fn what_the_diagnosis_clears_is_not_reseated() {
    let Some(source) = capture("aer-swinject") else { return };
    let report = json(&source, &PROVIDER);
    assert!(addresses(&report).is_empty() && requests(&report).is_empty(), "{:?}", requests(&report));
    let opening = opening(&report);
    assert!(opening.contains("Injecting errors 00000000/00004000 into device 0000:0a:00.0"), "{opening}");
    let hands = report["findings"].as_array().unwrap().iter().any(|f| f["who"] == "provider");
    assert!(!hands, "{}", report["findings"]);
}

#[test]
fn hands_are_asked_for_where_the_diagnosis_asks_for_them() {
    for (source, report) in MINIMAL.iter() {
        for (place, patient) in report["patients"].as_array().unwrap().iter().enumerate() {
            let mine = |d: &&Value| d["address"] == patient["address"];
            let Some(device) = report["diagnoses"].as_array().unwrap().iter().find(mine) else { continue };
            let asks = device["ask"].as_array().unwrap().iter().any(|a| a["topic"] == "card-and-riser");
            let reseat = report["requests"]
                .as_array()
                .unwrap()
                .iter()
                .find(|r| r["topic"] == "card-and-riser" && r["device"] == patient["address"]);
            let shown = reseat.is_some_and(|r| r["standing"] == "shown");
            assert!(asks || !shown, "{source}: patient {place}: {}", device["verdict"]);
        }
    }
    let report = scenario_letter("asleep-and-stuck");
    assert_eq!(topics(report), ["slot-power", "management-controller"]);
    assert_eq!(request(report, "slot-power")["standing"], "correlation");
    assert!(opening(report).contains("pcie_port_pm=off"), "{}", opening(report));
    let report = scenario_letter("marked-disconnected");
    assert_eq!(topics(report), ["visit"]);
}

/// A virtual function is a part of another one: nobody can take it out.
#[test]
fn nobody_reseats_a_virtual_function_of_which_only_the_log_knows() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("sys/bus/pci/devices")).unwrap();
    std::fs::create_dir_all(folder.path().join("var/log")).unwrap();
    std::fs::write(
        folder.path().join("var/log/dmesg"),
        "[   20.907558] pci 0000:01:10.0: [8086:1520] type 7f class 0xffffff\n\
         [   20.907578] pci 0000:01:10.0: unknown header type 7f, ignoring device\n",
    )
    .unwrap();
    let report = json(folder.path().to_str().unwrap(), &PROVIDER);
    assert_eq!(addresses(&report), ["0000:01:10.0"]);
    assert!(requests(&report).is_empty(), "{:?}", requests(&report));
    let hands = report["findings"].as_array().unwrap().iter().any(|f| f["who"] == "provider");
    assert!(!hands, "{}", report["findings"]);
}

#[test]
fn nobody_reseats_a_virtual_function() {
    let Some(source) = capture("cfg-numvfs") else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let function = "0000:11:00.1";
    std::fs::write(
        &log,
        format!(
            "[  100.000000] pci {function}: unknown header type 7f, ignoring device\n\
             [  101.000000] vfio-pci {function}: Unable to change power state from D3hot to D0, device inaccessible\n"
        ),
    )
    .unwrap();
    let report = json(&source, &[&PROVIDER[..], &["--log", log.to_str().unwrap()]].concat());
    let hands = ["provider", "replacement"];
    for request in report["requests"].as_array().unwrap() {
        assert!(
            !(request["device"] == function && hands.iter().any(|who| request["who"] == *who)),
            "{request}"
        );
    }
    assert!(report["patients"].to_string().contains(function), "{}", report["patients"]);
}

#[test]
fn corrected_errors_are_counted_where_they_were_reported() {
    let check = |report: &Value, says: &str, file: &str| {
        let request = request(report, "card-and-riser");
        let found = text(request, "found");
        assert!(found.contains(says) && !found.contains("counted 0"), "{found}");
        assert!(request["evidence"].to_string().contains(file), "{}", request["evidence"]);
    };
    let file = "sys/bus/pci/devices/0000:18:00.0/aer_dev_correctable";
    check(scenario_letter("error-storm"), "0000:18:00.0 counted 25 corrected errors", file);
    if let Some(source) = capture("aer-cor-storm") {
        check(&json(&source, &PROVIDER), "counted", "aer_dev_correctable");
    }
    for (source, report) in MINIMAL.iter() {
        assert!(!report["requests"].to_string().contains("counted 0"), "{source}");
    }
}

/// A command that reads where nothing was found, or a bit that is always 0, verifies nothing.
#[test]
fn a_command_reads_what_can_change() {
    let command = text(request(scenario_letter("completion-timeouts"), "card-and-riser"), "command");
    assert!(command.contains("-s 0000:18:00.0") && command.contains("-s 0000:17:00.0"), "{command}");
    let folder = tempfile::tempdir().unwrap();
    let report = scenario_letter("completion-timeouts");
    let command = command.split("; dmesg").next().unwrap();
    if let Some(printed) = as_typed(folder.path(), report, command) {
        assert!(printed.contains("CmpltTO+"), "what was found is what it prints: {printed}");
    }
    // Without a port above there is nothing to read at a port.
    let log = folder.path().join("log");
    std::fs::write(&log, "[  228.400000] NVRM: GPU 0000:09:00.0: GPU has fallen off the bus.\n").unwrap();
    let machine = "sysfs-fixtures/machines/two-socket-gpu-server";
    let report = json(machine, &[&PROVIDER[..], &["--log", log.to_str().unwrap()]].concat());
    let reseat = request(&report, "card-and-riser");
    assert_eq!(reseat["port"], Value::Null);
    assert_eq!(text(reseat, "command"), "lspci -s 0000:09:00.0 -vv");
    assert!(text(reseat, "expected_output").contains("(rev ff)"));
    // What describes itself in another wrong way is verified by that.
    let report = json(&scenario(folder.path(), &[("msix-table-outside-bar", CARD)]), &PROVIDER);
    let exchange = request(&report, "exchange");
    assert!(!text(exchange, "expected_output").contains("chain looped"), "{exchange}");
    if let Some(printed) = as_typed(folder.path(), &report, text(exchange, "command")) {
        assert!(printed.contains("Vector table: BAR=0 offset=03ffffb8"), "{printed}");
    }
    let report = json(&scenario(folder.path(), &[("msix-table-all-ones", CARD)]), &PROVIDER);
    let request = &report["requests"][0];
    assert!(text(request, "command").contains("/proc/interrupts"), "{request}");
    assert_ne!(request["expected_output"], "a table");
}

#[test]
fn an_option_of_the_kernel_is_not_asked_of_firmware() {
    let Some(source) = capture("aer-unhandled-compat") else { return };
    let report = json(&source, &PROVIDER);
    assert!(!topics(&report).contains(&"error-reporting".to_owned()), "{:?}", topics(&report));
    let asks = report["diagnoses"][0]["ask"].to_string();
    assert!(!asks.contains("error-reporting"), "{asks}");
    assert!(!report["not_measured"].to_string().contains("firmware kept AER"), "{}", report["not_measured"]);
    assert!(report["not_measured"].to_string().contains("pcie_ports=compat"));
    assert!(opening(&report).contains("remove pcie_ports=compat from the kernel command line"));
}

#[test]
fn above_4g_decoding_is_not_asked_for_where_it_is_on_or_cannot_help() {
    let enable = |report: &Value| report["requests"].to_string().contains("to Enabled");
    let report = scenario_letter("no-room-for-bar");
    assert!(!enable(report) && opening(report).contains("pci=realloc"), "{}", opening(report));
    assert!(
        report["already_right"].to_string().contains("Above 4G Decoding is on"),
        "{}",
        report["already_right"]
    );
    // Nor where a large BAR was put below 4 GiB although there is a window above.
    let folder = tempfile::tempdir().unwrap();
    let source = scenario(folder.path(), &[("large-bar-below-4g", CARD)]);
    let report = json(&source, &[&PROVIDER[..], &["--profile", "gpu-server"]].concat());
    assert!(!topics(&report).contains(&"above-4g-decoding".to_owned()), "{:?}", requests(&report));
    assert!(
        report["already_right"].to_string().contains("Above 4G Decoding is on"),
        "{}",
        report["already_right"]
    );
    for (name, asked, root) in [
        ("hp-add-nospace", None, "pci=realloc"),
        ("bar-1t", Some("mmio-high-size"), "pci=realloc"),
        ("cmd-noacpi", None, "remove pci=noacpi"),
    ] {
        let Some(source) = capture(name) else { return };
        let report = json(&source, &PROVIDER);
        assert!(!enable(&report), "{name}: {:?}", requests(&report));
        assert_eq!(topics(&report), Vec::from_iter(asked), "{name}");
        assert!(opening(&report).contains(root), "{name}: {}", opening(&report));
    }
}

#[test]
fn a_request_has_evidence_and_a_time() {
    let memory = request(scenario_letter("memory-errors"), "memory");
    assert_eq!(memory["standing"], "shown");
    for xid in ["): 48,", "): 63,", "): 95,"] {
        assert!(
            memory["evidence"].to_string().contains(xid) && text(memory, "found").contains(xid),
            "{memory}"
        );
    }
    let visit = request(scenario_letter("marked-disconnected"), "visit");
    assert!(text(visit, "found").contains("60.000406 s after the start"), "{visit}");
    assert!(!visit["evidence"].as_array().unwrap().is_empty());
    for (source, report) in MINIMAL.iter() {
        for request in report["requests"].as_array().unwrap() {
            assert!(!text(request, "found").contains("see the first cause"), "{source}: {request}");
            assert!(!text(request, "ask").contains("at that time"), "{source}: {request}");
        }
    }
}

#[test]
fn what_many_devices_share_is_said_once() {
    for name in ["half-the-lanes", "equalization-and-lanes"] {
        assert!(!opening(scenario_letter(name)).contains("pci=noaer"), "{name}");
    }
    let fatal = opening(scenario_letter("fatal-error"));
    assert!(!fatal.contains("nothing worse") && fatal.contains("did not recover"), "{fatal}");
    let Some(source) = capture("cmd-noacpi") else { return };
    let report = json(&source, &PROVIDER);
    let opening = opening(&report);
    assert_eq!(opening.matches("What does not help").count(), 1, "{opening}");
    assert_eq!(opening.matches("Memory of the device has no address").count(), 1, "{opening}");
    assert!(report["opening"].as_array().unwrap().len() < 10, "{opening}");
    for address in addresses(&report) {
        assert!(opening.contains(address), "{address}: {opening}");
    }
}

#[test]
fn warnings_without_a_patient_are_told() {
    let report = scenario_letter("aspm-on");
    assert!(addresses(report).is_empty());
    let opening = opening(report);
    let warned = report["counts"]["warn"].as_u64().unwrap_or_default();
    assert!(warned > 0 && opening.contains("Warnings: ") && opening.contains("ASPM"), "{opening}");
    assert!(opening.contains("--profile gpu-server"), "{opening}");
    let page = written("sysfs-fixtures/scenarios/aspm-on.toml", "md", &["--for", "provider"]);
    assert!(page.contains("Warnings: "), "{page}");
}

/// A log alone, without times: the port that tells of an error is not a second sick device, and the controller has one log.
#[test]
fn a_port_that_tells_of_an_error_is_no_second_device() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("sys/bus/pci/devices")).unwrap();
    std::fs::create_dir_all(folder.path().join("var/log")).unwrap();
    std::fs::write(
        folder.path().join("var/log/dmesg"),
        "pcieport 0000:00:02.0: AER: Uncorrected (Non-Fatal) error received: 0000:01:00.0\n\
         r8169 0000:01:00.0: AER: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, (Requester ID)\n\
         r8169 0000:01:00.0: AER:   device [10ec:8168] error status/mask=00004000/00400000\n\
         r8169 0000:01:00.0: AER:    [14] CmpltTO                (First)\n\
         r8169 0000:01:00.0: AER: can't recover (no error_detected callback)\n\
         pcieport 0000:00:02.0: AER: device recovery failed\n",
    )
    .unwrap();
    let report = json(folder.path().to_str().unwrap(), &PROVIDER);
    assert_eq!(addresses(&report), ["0000:01:00.0"]);
    assert_eq!(topics(&report), ["card-and-riser", "management-controller"]);
    let command = text(request(&report, "card-and-riser"), "command");
    assert!(command.contains("-s 0000:00:02.0") && command.contains("UESta"), "{command}");
    let text = written(folder.path().to_str().unwrap(), "md", &PROVIDER);
    assert!(!text.contains("an unknown time"), "{text}");
}

#[test]
fn the_controller_has_one_log_of_one_time() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("sys/bus/pci/devices")).unwrap();
    std::fs::create_dir_all(folder.path().join("var/log")).unwrap();
    std::fs::write(
        folder.path().join("var/log/dmesg"),
        "iwlwifi 0000:02:00.0: Unable to change power state from D3hot to D0, device inaccessible\n\
         nvme 0000:03:00.0: Unable to change power state from D3hot to D0, device inaccessible\n",
    )
    .unwrap();
    let report = json(folder.path().to_str().unwrap(), &PROVIDER);
    assert_eq!(addresses(&report), ["0000:02:00.0", "0000:03:00.0"]);
    let asked = topics(&report);
    assert_eq!(asked.iter().filter(|topic| *topic == "management-controller").count(), 1, "{asked:?}");
    assert_eq!(request(&report, "management-controller")["device"], Value::Null);
}

#[test]
fn what_the_log_names_without_an_address_is_no_sound_machine() {
    let folder = tempfile::tempdir().unwrap();
    let letter = |name: &str, text: &str| {
        let log = folder.path().join(name);
        std::fs::write(&log, text).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_pciscope"))
            .args(["report", "--for", "provider", "--format", "json", "--log"])
            .arg(&log)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.contains("no line in it is the kernel's"), name == "rubbish", "{said}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let report = letter("rubbish", "this is no log\n");
    assert_eq!(report["title"], "PCI Express: not known (no function was read)");
    let report = letter(
        "no-link",
        "[    2.335880] imx6q-pcie 33800000.pcie: Phy link never came up\n\
         [    2.341642] imx6q-pcie: probe of 33800000.pcie failed with error -110\n",
    );
    assert_eq!(report["title"], "33800000.pcie: link down");
    assert!(opening(&report).contains("does not tell its address"), "{report}");
    let report = letter("quiet", "[    0.300000] pci_bus 0000:00: root bus resource [bus 00-ff]\n");
    assert_eq!(report["title"], "PCI Express: nothing in the kernel log says that a device has failed");
}
