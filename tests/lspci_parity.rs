//! Decoding here against decoding by lspci, value by value.
//!
//! Needs no corpus for the fixtures of this project; what lies where `PCISCOPE_CORPUS` points to is compared as well.
//! Which values are found how is in `rules_*.rs`; everything in which the two differ is in `differences.rs`; how much
//! must be compared at the least is in `floors.rs`. Where `CI` is `true`, a missing lspci is a failure.
#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "lspci_parity/compare.rs"]
mod compare;
#[path = "lspci_parity/differences.rs"]
mod differences;
#[path = "lspci_parity/floors.rs"]
mod floors;
#[path = "lspci_parity/kinds.rs"]
mod kinds;
#[path = "lspci_parity/listed.rs"]
mod listed;
#[path = "lspci_parity/lspci.rs"]
mod lspci;
#[path = "lspci_parity/page.rs"]
mod page;
#[path = "lspci_parity/rule.rs"]
mod rule;
#[path = "lspci_parity/rules_cxl.rs"]
mod rules_cxl;
#[path = "lspci_parity/rules_express.rs"]
mod rules_express;
#[path = "lspci_parity/rules_extended.rs"]
mod rules_extended;
#[path = "lspci_parity/rules_header.rs"]
mod rules_header;
#[path = "lspci_parity/rules_legacy.rs"]
mod rules_legacy;
#[path = "lspci_parity/rules_recent.rs"]
mod rules_recent;
#[path = "lspci_parity/rules_services.rs"]
mod rules_services;
#[path = "lspci_parity/rules_standard.rs"]
mod rules_standard;
#[path = "lspci_parity/sources.rs"]
mod sources;
#[path = "lspci_parity/tally.rs"]
mod tally;
#[path = "lspci_parity/text.rs"]
mod text;
#[path = "lspci_parity/view.rs"]
mod view;
#[path = "lspci_parity/walking.rs"]
mod walking;
#[allow(dead_code, reason = "only listed here; tests/worked_examples.rs decodes them")]
#[path = "worked_examples/mod.rs"]
mod worked_examples;

use std::path::{Path, PathBuf};

use floors::Stage;
use sources::{Run, files};
use tally::Tally;

/// The version that the rules were written for.
const DEBIAN: &str = "3.9.0";

#[test]
fn decoding_agrees_with_lspci() {
    let version = lspci::version();
    match &version {
        Some(version) => println!("lspci {version} on PATH"),
        None if is_ci() => {
            panic!("there is no lspci on PATH, and CI is true: nothing may be skipped")
        }
        None => println!("skipped: there is no lspci on PATH; only texts that are stored are compared"),
    }
    let mut run = Run { tally: Tally::default(), lspci: version.is_some() };
    fixtures(&mut run);
    if run.lspci {
        run.walks();
        // A package of the sources comes without fixtures.
        if Path::new(env!("CARGO_MANIFEST_DIR")).join("sysfs-fixtures").is_dir() || is_ci() {
            floors::check(&mut run.tally, Stage::Fixtures);
        }
    }
    let complete = match std::env::var_os("PCISCOPE_CORPUS").map(PathBuf::from) {
        Some(corpus) => compare_corpus(&mut run, &corpus),
        None => {
            println!("skipped: PCISCOPE_CORPUS is not set, so only fixtures are compared");
            false
        }
    };
    run.tally.print();
    if complete && version.as_deref() == Some(DEBIAN) {
        for entry in run.tally.unused() {
            run.tally.fail(format!("nothing needs this entry any more: {entry}"), "differences.rs");
        }
    }
    for (failure, (count, place)) in &run.tally.failures {
        println!("{failure} ({count} times, first {place})");
    }
    assert!(run.tally.failures.is_empty(), "{} differences that nobody listed", run.tally.failures.len());
}

/// Where nothing may be skipped.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|ci| ci == "true")
}

/// Every folder under `sysfs-fixtures/machines` and `sysfs-fixtures/broken`.
fn fixtures(run: &mut Run) {
    for kind in ["machines", "broken"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sysfs-fixtures").join(kind);
        if !folder.is_dir() {
            println!("skipped: there is no folder sysfs-fixtures/{kind}");
            continue;
        }
        for fixture in files(&folder).iter().filter(|path| path.is_dir()) {
            run.tree(fixture);
        }
    }
}

/// Everything in the corpus; whether that was everything that there can be.
fn compare_corpus(run: &mut Run, corpus: &Path) -> bool {
    let dumps = corpus.join("lspci-dumps");
    for folder in files(&dumps).iter().filter(|path| !path.ends_with("pciutils-lspci-3.14")) {
        run.dumps(folder, |file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            dumps.join("pciutils-lspci-3.14").join(format!("{name}.txt"))
        });
    }
    run.dumps(&corpus.join("lspci-defects"), |file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        file.with_file_name(format!("{name}.lspci-3.14.txt"))
    });
    for folder in files(&corpus.join("sysfs-trees")) {
        for tree in files(&folder).iter().filter(|path| path.join("sys").is_dir()) {
            run.tree(tree);
        }
    }
    floors::check_stored(&mut run.tally);
    if run.lspci {
        floors::check(&mut run.tally, Stage::Corpus);
    }
    let captures = corpus.join("../captures");
    if captures.is_dir() {
        run.captures(&captures);
        if run.lspci {
            floors::check(&mut run.tally, Stage::Captures);
        }
    } else {
        println!("skipped: there is no folder of captures beside the corpus");
    }
    captures.is_dir()
}
