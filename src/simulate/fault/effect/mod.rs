//! What several faults do: one file for what shares a mechanism, and here what all of them need.

use crate::pci::Bdf;
use crate::simulate::clock::Microseconds;
use crate::simulate::document::Mistake;
use crate::simulate::kernel::{Kernel, Severity};
use crate::simulate::machine::registers::{EQUALIZATION, EQUALIZATION_8GT};
use crate::simulate::state::{Answer, Content, Machine, Removed};

mod discovery;
mod driver;
mod errors;
mod isolation;
mod link;
mod memory;
mod ownership;
mod removal;

pub use discovery::*;
pub use driver::*;
pub use errors::*;
pub use isolation::*;
pub use link::*;
pub use memory::*;
pub use ownership::*;
pub use removal::*;

/// The port at the other end of a function's link.
pub fn port_above(machine: &Machine, address: Bdf) -> Option<Bdf> {
    let has_link =
        |of: Bdf| machine.functions.get(&of).is_some_and(|f| f.enumerated.has("express.link_status"));
    let parent = machine.parent(address)?;
    (has_link(address) && has_link(parent)).then_some(parent)
}

/// The port at the other end, which must be there.
pub fn port(machine: &Machine, address: Bdf) -> Result<Bdf, Mistake> {
    port_above(machine, address)
        .ok_or_else(|| Mistake::new(0, format!("{address} has no link to a port above it")))
}

/// Everything that a port's link leads to: the functions directly below a port, by address.
pub fn below_port(machine: &Machine, port: Bdf) -> Vec<Bdf> {
    machine.functions.keys().copied().filter(|f| machine.parent(*f) == Some(port)).collect()
}

/// The functions of a device and everything below them.
pub fn device_and_below(machine: &Machine, address: Bdf) -> Vec<Bdf> {
    let mut all = Vec::new();
    for function in machine.siblings(address) {
        // Functions of a root complex share a device number and no link.
        if machine.parent(function) != machine.parent(address) {
            continue;
        }
        all.push(function);
        all.extend(machine.below(function));
    }
    all
}

/// Sets a register of a function, if it has it.
pub fn set(machine: &mut Machine, address: Bdf, path: &str, value: u64) -> Result<(), Mistake> {
    machine.change(address)?.config.set(path, value)
}

/// Sets registers of a function that may lack them.
pub fn set_if_there(machine: &mut Machine, address: Bdf, values: &[(&str, u64)]) -> Result<(), Mistake> {
    let function = machine.change(address)?;
    for (path, value) in values {
        function.config.set_if_there(path, *value);
    }
    Ok(())
}

/// A register of a function; 0 if it lacks it.
pub fn get(machine: &Machine, address: Bdf, path: &str) -> u64 {
    machine.functions.get(&address).map_or(0, |f| f.config.value(path))
}

/// The functions answer nothing any more.
pub fn silence(machine: &mut Machine, functions: &[Bdf]) -> Result<(), Mistake> {
    for address in functions {
        machine.change(*address)?.answer = Answer::AllOnes;
    }
    Ok(())
}

/// Folder of the slot below a port in `sys/bus/pci/slots`.
pub fn slot_folder(machine: &Machine, port: Bdf) -> Option<String> {
    let bus = machine.functions.get(&port)?.enumerated.get("header.secondary_bus.number").ok()?;
    let address = format!("{:04x}:{bus:02x}:00", port.domain);
    machine.files.iter().find_map(|(path, content)| {
        let folder = path.strip_suffix("/address").filter(|p| p.starts_with("sys/bus/pci/slots/"))?;
        let Content::Bytes(bytes) = content else { return None };
        (String::from_utf8_lossy(bytes).trim() == address).then(|| folder.to_owned())
    })
}

/// Name of the slot below a port; its number where sysfs has none.
pub fn slot_name(machine: &Machine, port: Bdf) -> String {
    match slot_folder(machine, port) {
        Some(folder) => folder.rsplit('/').next().unwrap_or("0").to_owned(),
        None => get(machine, port, "express.slot_capabilities.physical_slot_number").to_string(),
    }
}

/// Sets an attribute of the slot below a port, if it has it.
pub fn slot_attribute(machine: &mut Machine, port: Bdf, name: &str, text: &str) {
    if let Some(folder) = slot_folder(machine, port) {
        let path = format!("{folder}/{name}");
        if machine.files.contains_key(&path) {
            machine.line(path, text);
        }
    }
}

/// Whether the kernel runs a port service: `pcie002` AER, `pcie004` hot-plug, `pcie008` DPC.
pub fn runs_service(machine: &Machine, port: Bdf, bit: u8) -> bool {
    let Some(function) = machine.functions.get(&port) else { return false };
    let prefix = format!("{}/{port}:pcie", function.folder);
    machine
        .files
        .range(prefix.clone()..)
        .map_while(|(path, _)| path.strip_prefix(&prefix))
        .any(|rest| rest.get(1..3).and_then(|d| u8::from_str_radix(d, 16).ok()) == Some(bit))
}

/// Name of a port service's device, such as `0000:01:02.0:pcie204`: the first digit is the type of the port
/// (drivers/pci/pcie/portdrv.c).
pub fn service_device(machine: &Machine, port: Bdf, bit: u8) -> String {
    let kind = get(machine, port, "express.capabilities.device_port_type").saturating_sub(4);
    format!("{port}:pcie{:03x}", kind << 8 | u64::from(bit))
}

/// Says a line of the hot-plug service of a port, if the kernel runs it.
pub fn say_hot_plug(machine: &mut Machine, port: Bdf, text: &str) {
    if runs_service(machine, port, 4) {
        let (slot, service) = (slot_name(machine, port), service_device(machine, port, 4));
        let line = machine.kernel.hotplug(&port.to_string(), &service, &slot, text);
        machine.say(line);
    }
}

/// Whether the kernel handles the errors that arrive at the root port above.
pub fn kernel_owns_errors(machine: &Machine, address: Bdf) -> bool {
    machine.root_port(address).is_some_and(|port| runs_service(machine, port, 2))
        || machine.parent(address).is_none() && runs_service(machine, address, 2)
}

/// Takes an extended capability out of a function's list, as if it had never had it.
pub fn drop_extended(machine: &mut Machine, address: Bdf, key: &str) -> Result<(), Mistake> {
    let function = machine.change(address)?;
    let Some(at) = function.enumerated.capability(key) else { return Ok(()) };
    for config in [&mut function.config, &mut function.enumerated] {
        let next = config.number(at, 4) >> 20;
        let before = config.located().into_iter().find(|l| {
            l.list == crate::pci::walk::List::Extended && config.number(l.offset, 4) >> 20 == u64::from(at)
        });
        match before {
            // The capability before it points behind it.
            Some(before) => {
                let head = config.number(before.offset, 4) & 0xf_ffff;
                config.store(before.offset, 4, head | next << 20);
            }
            // The first of the list cannot be left out: it becomes an empty one (PCIe 6.2, 7.6.3).
            None => config.store(at, 4, next << 20),
        }
    }
    Ok(())
}
