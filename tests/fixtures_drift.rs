//! The constructed trees in `sysfs-fixtures/` are what `examples/build_fixtures` writes.
#![expect(clippy::expect_used, reason = "tests")]

#[path = "../examples/build_fixtures/fixtures/mod.rs"]
mod fixtures;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files and links below a folder, with their content.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(here) = folders.pop() {
        for entry in std::fs::read_dir(&here).expect("a folder") {
            let path = entry.expect("an entry").path();
            let kind = path.symlink_metadata().expect("metadata").file_type();
            let bytes = if kind.is_symlink() {
                let target = std::fs::read_link(&path).expect("a link");
                format!("-> {}", target.display()).into_bytes()
            } else if kind.is_dir() {
                folders.push(path);
                continue;
            } else {
                std::fs::read(&path).expect("a file")
            };
            found.insert(path.strip_prefix(folder).expect("below").to_owned(), bytes);
        }
    }
    found
}

#[test]
fn constructed_trees_have_not_drifted() {
    const HOW: &str = "run `cargo run --example build_fixtures -- sysfs-fixtures`";
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("sysfs-fixtures");
    let again = tempfile::tempdir().expect("a temporary folder");
    for fixture in fixtures::all() {
        let (committed, again) = (committed.join(fixture.name), again.path().join(fixture.name));
        fixture.tree.write(&again).expect("written");
        let (committed, again) = (content(&committed), content(&again));
        let paths = |content: &BTreeMap<PathBuf, Vec<u8>>| content.keys().cloned().collect::<Vec<_>>();
        assert_eq!(paths(&committed), paths(&again), "{}: {HOW}", fixture.name);
        for (path, bytes) in &again {
            assert!(committed[path] == *bytes, "{}/{}: {HOW}", fixture.name, path.display());
        }
    }
}
