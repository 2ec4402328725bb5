//! The committed JSON schemas are those of the structures, and what the program prints fits them.
//!
//! `SNAPSHOTS=overwrite cargo test --test schema` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use pciscope::inspect::{list::List, msix::Msix, path::Path as WayPath, show::Show};

fn check(name: &str, schema: &schemars::Schema) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(format!("{name}.json"));
    let mut text = serde_json::to_string_pretty(schema).unwrap();
    text.push('\n');
    if std::env::var("SNAPSHOTS").is_ok_and(|v| v == "overwrite") {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "docs/schema/{name}.json is not that of the structures; see the head of this file"
    );
}

#[test]
fn committed_schemas_are_current() {
    check("list", &schemars::schema_for!(List));
    check("show", &schemars::schema_for!(Show));
    check("msix", &schemars::schema_for!(Msix));
    check("path", &schemars::schema_for!(WayPath));
}
