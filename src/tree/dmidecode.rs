//! The text of dmidecode(8), as far as the kernel gives the same in `sys/class/dmi/id` (drivers/firmware/dmi-id.c): names of
//! the machine, its board, its enclosure and its firmware.

/// Fields by structure: the name that dmidecode prints, and the file of the kernel's.
const FIELDS: &[(&str, &[(&str, &str)])] = &[
    (
        "BIOS Information",
        &[("Vendor", "bios_vendor"), ("Version", "bios_version"), ("Release Date", "bios_date")],
    ),
    (
        "System Information",
        &[
            ("Manufacturer", "sys_vendor"),
            ("Product Name", "product_name"),
            ("Version", "product_version"),
            ("Serial Number", "product_serial"),
            ("UUID", "product_uuid"),
            ("SKU Number", "product_sku"),
            ("Family", "product_family"),
        ],
    ),
    (
        "Base Board Information",
        &[
            ("Manufacturer", "board_vendor"),
            ("Product Name", "board_name"),
            ("Version", "board_version"),
            ("Serial Number", "board_serial"),
            ("Asset Tag", "board_asset_tag"),
        ],
    ),
    (
        "Chassis Information",
        &[
            ("Manufacturer", "chassis_vendor"),
            ("Version", "chassis_version"),
            ("Serial Number", "chassis_serial"),
            ("Asset Tag", "chassis_asset_tag"),
        ],
    ),
];

/// Longest value that is taken: a string of SMBIOS is shorter.
const VALUE: usize = 1024;

/// Names of files and their values, each once: of several boards the first one counts, as for the kernel.
pub fn attributes(text: &[u8]) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    let mut fields: &[(&str, &str)] = &[];
    let mut seen: Vec<&str> = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(line) = str::from_utf8(line) else { continue };
        let indented = line.starts_with(['\t', ' ']);
        let trimmed = line.trim();
        if !indented {
            // `Handle 0x0001, DMI type 1, 27 bytes`, then the name of the structure.
            let known = FIELDS.iter().find(|(name, _)| *name == trimmed && !seen.contains(name));
            fields = known.map_or(&[], |(_, fields)| fields);
            seen.extend(known.map(|(name, _)| *name));
            continue;
        }
        let Some((name, value)) = trimmed.split_once(": ") else { continue };
        let Some((_, file)) = fields.iter().find(|(known, _)| *known == name) else { continue };
        let usable = value.len() <= VALUE && !value.contains(char::is_control);
        if usable && !found.iter().any(|(known, _)| known == file) {
            found.push((file, value.trim().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_structure_counts() {
        let text =
            b"# dmidecode 3.3\n\nHandle 0x0000, DMI type 0, 26 bytes\nBIOS Information\n\tVendor: Maker\n\
            \tVersion: 2.4\n\tCharacteristics:\n\t\tPCI is supported\n\n\
            Handle 0x0002, DMI type 2, 15 bytes\nBase Board Information\n\tProduct Name: H12\n\n\
            Handle 0x0003, DMI type 2, 15 bytes\nBase Board Information\n\tProduct Name: Riser\n\
            \tAsset Tag: 7\n";
        let expected = [("bios_vendor", "Maker"), ("bios_version", "2.4"), ("board_name", "H12")];
        assert_eq!(attributes(text), expected.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(attributes(&[0xff; 100]), []);
    }
}
