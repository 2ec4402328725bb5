//! Configuration space as `lspci -nxxxx` prints it, for `lspci -F` and for people: made from the bytes of the capture, so
//! that nothing is read for it.

use std::fmt::Write;

use super::recording::{Kept, Recording};
use crate::pci::space::CONFIG_SPACE_SIZE;
use crate::pci::{Bdf, ConfigSpace};

/// Where it lies in a capture.
pub use crate::tree::archive::LSPCI as PATH;

/// The text. Rows of which not every byte was read are left out: `lspci` would take them for zeros or for another length.
pub fn text(recording: &Recording) -> String {
    let mut functions: Vec<(Bdf, ConfigSpace)> = recording
        .iter()
        .filter_map(|(path, kept)| {
            let address = path.strip_suffix("/config")?.rsplit('/').next()?.parse().ok()?;
            Some((address, kept.config_space()?))
        })
        .collect();
    functions.sort_by_key(|(address, _)| *address);
    let mut text = String::new();
    for (address, space) in functions {
        let number = |offset, width| space.value(offset, width).unwrap_or(0);
        let (vendor, device, class) = (number(0, 2), number(2, 2), number(10, 2));
        // Writing to a string does not fail.
        let _ = write!(text, "{address} {class:04x}: {vendor:04x}:{device:04x}");
        let _ = match number(8, 1) {
            0 => writeln!(text),
            revision => writeln!(text, " (rev {revision:02x})"),
        };
        for offset in (0..CONFIG_SPACE_SIZE).step_by(16) {
            let Some(row) = space.bytes(offset, 16) else { continue };
            let _ = write!(text, "{offset:02x}:");
            for byte in row {
                let _ = write!(text, " {byte:02x}");
            }
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

impl Kept {
    /// Configuration space, if this is the answer about a `config`.
    pub fn config_space(&self) -> Option<ConfigSpace> {
        let mut space = ConfigSpace::new(CONFIG_SPACE_SIZE);
        let mut store = |offset: u64, bytes: &[u8]| {
            if let Ok(offset) = u16::try_from(offset) {
                space.store(offset, bytes);
            }
        };
        match self {
            Kept::File { bytes, .. } => store(0, bytes),
            Kept::Pieces { pieces, .. } => {
                pieces.runs.iter().for_each(|(offset, bytes)| store(*offset, bytes))
            }
            _ => return None,
        }
        Some(space)
    }
}
