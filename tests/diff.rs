//! `diff`: nothing differs from itself, what was broken on a real kernel is what differs, and the two sides are alike.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the program prints as JSON, and its exit status.
fn ask(arguments: &[&str]) -> (Value, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
    command.env("PCISCOPE_IDS", "embedded").args(["--format", "json"]).args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    (
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {error}")),
        output.status.code(),
    )
}

fn diff(first: &str, second: &str, more: &[&str]) -> (Value, Option<i32>) {
    ask(&[&["diff", first, second], more].concat())
}

/// Captures of a real kernel beside the corpus.
fn captures() -> Option<PathBuf> {
    let folder = std::env::var_os("PCISCOPE_CORPUS").map(|corpus| PathBuf::from(corpus).join("../captures"));
    match folder.filter(|folder| folder.is_dir()) {
        Some(folder) => Some(folder),
        None => {
            println!("skipped: PCISCOPE_CORPUS is not set, or there are no captures beside it");
            None
        }
    }
}

/// `address path`: `first -> second` of everything that is shown.
fn changes(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value["text"].as_str().unwrap_or("none").to_owned();
    let of = |address: &str, comparison: &Value| {
        let lines = comparison["changes"].as_array().unwrap().iter().map(|c| {
            let way = format!("{} -> {}", text(&c["first"]), text(&c["second"]));
            (format!("{address} {}", c["path"].as_str().unwrap()), way)
        });
        lines.collect::<Vec<_>>()
    };
    let functions = answer["functions"].as_array().unwrap().iter();
    let mut all: Vec<_> = functions.flat_map(|f| of(f["address"].as_str().unwrap(), f)).collect();
    all.extend(of("machine", &answer["machine"]));
    all
}

#[test]
fn nothing_differs_from_itself() {
    let fixtures = root().join("sysfs-fixtures");
    let inside = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut sources: Vec<PathBuf> = ["machines", "broken", "scenarios"]
        .into_iter()
        .flat_map(|kind| inside(fixtures.join(kind)))
        .collect();
    if let Some(captures) = captures() {
        let some = ["zoo", "gpu-gone", "cfg-cap-loop", "cfg-numvfs", "cmd-lockdown"];
        sources.extend(some.map(|name| captures.join(format!("{name}.tar.zst"))));
    }
    for source in &sources {
        let name = source.to_str().unwrap();
        let all = ["address", "slot", "serial", "id"];
        let few = name.ends_with("gpu-server.toml") || name.contains("zoo");
        for matching in &all[..if few { 4 } else { 1 }] {
            let (answer, status) = diff(name, name, &["--all", "--match", matching]);
            assert_eq!(status, Some(0), "{name} by {matching}: {:?}", changes(&answer));
            let empty = |key: &str| answer[key].as_array().unwrap().is_empty();
            assert!(empty("functions") && empty("only_first") && empty("only_second"), "{name}: {answer}");
            assert_eq!(answer["compared"], answer["first"]["functions"], "{name}");
        }
    }
    println!("{} sources", sources.len());
}

/// What was done to a machine is what differs from its healthy sibling, and nothing else of note.
#[test]
fn what_was_broken_on_a_real_kernel_is_what_differs() {
    let Some(captures) = captures() else { return };
    let table: [(&str, &str, &[&str]); 6] = [
        (
            "gpu-healthy",
            "gpu-width-x8",
            &[
                "0000:03:02.0 express.link_status.negotiated_link_width",
                "0000:06:00.0 express.link_status.negotiated_link_width",
            ],
        ),
        (
            "gpu-healthy",
            "gpu-aspm-on",
            &[
                "0000:06:00.0 aspm_detail.kernel[l0s_aspm].on",
                "0000:06:00.0 express.link_control.aspm_control",
            ],
        ),
        ("gpu-healthy", "gpu-rebar-small", &["0000:06:00.0 rebar.entry[0].capability.supported_sizes"]),
        ("gpu-healthy", "gpu-gone", &["0000:06:00.0 presence", "0000:06:00.0 presence_reason"]),
        (
            "gpu-healthy",
            "gpu-cesta",
            &[
                "0000:06:00.0 aer.correctable_status.bad_tlp",
                "0000:06:00.0 aer.correctable_status.receiver_error",
                "0000:06:00.0 aer.correctable_status.replay_num_rollover",
                "0000:06:00.0 aer.correctable_status.replay_timer_timeout",
                "0000:06:00.0 express.device_status.correctable_error_detected",
                "0000:06:00.0 secondary.lane_error_status.lanes",
            ],
        ),
        ("base-a-6.12", "cfg-master-off", &["0000:01:00.0 header.command.bus_master_enable"]),
    ];
    for (first, second, expected) in table {
        let path = |name: &str| captures.join(format!("{name}.tar.zst")).to_str().unwrap().to_owned();
        let (answer, status) = diff(&path(first), &path(second), &[]);
        let found: Vec<String> = changes(&answer).into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            (found.iter().map(String::as_str).collect::<Vec<_>>(), status),
            (expected.to_vec(), Some(1)),
            "{second}"
        );
        // The other way round it is the same, with the sides exchanged.
        let (back, _) = diff(&path(second), &path(first), &["--all"]);
        let (forth, _) = diff(&path(first), &path(second), &["--all"]);
        let turned = |(path, way): (String, String)| {
            let (a, b) = way.split_once(" -> ").unwrap();
            (path, format!("{b} -> {a}"))
        };
        let turned: Vec<_> = changes(&back).into_iter().map(turned).collect();
        assert_eq!(changes(&forth), turned, "{second}");
    }
}

/// The text that `lspci -xxxx` would print of functions that moved to other buses.
fn moved(answer: &Value, bus: &str, other: &str) -> String {
    let mut text = String::new();
    for function in answer["functions"].as_array().unwrap() {
        let address = function["address"].as_str().unwrap().replacen(bus, other, 1);
        text.push_str(&format!("{address} Some device\n"));
        for (offset, hex) in function["hex"].as_object().unwrap() {
            let (offset, hex): (usize, &str) = (offset.parse().unwrap(), hex.as_str().unwrap());
            for (row, digits) in hex.as_bytes().chunks(32).enumerate() {
                let bytes: Vec<_> = digits.chunks(2).map(|d| std::str::from_utf8(d).unwrap()).collect();
                text.push_str(&format!("{:03x}: {}\n", offset + row * 16, bytes.join(" ")));
            }
        }
        text.push('\n');
    }
    text
}

#[test]
fn functions_are_found_again_after_they_were_renumbered() {
    let machine = root().join("sysfs-fixtures/machines/two-socket-gpu-server.toml");
    let machine = machine.to_str().unwrap();
    let (answer, _) = ask(&["--from", machine, "show", "-x", "82:00.0", "82:00.1"]);
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (here, there) = (name("here"), name("there"));
    std::fs::write(&here, moved(&answer, ":82:", ":82:")).unwrap();
    std::fs::write(&there, moved(&answer, ":82:", ":81:")).unwrap();
    let (by_address, status) = diff(&here, &there, &[]);
    let count = |answer: &Value, key: &str| answer[key].as_array().unwrap().len();
    assert_eq!(
        (count(&by_address, "only_first"), count(&by_address, "only_second"), status),
        (2, 2, Some(1))
    );
    for matching in ["serial", "id"] {
        let (answer, status) = diff(&here, &there, &["--match", matching]);
        let expected = [
            ("0000:82:00.0 address".to_owned(), "0000:82:00.0 -> 0000:81:00.0".to_owned()),
            ("0000:82:00.1 address".to_owned(), "0000:82:00.1 -> 0000:81:00.1".to_owned()),
        ];
        assert_eq!((changes(&answer), status), (expected.to_vec(), Some(1)), "by {matching}");
        assert_eq!((count(&answer, "only_first"), count(&answer, "only_second")), (0, 0));
    }
    // A dump tells nothing of drivers: what it does not tell is no difference.
    let (answer, _) = diff(machine, &here, &["-s", "82:00.0"]);
    assert_eq!(
        changes(&answer).into_iter().filter(|(path, _)| !path.starts_with("machine")).count(),
        0,
        "{:?}",
        changes(&answer)
    );
    let reasons = answer["functions"][0]["not_compared"].as_array().unwrap();
    assert!(
        reasons.iter().any(|r| r["side"] == "second" && r["paths"].to_string().contains("driver")),
        "{reasons:?}"
    );
}

#[test]
fn a_source_that_tells_less_does_not_lose_functions() {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("lspci.txt");
    let whole = folder.path().join("whole");
    let machine = "sysfs-fixtures/machines/two-socket-gpu-server";
    let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
    command
        .current_dir(root())
        .args(["--from", machine, "capture", "--no-redact", "--dir", "-o"])
        .arg(&whole);
    assert!(command.output().unwrap().status.success());
    std::fs::copy(whole.join("capture/lspci.txt"), &dump).unwrap();
    for matching in ["slot", "id", "serial"] {
        let (answer, _) = diff(dump.to_str().unwrap(), machine, &["--match", matching]);
        assert_eq!(answer["only_first"].as_array().unwrap().len(), 0, "{matching}: {answer}");
        assert_eq!(answer["only_second"].as_array().unwrap().len(), 0, "{matching}: {answer}");
        assert!(answer["compared"].as_u64() > Some(0), "{matching}: {answer}");
    }
}

/// Captures a source; `key` makes the pseudonyms.
fn capture(source: &str, name: &Path, key: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
    command.args(["--from", source, "capture", "--vpd", "--redact-key"]).args([key, Path::new("-o"), name]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{source}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn pseudonyms_are_not_compared_with_what_they_stand_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let fixtures = root().join("sysfs-fixtures");
    for (number, source) in
        ["machines/two-socket-gpu-server", "machines/qemu-q35-gpu"].into_iter().enumerate()
    {
        let source = fixtures.join(source);
        let source = source.to_str().unwrap();
        let names = ["mine", "again", "other"].map(|name| at(&format!("{name}{number}.tar.zst")));
        for (name, key) in names.iter().zip(["key", "key", "other-key"]) {
            capture(source, name, &at(key));
        }
        let [mine, again, other] = names.each_ref().map(|name| name.to_str().unwrap());
        let unknown = |answer: &Value| answer.to_string().matches("a pseudonym stands in its place").count();
        for matching in ["address", "slot", "serial", "id"] {
            for (first, second) in [(source, mine), (mine, source), (mine, other)] {
                let (answer, status) = diff(first, second, &["--all", "--match", matching]);
                assert_eq!(status, Some(0), "{first} {second} by {matching}: {:?}", changes(&answer));
                assert!(unknown(&answer) > 0, "{first} {second} by {matching}: {answer}");
            }
            let (answer, status) = diff(mine, again, &["--all", "--match", matching]);
            assert_eq!((status, unknown(&answer)), (Some(0), 0), "{source} by {matching}: {answer}");
        }
    }
}

#[test]
fn a_device_that_died_is_paired_though_its_serial_number_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let [alive, dead] = ["alive", "dead"].map(|name| folder.path().join(name));
    let source = root().join("sysfs-fixtures/machines/two-socket-gpu-server");
    let copy = |to: &Path| {
        let copied = Command::new("cp").args(["-a", source.to_str().unwrap(), to.to_str().unwrap()]).status();
        assert!(copied.unwrap().success());
    };
    copy(&alive);
    copy(&dead);
    let (alone, _) = ask(&["--from", alive.to_str().unwrap(), "show"]);
    let with_number: Vec<&str> = alone["functions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["registers"].as_object().unwrap().keys().any(|path| path.starts_with("serial_number.")))
        .map(|f| f["address"].as_str().unwrap())
        .collect();
    let victim = *with_number.first().unwrap();
    let config = dead.join("sys/bus/pci/devices").join(victim).join("config");
    std::fs::write(config, [0xff; 4096]).unwrap();
    for (first, second) in [(&alive, &dead), (&dead, &alive)] {
        let (answer, status) =
            diff(first.to_str().unwrap(), second.to_str().unwrap(), &["--match", "serial"]);
        let empty = |key: &str| answer[key].as_array().unwrap().is_empty();
        assert!(status == Some(1) && empty("only_first") && empty("only_second"), "{victim}: {answer}");
        let found = answer["functions"].as_array().unwrap().iter().find(|f| f["address"] == victim).unwrap();
        assert_eq!(found["second_address"], victim);
    }
}

#[test]
fn a_shorter_dump_of_the_same_machine_is_no_other_machine() {
    let folder = tempfile::tempdir().unwrap();
    let [long, short] = ["long.txt", "short.txt"].map(|name| folder.path().join(name));
    // A host bridge without a list of capabilities, as `lspci -xxx` and `lspci -x` print it.
    let head =
        "00:00.0 0600: 8086:1237 (rev 02)\n00: 86 80 37 12 06 01 00 00 02 00 00 06 00 00 00 00\n".to_owned();
    let row = |at: usize| format!("{at:02x}:{}\n", " 00".repeat(16));
    let rows = |to: usize| head.clone() + &(0x10..to).step_by(16).map(row).collect::<String>();
    std::fs::write(&long, rows(0x100)).unwrap();
    std::fs::write(&short, rows(0x40)).unwrap();
    for (first, second) in [(&long, &short), (&short, &long)] {
        let (answer, status) =
            diff(first.to_str().unwrap(), second.to_str().unwrap(), &["--match", "serial"]);
        assert_eq!((status, changes(&answer)), (Some(0), Vec::new()), "{answer}");
        assert!(answer["not_compared"].as_u64() > Some(0), "{answer}");
        assert_eq!(answer["matched_by"], "address", "nothing has a serial number");
    }
}
