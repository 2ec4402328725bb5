//! The memory behind BARs: vector table, pending bits, everything.

use super::*;

/// Fills the memory behind the BARs of a function, as far as it is stored, with one value.
pub fn fill_bars(machine: &mut Machine, address: Bdf, value: u8) {
    let prefix = machine.attribute(address, "resource");
    for (path, content) in
        machine.files.range_mut(prefix.clone()..).take_while(|(p, _)| p.starts_with(&prefix))
    {
        if let (true, Content::Bytes(bytes)) = (path.contains('@'), content) {
            bytes.fill(value);
        }
    }
}

/// The stored vector table of a function, as a change.
pub fn vector_table(
    machine: &mut Machine,
    address: Bdf,
    change: impl FnOnce(&mut [u8]),
) -> Result<(), Mistake> {
    stored_register_block(machine, address, "msix.table", change)
}

/// The stored pending bits of a function, as a change.
pub fn pending_bits(
    machine: &mut Machine,
    address: Bdf,
    change: impl FnOnce(&mut [u8]),
) -> Result<(), Mistake> {
    stored_register_block(machine, address, "msix.pending_bit_array", change)
}

fn stored_register_block(
    machine: &mut Machine,
    address: Bdf,
    register: &str,
    change: impl FnOnce(&mut [u8]),
) -> Result<(), Mistake> {
    let bar = get(machine, address, &format!("{register}.bar_indicator"));
    let offset = get(machine, address, &format!("{register}.offset")) * 8;
    let path = machine.attribute(address, &format!("resource{bar}@0x{offset:x}"));
    match machine.files.get_mut(&path) {
        Some(Content::Bytes(bytes)) => {
            change(bytes);
            Ok(())
        }
        _ => Err(Mistake::new(
            0,
            format!("{address}: memory behind its BAR is not described: {path} is missing"),
        )),
    }
}
