//! Writes the constructed trees of `sysfs-fixtures/`.
//!
//! `cargo run --example build_fixtures -- sysfs-fixtures` replaces every constructed tree below that folder and leaves
//! the captured ones alone. The same code gives the same bytes every time.

mod fixtures;

fn main() -> std::io::Result<()> {
    let target = std::env::args_os().nth(1).unwrap_or_else(|| "sysfs-fixtures".into());
    let target = std::path::PathBuf::from(target);
    for fixture in fixtures::all() {
        let folder = target.join(fixture.name);
        fixture.tree.write(&folder)?;
        println!("{}", folder.display());
    }
    Ok(())
}
