//! The committed JSON schemas and the page of registers are those of the program.
//!
//! `SNAPSHOTS=overwrite cargo test --test schema` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use pciscope::evidence::about::About;
use pciscope::evidence::verify::Verified;
use pciscope::inspect::{
    explain::Explain, field::Fields, list::List, log::LogAnswer, msix::Msix, path::Path as WayPath,
    show::Show,
};
use pciscope::render::registers_page;

fn check(name: &str, schema: &schemars::Schema) {
    let mut text = serde_json::to_string_pretty(schema).unwrap();
    text.push('\n');
    check_page(&format!("docs/schema/{name}.json"), &text);
}

fn check_page(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var("SNAPSHOTS").is_ok_and(|v| v == "overwrite") {
        std::fs::write(&file, text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == text, "{name} is not what the program says; see the head of this file");
}

#[test]
fn committed_schemas_are_current() {
    check("list", &schemars::schema_for!(List));
    check("show", &schemars::schema_for!(Show));
    check("field", &schemars::schema_for!(Fields));
    check("log", &schemars::schema_for!(LogAnswer));
    check("diagnose", &schemars::schema_for!(pciscope::inspect::diagnose::Diagnose));
    check("msix", &schemars::schema_for!(Msix));
    check("path", &schemars::schema_for!(WayPath));
    check("check", &schemars::schema_for!(pciscope::inspect::check::Check));
    check("diff", &schemars::schema_for!(pciscope::inspect::diff::Diff));
    check("report", &schemars::schema_for!(pciscope::inspect::report::Report));
    check("explain", &schemars::schema_for!(Explain));
    check("simulate", &schemars::schema_for!(pciscope::inspect::simulations::Simulations));
    check("capture", &schemars::schema_for!(About));
    check("verify", &schemars::schema_for!(Verified));
}

#[test]
fn the_page_of_registers_is_current() {
    check_page("docs/registers.md", &registers_page::page());
}

#[test]
fn the_page_of_diagnosis_is_current() {
    check_page("docs/diagnosis.md", &pciscope::render::diagnosis_page::page());
}

#[test]
fn the_page_of_checks_is_current() {
    check_page("docs/checks.md", &pciscope::render::checks_page::page());
}
