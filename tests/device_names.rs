//! What the build must be like for the names in the program to be the same everywhere.

/// Cargo's settings for this project keep the build script of the crate `pci-ids` from reaching a network.
#[test]
fn cargo_forces_a_proxy_that_nobody_listens_on() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.cargo/config.toml");
    let settings = std::fs::read_to_string(path).expect("the settings of cargo are part of the project");
    let section = settings.split("[env]").nth(1).expect("a section [env]");
    for name in ["https_proxy", "HTTPS_PROXY"] {
        let line = section.lines().find(|line| line.starts_with(name)).expect("a line for each spelling");
        assert!(line.contains("value = \"http://127.0.0.1:9\""), "{line}");
        assert!(line.contains("force = true"), "{line}");
    }
}
