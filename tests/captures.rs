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
const QUESTIONS: [&[&str]; 6] = [
    &["list", "--format", "json"],
    &["show", "--format", "json"],
    &["show", "--hex", "--vpd"],
    &["msix", "--format", "json"],
    &["path", "--format", "json"],
    &["log", "--format", "json"],
];

/// What a command prints about a source, and its exit status.
fn answer(source: &str, question: &[&str]) -> (Option<i32>, String, String) {
    let output = pciscope(&[&["--from", source], question].concat());
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Makes a capture of a source, as an archive or a folder.
fn capture(source: &str, name: &Path, more: &[&str]) {
    let name = name.to_str().unwrap();
    let output = pciscope(&[&["--from", source, "capture", "--vpd", "-o", name], more].concat());
    assert!(output.status.success(), "{source}: {}", text(&output.stderr));
}

/// Asks the source and the others the same questions.
fn same(source: &str, others: &[&Path]) {
    for question in QUESTIONS {
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
        return same(source, &[&archive]);
    }
    let (unpacked, again) = (folder.path().join("unpacked"), folder.path().join("again"));
    std::fs::create_dir(&unpacked).unwrap();
    let tar = |arguments: &[&str]| Command::new("tar").args(arguments).output();
    let names = [archive.to_str().unwrap(), unpacked.to_str().unwrap()];
    match tar(&["--zstd", "-xf", names[0], "-C", names[1]]) {
        Ok(output) => assert!(output.status.success(), "{source}: {}", text(&output.stderr)),
        Err(error) => return missing("tar", &error),
    }
    same(source, &[&archive, &unpacked]);
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
