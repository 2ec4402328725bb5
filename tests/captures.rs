//! A capture gives the same answers as what it was made from; other tools read it too.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn pciscope(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
    command.env("NO_COLOR", "1").env("PCISCOPE_IDS", "embedded").args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Commands whose answers are compared.
const QUESTIONS: [&[&str]; 7] = [
    &["list", "--format", "json"],
    &["show", "--format", "json"],
    &["show", "--hex", "--vpd"],
    &["msix", "--format", "json"],
    &["path", "--format", "json"],
    &["log", "--format", "json"],
    &["check", "--all", "--profile", "gpu-server", "--format", "json"],
];

/// Those of them that are asked of many sources: everything that is read of functions, of vectors, and around them.
const THREE: [&[&str]; 3] = [QUESTIONS[2], QUESTIONS[3], QUESTIONS[6]];

/// What a command prints about a source, and its exit status.
fn answer(source: &str, question: &[&str]) -> (Option<i32>, String, String) {
    let output = pciscope(&[&["--from", source], question].concat());
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Makes a capture of a source, as an archive or a folder.
fn capture(source: &str, name: &Path, more: &[&str]) {
    let name = name.to_str().unwrap();
    let output =
        pciscope(&[&["--from", source, "capture", "--vpd", "--no-redact", "-o", name], more].concat());
    assert!(output.status.success(), "{source}: {}", text(&output.stderr));
}

/// Asks the source and the others the same questions.
fn same(source: &str, others: &[&Path], questions: &[&[&str]]) {
    for question in questions {
        let before = answer(source, question);
        for other in others {
            let after = answer(other.to_str().unwrap(), question);
            let differs = before.1.lines().zip(after.1.lines()).find(|(b, a)| b != a);
            assert_eq!(differs, None, "{source}: {question:?} of {}", other.display());
            assert!(before == after, "{source}: {question:?} of {}: {}", other.display(), after.2);
        }
    }
}

/// The capture, the same unpacked by another program, and a capture of the capture: all of them answer as the source.
fn round_trip(source: &str, thorough: bool) {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("capture.tar.zst");
    capture(source, &archive, &[]);
    if !thorough {
        return same(source, &[&archive], &THREE);
    }
    let (unpacked, again) = (folder.path().join("unpacked"), folder.path().join("again"));
    std::fs::create_dir(&unpacked).unwrap();
    let tar = |arguments: &[&str]| Command::new("tar").args(arguments).output();
    let names = [archive.to_str().unwrap(), unpacked.to_str().unwrap()];
    match tar(&["--zstd", "-xf", names[0], "-C", names[1]]) {
        Ok(output) => assert!(output.status.success(), "{source}: {}", text(&output.stderr)),
        Err(error) => return missing("tar", &error),
    }
    same(source, &[&archive, &unpacked], &QUESTIONS);
    capture(names[0], &again, &["--dir"]);
    let arguments = ["-r", "--no-dereference", "-x", "about.json", names[1], again.to_str().unwrap()];
    let differ = Command::new("diff").args(arguments).output().unwrap();
    let lines: Vec<String> = text(&differ.stdout).lines().map(str::to_owned).collect();
    // The digest of about.json is in the list of digests.
    let other: Vec<&String> = lines.iter().filter(|line| line.starts_with("Only in")).collect();
    assert!(other.is_empty(), "{source}: {other:?}");
    match Command::new("sha256sum")
        .args(["--quiet", "-c", "capture/sha256sums"])
        .current_dir(&unpacked)
        .output()
    {
        Ok(output) => assert!(output.status.success(), "{source}: {}", text(&output.stdout)),
        Err(error) => missing("sha256sum", &error),
    }
}

/// A referee that is not here is said, and in continuous integration is a failure.
fn missing(tool: &str, error: &std::io::Error) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{tool}: {error}");
    println!("skipped: {tool}: {error}");
}

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sysfs-fixtures");
    let mut all: Vec<PathBuf> = ["machines", "broken"]
        .into_iter()
        .flat_map(|kind| std::fs::read_dir(root.join(kind)).unwrap().map(|entry| entry.unwrap().path()))
        .chain([root.join("reports/nvidia-bug-report.log")])
        .collect();
    all.sort();
    all
}

#[test]
fn captures_of_fixtures_answer_as_the_fixtures_do() {
    for fixture in fixtures() {
        round_trip(fixture.to_str().unwrap(), true);
    }
}

/// Real trees and dumps: `PCISCOPE_CORPUS` names their folder; beside it, `captures` holds trees of a real kernel.
#[test]
fn captures_of_real_machines_answer_as_the_originals_do() {
    let Some(corpus) = std::env::var_os("PCISCOPE_CORPUS").map(PathBuf::from) else {
        println!("skipped: PCISCOPE_CORPUS is not set");
        return;
    };
    let mut sources = Vec::new();
    for folder in [corpus.join("sysfs-trees"), corpus.join("lspci-dumps"), corpus.join("../captures")] {
        find_sources(&folder, &mut sources);
    }
    sources.sort();
    assert!(!sources.is_empty(), "no sources below {}", corpus.display());
    println!("{} sources", sources.len());
    for source in sources {
        round_trip(source.to_str().unwrap(), false);
    }
}

/// Everything below a folder that `list` takes.
fn find_sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("skipped: {}", folder.display());
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_symlink() {
            continue;
        }
        if pciscope(&["--from", path.to_str().unwrap(), "list"]).status.success() {
            found.push(path);
        } else if path.is_dir() {
            find_sources(&path, found);
        }
    }
}

/// A file of the folder of fixtures.
fn fixture(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sysfs-fixtures");
    root.join(name).to_str().unwrap().to_owned()
}

/// Every file below a folder: path and bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        }
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    all
}

#[test]
fn what_names_a_machine_is_replaced_and_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let key = at("key");
    for (number, (source, secrets)) in [
        (
            "reports/nvidia-bug-report.log",
            &[
                "e482917x4a11973",
                "om2391s204417",
                "c2170al23d90442",
                "3f1c9a52-7d04",
                "gpu-box-7",
                "ed3e30de-a12f",
            ] as &[&str],
        ),
        ("machines/qemu-q35-gpu", &["52:54:00:12:34:56", "52:54:00:00:00:13", "debian-kernel@lists"]),
    ]
    .into_iter()
    .enumerate()
    {
        let source = fixture(source);
        let (first, again, plain) =
            (at(&format!("first{number}")), at(&format!("again{number}")), at(&format!("plain{number}")));
        for (name, how) in [
            (&first, ["--redact-key", &key].as_slice()),
            (&again, &["--redact-key", &key]),
            (&plain, &["--no-redact"]),
        ] {
            let output =
                pciscope(&[&["--from", &source, "capture", "--vpd", "--dir", "-o", name], how].concat());
            assert!(output.status.success(), "{source}: {}", text(&output.stderr));
        }
        let read = |folder: &str, path: &Path| {
            std::fs::read(Path::new(folder).join(path.strip_prefix(&plain).unwrap())).unwrap()
        };
        let mut found = vec![false; secrets.len()];
        let mut replaced = 0;
        for (path, bytes) in files(Path::new(&plain)) {
            let told = ["about.json", "sha256sums"].iter().any(|name| path.ends_with(name));
            let (mine, other) = (read(&first, &path), read(&again, &path));
            assert!(told || mine == other, "{}: the same key, another pseudonym", path.display());
            assert!(told || mine.len() == bytes.len(), "{}", path.display());
            replaced += usize::from(!told && mine != bytes);
            for (secret, found) in secrets.iter().zip(&mut found) {
                let holds = |bytes: &[u8]| text(&bytes.to_ascii_lowercase()).contains(secret);
                *found |= holds(&bytes);
                assert!(!holds(&mine), "{secret} in {}", path.display());
            }
        }
        assert!(found.iter().all(|found| *found), "{source}: a secret is not in the source: {found:?}");
        assert!(replaced > 2);
        // Nobody but the reader of a serial number or a log sees a difference.
        for question in [QUESTIONS[0], QUESTIONS[3], QUESTIONS[4]] {
            assert_eq!(answer(&plain, question), answer(&first, question), "{source}: {question:?}");
        }
        let about: serde_json::Value =
            serde_json::from_slice(&std::fs::read(Path::new(&first).join("capture/about.json")).unwrap())
                .unwrap();
        assert!(about["redaction"].as_array().unwrap().len() >= replaced - 1, "{about}");
        // A capture of a capture keeps the pseudonyms.
        let copy = at(&format!("copy{number}"));
        let output =
            pciscope(&["--from", &first, "capture", "--vpd", "--dir", "-o", &copy, "--redact-key", &key]);
        assert!(output.status.success());
        let log = "var/log/dmesg";
        assert_eq!(
            std::fs::read(Path::new(&first).join(log)).ok(),
            std::fs::read(Path::new(&copy).join(log)).ok()
        );
    }
}

/// What names a machine and its people, in lines that a log and a command line have.
const PLANTED: &str = "Serial Number: PF3XK90217Q\nSN: S64HNJ0T501234\nHostname set to <gpu-box-7>.\n/home/alice/x acct=\"alice\"\n\
    eth0: 48:b0:2d:12:34:56 48b0.2d12.3456 enx48b02d123456\nmac 3cecef5ab917\n203.0.113.77-203.0.113.99 2001:db8:5:6::77\n\
    attached_sas_addr=0x5000c500a1b2c3d4 node_guid: 506b:4b03:00cd:1234 eui.0025388b81b1c2d3\n\
    GPU-fa3c8a9e-0d3a-41ee-8c99-0242ac120007 ip=203.0.113.77::203.0.113.1:255.255.255.0:gpu-box-7:eth0:none\n";

/// Status by check and function; verdict by device.
fn judged(source: &str) -> (Vec<String>, Vec<String>) {
    let json = |question: &[&str]| -> serde_json::Value {
        let (_, text, error) = answer(source, question);
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{source}: {e}: {error}"))
    };
    let all = |list: &serde_json::Value, keys: &[&str]| -> Vec<String> {
        let one = |entry: &serde_json::Value| {
            keys.iter().map(|key| entry[key].to_string()).collect::<Vec<_>>().join(" ")
        };
        list.as_array().unwrap().iter().map(one).collect()
    };
    let checks = json(&["check", "--all", "--profile", "gpu-server", "--format", "json"]);
    let verdicts = json(&["diagnose", "--format", "json"]);
    (
        all(&checks["findings"], &["check", "address", "status"]),
        all(&verdicts["devices"], &["address", "verdict", "confidence", "rule"]),
    )
}

#[test]
fn a_redacted_capture_has_the_same_verdicts_and_none_of_the_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let secrets = [
        "pf3xk90217q",
        "s64hnj0t501234",
        "gpu-box-7",
        "alice",
        "12:34:56",
        "2d12.3456",
        "48b02d123456",
        "5ab917",
        "203.0.113.77",
        "203.0.113.99",
        "2001:db8:5:6::77",
        "a1b2c3d4",
        "00cd:1234",
        "81b1c2d3",
        "fa3c8a9e-0d3a",
    ];
    for scenario in ["field-note-1", "field-note-2", "error-storm", "port-contains-error"] {
        let (plain, redacted) = (at(&format!("{scenario}-plain")), at(&format!("{scenario}-redacted")));
        capture(&fixture(&format!("scenarios/{scenario}.toml")), Path::new(&plain), &["--dir"]);
        for name in ["var/log/kmsg", "var/log/dmesg", "proc/cmdline", "proc/version", "proc/interrupts"] {
            let file = Path::new(&plain).join(name);
            let Ok(mut bytes) = std::fs::read(&file) else { continue };
            if name == "proc/cmdline" {
                bytes = [bytes.trim_ascii(), b" ", PLANTED.replace('\n', " ").as_bytes(), b"\n"].concat();
            } else {
                bytes.extend(PLANTED.bytes());
            }
            std::fs::write(file, bytes).unwrap();
        }
        let arguments = ["--from", &plain, "capture", "--dir", "-o", &redacted, "--redact-key", &at("key")];
        let output = pciscope(&arguments);
        assert!(output.status.success(), "{scenario}: {}", text(&output.stderr));
        let mut found = vec![false; secrets.len()];
        for (path, bytes) in files(Path::new(&plain)) {
            let bytes = text(&bytes.to_ascii_lowercase());
            secrets.iter().zip(&mut found).for_each(|(secret, found)| *found |= bytes.contains(secret));
            let Ok(mine) = std::fs::read(Path::new(&redacted).join(path.strip_prefix(&plain).unwrap()))
            else {
                continue;
            };
            let mine = text(&mine.to_ascii_lowercase());
            let left: Vec<&&str> = secrets.iter().filter(|secret| mine.contains(**secret)).collect();
            assert!(left.is_empty(), "{left:?} in {}", path.display());
        }
        assert!(found.iter().all(|found| *found), "{scenario}: {found:?}");
        assert_eq!(judged(&plain), judged(&redacted), "{scenario}");
    }
}

/// Runs a tool of OpenSSH; `None` where it is not installed.
fn ssh_keygen(arguments: &[&str], input: &Path) -> Option<Output> {
    let mut command = Command::new("ssh-keygen");
    let input = std::fs::File::open(input).unwrap();
    match command.args(arguments).stdin(input).output() {
        Ok(output) => Some(output),
        Err(error) => {
            missing("ssh-keygen", &error);
            None
        }
    }
}

#[test]
fn signatures_are_those_of_openssh_and_one_flipped_byte_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let nothing = Path::new("/dev/null");
    for name in ["key", "other"] {
        let arguments = ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &at(name)];
        let Some(output) = ssh_keygen(&arguments, nothing) else { return };
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    for name in ["key", "other"] {
        let public = std::fs::read_to_string(at(&format!("{name}.pub"))).unwrap();
        std::fs::write(at(&format!("{name}-signers")), format!("operator@example.com {public}")).unwrap();
    }
    let source = fixture("broken/all-ones");
    let (archive, unpacked, unsigned) = (at("capture.tar.zst"), at("capture"), at("unsigned"));
    capture(&source, Path::new(&archive), &["--sign", &at("key")]);
    capture(&source, Path::new(&unpacked), &["--sign", &at("key"), "--dir"]);
    capture(&source, Path::new(&unsigned), &["--dir"]);
    let verify = |path: &str, more: &[&str]| {
        let output = pciscope(&[&["verify", path], more].concat());
        (output.status.code(), text(&output.stdout))
    };
    let trusted: &[&str] = &["--signers", &at("key-signers")];
    for path in [&archive, &unpacked] {
        let (status, said) = verify(path, trusted);
        assert_eq!(status, Some(0), "{said}");
        assert!(said.contains("signed by operator@example.com with ED25519 key SHA256:"), "{said}");
        assert_eq!(verify(path, &[]).0, Some(0));
        let (status, said) = verify(path, &["--signers", &at("other-signers")]);
        assert_eq!(status, Some(2), "{said}");
    }
    assert_eq!(verify(&unsigned, trusted).0, Some(3));
    // The stock tool agrees.
    let sums = Path::new(&unpacked).join("capture/sha256sums");
    let signature = format!("{unpacked}/capture/sha256sums.sig");
    let arguments = [
        "-Y",
        "verify",
        "-n",
        "pciscope",
        "-f",
        &at("key-signers"),
        "-I",
        "operator@example.com",
        "-s",
        &signature,
    ];
    let output = ssh_keygen(&arguments, &sums).unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    // Any byte of the archive.
    let good = std::fs::read(&archive).unwrap();
    for place in [10, good.len() / 3, good.len() / 2, good.len() - 9] {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        std::fs::write(at("flipped"), &bytes).unwrap();
        assert_eq!(verify(&at("flipped"), trusted).0, Some(2), "byte {place}");
    }
    // Any file of the folder, with and without its digest; a file more, a file less, another link.
    let config =
        files(Path::new(&unpacked)).into_iter().find(|(path, _)| path.ends_with("cmdline")).unwrap().0;
    let device = format!("{unpacked}/sys/bus/pci/devices/0000:ff:1f.7");
    let bare = std::fs::read_to_string(format!("{unpacked}/capture/manifest.tsv")).unwrap();
    assert!(bare.lines().any(|line| line.starts_with("d\t")), "{bare}");
    let listed = || answer(&unpacked, &["list", "--format", "json"]).1;
    let functions = listed();
    let changes: [(&str, &dyn Fn()); 5] = [
        // A device that the machine did not have.
        ("0000:ff:1f.7: was not there when the capture was made", &|| {
            std::fs::create_dir(&device).unwrap();
            assert_eq!(listed(), functions, "nobody reads it either");
        }),
        ("its SHA-256 is not the one that was noted", &|| {
            std::fs::write(&config, "pcie_aspm=off\n").unwrap()
        }),
        ("missing", &|| std::fs::remove_file(&config).unwrap()),
        ("was not there when the capture was made", &|| {
            std::fs::write(format!("{unpacked}/proc/new"), "").unwrap()
        }),
        ("BAD SIGNATURE", &|| {
            std::fs::remove_file(format!("{unpacked}/proc/new")).unwrap();
            let listed = std::fs::read_to_string(&sums).unwrap();
            let listed: String =
                listed.lines().filter(|l| !l.ends_with("cmdline")).map(|l| format!("{l}\n")).collect();
            std::fs::write(&sums, listed).unwrap();
        }),
    ];
    for (words, change) in changes {
        change();
        let (status, said) = verify(&unpacked, trusted);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains(words), "{words}: {said}");
        let _ = std::fs::remove_dir(&device);
    }
    let output = ssh_keygen(&arguments, &sums).unwrap();
    assert!(!output.status.success(), "the stock tool refuses it as well");
}

#[test]
fn a_key_that_does_not_sign_does_not_cost_the_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let (key, name) = (folder.path().join("key"), folder.path().join("capture"));
    std::fs::write(&key, "no key\n").unwrap();
    let source = fixture("broken/all-ones");
    let arguments = ["--from", &source, "capture", "--dir", "--no-redact", "-o", name.to_str().unwrap()];
    let output = pciscope(&[&arguments[..], &["--sign", key.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("the capture is kept without a signature"));
    assert!(name.join("capture/sha256sums").is_file());
}

#[test]
fn lspci_reads_the_text_that_was_written_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("capture");
    for source in ["machines/qemu-q35-gpu", "machines/two-socket-gpu-server", "broken/header-only-64"] {
        let source = fixture(source);
        capture(&source, &name, &["--dir"]);
        let sysfs = format!("sysfs.path={source}/sys/bus/pci");
        let lspci = |arguments: &[&str]| Command::new("lspci").args(arguments).output();
        let tree = match lspci(&["-A", "linux-sysfs", "-O", &sysfs, "-Dnxxxx"]) {
            Ok(output) => text(&output.stdout),
            Err(error) => return missing("lspci", &error),
        };
        let dump = name.join("capture/lspci.txt");
        let written = text(&lspci(&["-F", dump.to_str().unwrap(), "-Dnxxxx"]).unwrap().stdout);
        // What this program wrote is already what lspci makes of it.
        let own = std::fs::read_to_string(&dump).unwrap();
        let rows = |text: &str| text.lines().filter(|l| l.len() > 40 && l.contains(": ")).count();
        assert_eq!(rows(&own), rows(&written));
        assert!(tree.lines().eq(written.lines()), "{source}");
        std::fs::remove_dir_all(&name).unwrap();
    }
}

#[test]
fn an_interrupt_ends_the_reading_and_not_the_capture() {
    let folder = tempfile::tempdir().unwrap();
    // Several functions that take five seconds each.
    let mut scenario = "title = \"slow\"\nbase = \"eight-gpu-server\"\nseed = 1\n".to_owned();
    for gpu in ["18", "3a", "9a", "ba"] {
        let fault = "fault = \"completion-timeout\"\nmilliseconds = 5";
        scenario += &format!("[[event]]\nat = \"1s\"\n{fault}\nfunction = \"0000:{gpu}:00.0\"\n");
    }
    let source = folder.path().join("slow.toml");
    std::fs::write(&source, scenario).unwrap();
    let source = source.to_str().unwrap();
    // An interrupt that comes before the program listens ends it, as it ends every program.
    for wait in [300, 600, 1200, 2400] {
        let name = folder.path().join(format!("{wait}.tar.zst"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
        command.args(["--from", source, "capture", "--no-redact", "-o", name.to_str().unwrap()]);
        let child = command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        let Some(status) = output.status.code() else { continue };
        if status == 0 {
            // It was done before.
            continue;
        }
        assert_eq!(status, 3, "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("interrupted: the capture holds what was read by then"));
        let (status, listed, _) = answer(name.to_str().unwrap(), &["list", "--format", "json"]);
        assert_eq!(status, Some(0));
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let functions = listed["functions"].as_array().unwrap();
        let answering = functions.iter().filter(|function| function["presence"] == "answering").count();
        assert!(functions.len() > answering, "everything was read: {answering}");
        return;
    }
    panic!("no attempt was interrupted while it read");
}

/// A program for the folder that stands in for `PATH`.
fn program(folder: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn earlier_boots_and_other_programs_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    program(
        &programs,
        "journalctl",
        r#"case "$*" in
            *"-b -1 "*) echo '[   86.120145] gpu-box-7 kernel: NVRM: GPU 0000:82:00.0: GPU has fallen off the bus.' ;;
            *"-b -2 "*) echo '[    1.000000] gpu-box-7 kernel: Linux version 6.1.0 (alice@forge) #1' ;;
            *) echo 'Data from the specified boot is not available' >&2; exit 1 ;;
        esac"#,
    );
    program(
        &programs,
        "nvidia-smi",
        r#"[ "$1" = -q ] && printf '    Serial Number                         : 1322621034567\n' || { echo 'no topology' >&2; exit 9; }"#,
    );
    program(&programs, "ipmitool", "echo \"$1 $2 of gpu-box-7: PS2 Status | Power Supply AC lost\"");
    let name = folder.path().join("capture");
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
        command.env("PATH", &programs).env("HOME", folder.path()).env_remove("XDG_CONFIG_HOME");
        command.args(["capture", "--dir", "-o", name.to_str().unwrap()]).args(more).output().unwrap()
    };
    let output = run(&["--with-tools"]);
    if output.status.code() == Some(66) {
        return println!("skipped: this machine cannot be read: {}", text(&output.stderr));
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(folder.path().join(".config/pciscope/redaction.key").is_file());
    let read = |path: &str| std::fs::read_to_string(name.join(path)).unwrap();
    assert!(
        read("var/log/dmesg.1").ends_with(" kernel: NVRM: GPU 0000:82:00.0: GPU has fallen off the bus.\n")
    );
    assert!(read("var/log/dmesg.2").contains("Linux version 6.1.0 ("));
    assert!(!name.join("var/log/dmesg.3").exists());
    assert!(read("capture/tools/ipmitool-sel-elist.txt").ends_with(": PS2 Status | Power Supply AC lost\n"));
    assert!(read("capture/tools/ipmitool-sdr.txt").starts_with("sdr  of "));
    let about = read("capture/about.json");
    // A sleeping or dead GPU of the machine that the test runs on would be left alone.
    if !about.contains("nvidia-smi was not run") {
        assert!(
            read("capture/tools/nvidia-smi-q.txt")
                .starts_with("    Serial Number                         : ")
        );
        assert!(about.contains("nvidia-smi topo -m failed: no topology"), "{about}");
    }
    for (path, bytes) in files(&name) {
        for secret in ["gpu-box-7", "1322621034567", "alice@", "@forge"] {
            assert!(!text(&bytes).contains(secret), "{secret} in {}", path.display());
        }
    }
    let (_, log, _) = answer(name.to_str().unwrap(), &["log", "--format", "json"]);
    let log: serde_json::Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log["boots"].as_array().unwrap().len(), 3);
    let lost =
        log["events"].as_array().unwrap().iter().find(|event| event["kind"] == "nvidia.fallen-off-the-bus");
    assert_eq!(lost.unwrap()["device"], "0000:82:00.0");
}

#[test]
fn dumps_and_copies_of_config_are_checked_and_have_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let source = fixture("machines/qemu-q35-gpu");
    let name = folder.path().join("capture");
    capture(&source, &name, &["--dir"]);
    let dump = name.join("capture/lspci.txt");
    let config = Path::new(&source).join("sys/bus/pci/devices/0000:06:00.0/config");
    for source in [dump.to_str().unwrap(), config.to_str().unwrap()] {
        let (status, checked, _) = answer(source, &["check", "--all", "--format", "json"]);
        let checked: serde_json::Value = serde_json::from_str(&checked).unwrap();
        assert!(matches!(status, Some(0..=2)), "{source}: {status:?}");
        let passed = checked.to_string().matches("\"pass\"").count();
        assert!(passed > 5, "{source}: {passed}");
        let (status, _, said) = answer(source, &["log"]);
        assert_eq!(status, Some(66));
        assert!(said.contains("not captured"), "{said}");
    }
    // The same registers through the dump as through the folder.
    let question = ["show", "06:00.0", "--field", "express"];
    assert_eq!(answer(&source, &question).1, answer(dump.to_str().unwrap(), &question).1);
}

#[test]
fn a_capture_that_is_cut_off_gives_what_is_left_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole.tar.zst"), folder.path().join("cut.tar.zst"));
    capture(&fixture("machines/two-socket-gpu-server"), &whole, &[]);
    let bytes = std::fs::read(&whole).unwrap();
    let (mut readable, mut from_text) = (0, 0);
    for part in 1..16 {
        std::fs::write(&cut, &bytes[..bytes.len() * part / 16]).unwrap();
        let (status, text, error) = answer(cut.to_str().unwrap(), &["list", "--format", "json"]);
        let answer = if status == Some(66) { error } else { text };
        assert!(answer.contains("cut off") || answer.contains("damaged"), "{part}/16: {status:?} {answer}");
        readable += usize::from(status != Some(66));
        from_text += usize::from(answer.contains("capture/lspci.txt"));
        assert!(status == Some(66) || answer.contains("0000:00:00.0"), "{part}/16: {answer}");
    }
    assert!(readable > 2 && from_text > 0, "{readable} {from_text}");
}

#[test]
fn of_a_capture_that_is_cut_off_configuration_space_and_log_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole.tar.zst"), folder.path().join("cut.tar.zst"));
    capture("sysfs-fixtures/scenarios/field-note-1.toml", &whole, &[]);
    let bytes = std::fs::read(&whole).unwrap();
    let states = |source: &Path| -> Vec<String> {
        let (_, text, _) = answer(source.to_str().unwrap(), &["list", "--format", "json"]);
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        let state = |f: &serde_json::Value| format!("{} {}", f["address"], f["presence"]);
        answer["functions"].as_array().unwrap().iter().map(state).collect()
    };
    let before = states(&whole);
    for percent in [50, 75, 85, 97] {
        std::fs::write(&cut, &bytes[..bytes.len() * percent / 100]).unwrap();
        assert_eq!(states(&cut).len(), before.len(), "{percent} %");
        let unknown: Vec<String> = states(&cut).into_iter().filter(|s| s.contains("unknown")).collect();
        assert_eq!(unknown, [""; 0], "{percent} %");
        let (_, log, error) = answer(cut.to_str().unwrap(), &["log"]);
        assert!(log.contains("RmInitAdapter failed"), "{percent} %: {error}");
    }
}
