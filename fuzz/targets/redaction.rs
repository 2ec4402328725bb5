//! Personal data in a capture: tables, product data, configuration space and logs of any bytes.
use pciscope::evidence::redact::key::Key;
use pciscope::evidence::redact::redact;
use pciscope::evidence::{Kept, Recording};

const FUNCTION: &str = "sys/devices/pci0000:80/0000:82:00.0";

/// One input, as every kind of file in which something is looked for. Gives how much was replaced.
pub fn run(data: &[u8]) -> usize {
    let paths = [
        "sys/firmware/dmi/tables/DMI".to_owned(),
        "sys/class/dmi/id/product_serial".to_owned(),
        format!("{FUNCTION}/vpd"),
        format!("{FUNCTION}/config"),
        "var/log/kmsg".to_owned(),
    ];
    let mut recording = Recording::default();
    for path in &paths {
        recording.keep(path, Kept::File { bytes: data.to_vec(), size: None });
    }
    let redaction = redact(&mut recording, Key::new([7; 32]), &[]);
    // Nothing moves.
    for path in &paths {
        assert!(
            matches!(recording.get(path), Some(Kept::File { bytes, .. }) if bytes.len() == data.len()),
            "{path}"
        );
    }
    redaction.replaced.iter().map(|replaced| replaced.count).sum()
}
