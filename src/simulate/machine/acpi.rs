//! The ACPI tables that say something of PCI Express.

use std::collections::BTreeSet;

/// FACP, revision 6 (ACPI 6.5, 5.2.9): whether firmware forbids MSI or ASPM.
pub fn fadt(no_msi: bool, no_aspm: bool) -> Vec<u8> {
    const IAPC_BOOT_ARCH: usize = 109;
    const LEGACY_DEVICES_AND_8042: u8 = 0x03;
    let mut table = header(b"FACP", 276, 6);
    table[IAPC_BOOT_ARCH] = LEGACY_DEVICES_AND_8042 | u8::from(no_msi) << 3 | u8::from(no_aspm) << 4;
    finish(table)
}

/// Writes the ASPM bit of a FACP again.
pub fn forbid_aspm(table: &mut [u8]) {
    const IAPC_BOOT_ARCH: usize = 109;
    if let Some(flags) = table.get_mut(IAPC_BOOT_ARCH) {
        *flags |= 0x10;
        table[9] = 0;
        let sum = table.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        table[9] = 0u8.wrapping_sub(sum);
    }
}

/// MCFG (PCI Firmware 3.3, 4.1.2): one range of 256 buses for each domain, one behind the other from `base` on. Domains
/// above FFFFh cannot be named in it and are left out.
pub fn mcfg(base: u64, domains: impl IntoIterator<Item = u32>) -> Vec<u8> {
    const HEADER: usize = 44;
    let domains: BTreeSet<u16> =
        domains.into_iter().filter_map(|domain| u16::try_from(domain).ok()).collect();
    let mut table = header(b"MCFG", HEADER + 16 * domains.len(), 1);
    for (place, domain) in domains.iter().enumerate() {
        let at = HEADER + 16 * place;
        let base = base.saturating_add((place as u64) << 28);
        table[at..at + 8].copy_from_slice(&base.to_le_bytes());
        table[at + 8..at + 10].copy_from_slice(&domain.to_le_bytes());
        let (first_bus, last_bus) = (at + 10, at + 11);
        (table[first_bus], table[last_bus]) = (0, 255);
    }
    finish(table)
}

/// The header that all tables share (ACPI 6.5, 5.2.6).
fn header(signature: &[u8; 4], length: usize, revision: u8) -> Vec<u8> {
    let mut table = vec![0; length];
    table[..4].copy_from_slice(signature);
    table[4..8].copy_from_slice(&(length as u32).to_le_bytes());
    table[8] = revision;
    table[10..16].copy_from_slice(b"EXAMPL");
    table[16..24].copy_from_slice(b"2SGPUSRV");
    table[24..28].copy_from_slice(&1u32.to_le_bytes());
    table[28..32].copy_from_slice(b"EXMP");
    table
}

/// All bytes of a table add up to zero.
fn finish(mut table: Vec<u8>) -> Vec<u8> {
    let sum = table.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    table[9] = 0u8.wrapping_sub(sum);
    table
}
