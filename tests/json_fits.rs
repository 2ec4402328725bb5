//! Whatever is asked of whatever source, `--format json` prints what the committed schemas say.
//!
//! Sources are the fixtures and, where `PCISCOPE_CORPUS` points, every dump and tree of the corpus.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use pciscope::inspect::explain::explain;
use pciscope::pci::{catalogue, header};
use serde_json::Value;

/// What is asked of every source: the schema, and the command.
const QUESTIONS: [(&str, &[&str]); 10] = [
    ("diagnose", &["diagnose", "--why"]),
    ("check", &["check", "--all", "--profile", "gpu-server"]),
    ("list", &["list"]),
    ("list", &["list", "--tree"]),
    ("show", &["show"]),
    ("show", &["show", "-x", "--vpd"]),
    ("log", &["log"]),
    ("msix", &["msix"]),
    ("path", &["path"]),
    ("report", &["report", "--for", "provider"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn schema(name: &str) -> Validator {
    let text = fs::read_to_string(root().join(format!("docs/schema/{name}.json"))).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn assert_fits(schema: &Validator, answer: &Value, what: &str) {
    if let Err(error) = schema.validate(answer) {
        panic!("{what}: {error} at {}", error.instance_path());
    }
}

/// What the program prints, and its exit status.
fn ask(source: &Path, question: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
    let output =
        command.arg("--from").arg(source).args(["--format", "json"]).args(question).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

/// Fixtures, and whatever is in the corpus.
fn sources() -> Vec<PathBuf> {
    let inside =
        |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let fixtures = root().join("sysfs-fixtures");
    let mut sources: Vec<_> =
        inside(fixtures.join("machines")).chain(inside(fixtures.join("broken"))).collect();
    match std::env::var_os("PCISCOPE_CORPUS").map(PathBuf::from) {
        Some(corpus) => {
            let dumps =
                ["coreboot-ports", "linux-pci", "pciutils"].map(|name| corpus.join("lspci-dumps").join(name));
            let defects = corpus.join("lspci-defects");
            let is_text = |path: &PathBuf| path.to_string_lossy().ends_with(".lspci-3.14.txt");
            sources.extend(dumps.into_iter().flat_map(inside).filter(|path| !path.ends_with("COPYING")));
            sources.extend(inside(defects).filter(|path| !is_text(path)));
            let trees = inside(corpus.join("sysfs-trees")).flat_map(inside);
            sources.extend(trees.filter(|path| path.join("sys").is_dir()));
        }
        None => println!("skipped: PCISCOPE_CORPUS is not set, so only fixtures are asked"),
    }
    sources.sort();
    sources
}

#[test]
fn every_answer_fits_its_schema() {
    let schemas = ["check", "diagnose", "list", "log", "show", "msix", "path", "report"]
        .map(|name| (name, schema(name)));
    let (mut answers, mut functions) = (0, 0);
    for (place, source) in sources().into_iter().enumerate() {
        for (name, question) in QUESTIONS {
            // A report is made of the other answers: of dumps, some are enough.
            if name == "report" && source.is_file() && place % 10 != 0 {
                continue;
            }
            let what = format!("{} {question:?}", source.display());
            let (text, status) = ask(&source, question);
            if name == "log" && status == Some(66) && text.is_empty() {
                // The source has no log.
                continue;
            }
            // `check` and `diagnose` say with 1 and 2 what they found.
            let finds = matches!(name, "check" | "diagnose");
            let good = matches!(status, Some(0 | 3)) || finds && matches!(status, Some(1 | 2));
            assert!(good, "{what}: exit status {status:?}");
            let answer: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{what}: {e}"));
            let (_, schema) = schemas.iter().find(|(known, _)| *known == name).unwrap();
            assert_fits(schema, &answer, &what);
            functions += answer["functions"].as_array().map_or(0, Vec::len);
            answers += 1;
        }
    }
    println!("{answers} answers about {functions} functions fit");
    assert!(functions > 0 || !root().join("sysfs-fixtures").is_dir());
}

#[test]
fn single_fields_fit_their_schema() {
    let source = root().join("sysfs-fixtures/machines/two-socket-gpu-server");
    if !source.is_dir() {
        return println!("skipped: there is no {}", source.display());
    }
    let schema = schema("field");
    for (name, found) in [
        ("express.link_status.current_link_speed", (1, 1)),
        ("express.link_status", (1, 8)),
        ("LnkSta", (1, 8)),
        ("rebar.entry[0].control.size", (1, 1)),
        ("msix", (3, 7)),
    ] {
        let (text, status) = ask(&source, &["show", "82:00.0", "--field", name]);
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_fits(&schema, &answer, name);
        let count = |what: &str| answer["functions"][0][what].as_object().unwrap().len();
        assert_eq!((count("registers"), count("fields"), status), (found.0, found.1, Some(0)), "{name}");
        // The same values as among all of them.
        let (all, _) = ask(&source, &["show", "82:00.0"]);
        let all: Value = serde_json::from_str(&all).unwrap();
        for what in ["registers", "fields"] {
            for (path, value) in answer["functions"][0][what].as_object().unwrap() {
                assert_eq!(all["functions"][0][what][path], *value, "{path}");
            }
        }
    }
}

#[test]
fn every_explanation_fits_its_schema() {
    let schema = schema("explain");
    let ours = catalogue::all().map(|s| (s.key, s.registers));
    let mut explained = 0;
    for (key, registers) in ours.chain([("header", header::REGISTERS)]) {
        // One field of each register; its explanation has all the others in it.
        let named = registers.iter().flat_map(|register| {
            let groups: String =
                register.within.into_iter().chain(register.group).map(|group| format!("{group}.")).collect();
            let path = format!("{key}.{groups}{}", register.key);
            let field = register.fields.first().map(|field| format!("{path}.{}", field.key));
            [Some(path), field].into_iter().flatten()
        });
        for name in named.chain([key.to_owned()]) {
            let answer = serde_json::to_value(explain(&name)).unwrap();
            assert_fits(&schema, &answer, &name);
            assert!(answer["matches"].as_array().is_some_and(|m| !m.is_empty()), "nothing explains {name}");
            explained += 1;
        }
    }
    println!("{explained} explanations fit");
}

#[test]
fn what_a_capture_says_of_itself_fits_its_schema() {
    let source = root().join("sysfs-fixtures/machines/two-socket-gpu-server");
    if !source.is_dir() {
        return println!("skipped: there is no {}", source.display());
    }
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("capture");
    // Not the key of the person who runs the tests.
    let key = folder.path().join("key");
    let question = ["capture", "--dir", "-o", name.to_str().unwrap(), "--redact-key", key.to_str().unwrap()];
    let (text, status) = ask(&source, &question);
    let kept = fs::read_to_string(name.join("capture/about.json")).unwrap();
    assert_eq!((text.as_str(), status), (kept.as_str(), Some(0)));
    assert_fits(&schema("capture"), &serde_json::from_str(&text).unwrap(), "capture");
    let (verified, status) = ask(&source, &["verify", name.to_str().unwrap()]);
    assert_fits(&schema("verify"), &serde_json::from_str(&verified).unwrap(), "verify");
    assert_eq!(status, Some(3), "it is not signed");
}

#[test]
fn every_difference_fits_its_schema() {
    let machine = root().join("sysfs-fixtures/machines/two-socket-gpu-server");
    if !machine.is_dir() {
        return println!("skipped: there is no {}", machine.display());
    }
    let schema = schema("diff");
    let mut changes = 0;
    for other in fs::read_dir(root().join("sysfs-fixtures/broken")).unwrap().map(|e| e.unwrap().path()) {
        let (text, status) = ask(&machine, &["diff", "--all", other.to_str().unwrap()]);
        assert_eq!(status, Some(1), "{}", other.display());
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_fits(&schema, &answer, &other.display().to_string());
        changes += answer["functions"].as_array().unwrap().len();
    }
    assert!(changes > 0);
}

#[test]
fn what_can_be_simulated_fits_its_schema() {
    let output = Command::new(env!("CARGO_BIN_EXE_pciscope"))
        .args(["simulate", "list", "--format", "json"])
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_fits(&schema("simulate"), &answer, "simulate list");
    for part in ["machines", "scenarios", "faults"] {
        assert!(answer[part].as_array().is_some_and(|names| !names.is_empty()), "{part}");
    }
}

/// A command that is added has its questions here, and a schema that is added is asked for here.
#[test]
fn every_command_and_every_schema_takes_part() {
    let output = Command::new(env!("CARGO_BIN_EXE_pciscope")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut commands: Vec<&str> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next())
        .collect();
    commands.retain(|command| *command != "help");
    commands.sort_unstable();
    let others = ["capture", "diff", "explain", "simulate", "verify"];
    let mut asked: Vec<&str> = QUESTIONS.iter().map(|(name, _)| *name).chain(others).collect();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(commands, asked);
    let schemas = fs::read_dir(root().join("docs/schema")).unwrap().map(|e| e.unwrap().file_name());
    let mut schemas: Vec<String> = schemas.map(|name| name.into_string().unwrap()).collect();
    schemas.sort();
    let mut known: Vec<String> = asked.iter().chain(&["field"]).map(|name| format!("{name}.json")).collect();
    known.sort();
    assert_eq!(schemas, known);
}
