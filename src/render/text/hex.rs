//! Hex dumps in the format of `lspci -x`, which other tools read.

use crate::pci::ConfigSpace;

/// Rows of sixteen bytes as far as they were read, with `--` for bytes that were not.
pub fn rows(space: &ConfigSpace) -> String {
    let mut out = String::new();
    let end = space.limit();
    for row in (0..end).step_by(16) {
        if !(row..row + 16).step_by(4).any(|offset| space.is_known(offset, 4)) {
            continue;
        }
        out.push_str(&format!("{row:02x}:"));
        for offset in row..(row + 16).min(end) {
            match space.u8(offset) {
                Some(byte) => out.push_str(&format!(" {byte:02x}")),
                None => out.push_str(" --"),
            }
        }
        out.push('\n');
    }
    out
}
