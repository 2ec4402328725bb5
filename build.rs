//! Build script: prepares the table of device names.

#[path = "build/device_names.rs"]
mod device_names;

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build/device_names.rs");
    let folder = std::env::var_os("OUT_DIR").ok_or_else(|| std::io::Error::other("OUT_DIR is not set"))?;
    device_names::write(&std::path::Path::new(&folder).join("device_names.bin"))
}
