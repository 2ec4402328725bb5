//! The ACPI tables that say something of PCI Express.

use super::description::Description;

/// FACP, revision 6 (ACPI 6.5, 5.2.9): whether firmware forbids MSI or ASPM.
pub fn fadt(description: &Description) -> Vec<u8> {
    const IAPC_BOOT_ARCH: usize = 109;
    const LEGACY_DEVICES_AND_8042: u8 = 0x03;
    let (no_msi, no_aspm) = description.fadt;
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

/// MCFG (PCI Firmware 3.3, 4.1.2): one range of 256 buses for each domain, one behind the other.
pub fn mcfg(description: &Description) -> Vec<u8> {
    const HEADER: usize = 44;
    let mut domains: Vec<u32> =
        description.host_bridges.iter().map(|host| host.domain).filter(|d| *d <= 0xffff).collect();
    domains.sort_unstable();
    domains.dedup();
    let mut table = header(b"MCFG", HEADER + 16 * domains.len(), 1);
    for (place, domain) in domains.iter().enumerate() {
        let at = HEADER + 16 * place;
        let base = description.ecam + ((place as u64) << 28);
        table[at..at + 8].copy_from_slice(&base.to_le_bytes());
        table[at + 8..at + 10].copy_from_slice(&(*domain as u16).to_le_bytes());
        table[at + 11] = 255;
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
