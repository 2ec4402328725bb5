//! Whether the parts of a description fit together: buses, which several parts share.

use std::collections::BTreeMap;

use super::description::{FunctionDescription, HostBridge};
use crate::simulate::document::Mistake;

/// Refuses host bridges that share a bus, two bridges with the same bus below, and functions on a bus that no bridge
/// leads to: the kernel would never find them (pci_scan_child_bus_extend in drivers/pci/probe.c).
pub fn buses(hosts: &[HostBridge], functions: &[FunctionDescription]) -> Result<(), Mistake> {
    for (place, host) in hosts.iter().enumerate() {
        let (first, last) = host.buses;
        let shares = |other: &&HostBridge| {
            other.domain == host.domain && other.buses.0 <= last && first <= other.buses.1
        };
        if let Some(other) = hosts[..place].iter().find(shares) {
            let text = format!(
                "`buses`: {first} to {last} overlap {} to {} of the host bridge in line {}: expected ranges apart",
                other.buses.0, other.buses.1, other.line
            );
            return Err(Mistake::new(host.line, text));
        }
    }
    let mut led_to: BTreeMap<(u32, u64), &FunctionDescription> = BTreeMap::new();
    for function in functions {
        let Some((secondary, _)) = function.buses else { continue };
        if let Some(other) = led_to.insert((function.address.domain, secondary), function) {
            let text = format!(
                "{}: bus {secondary} is below {} too, in line {}: expected another one",
                function.address, other.address, other.line
            );
            return Err(Mistake::new(function.line, text));
        }
    }
    for function in functions {
        let (domain, bus) = (function.address.domain, function.address.bus);
        let is_root = hosts.iter().any(|host| host.domain == domain && host.buses.0 == bus);
        let has_host = hosts.iter().any(|h| h.domain == domain && (h.buses.0..=h.buses.1).contains(&bus));
        if has_host && !is_root && !led_to.contains_key(&(domain, bus.into())) {
            let text = format!(
                "{}: no bridge leads to bus {bus}: expected a function with `buses = [{bus}, …]`",
                function.address
            );
            return Err(Mistake::new(function.line, text));
        }
    }
    Ok(())
}
