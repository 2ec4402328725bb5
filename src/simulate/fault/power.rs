//! Power states that a device should or should not be in, and resets that do not bring it back.

use super::effect::{self, device_and_below, link_down, port, set_if_there, silence};
use super::{Call, choice, faults};
use crate::pci::Bdf;
use crate::simulate::document::Mistake;
use crate::simulate::state::Machine;

faults! {
    /// Not a fault: the device is idle and has no power. `power_state` is D3cold and `power/runtime_status` suspended; its
    /// link is down. Reading `config` would wake it, and on kernels up to 6.8 the link attributes read as if it were
    /// dead. Nobody may take that for a fault, nor wake it without being asked.
    ///
    /// drivers/pci/pci-sysfs.c (pci_config_pm_runtime_get); derived.
    "d3cold-asleep" => d3cold_asleep on Linked needs [] verdict "asleep" takes [];

    /// The device does not come back from a power state. From D3cold it does not answer at all: `Unable to change power
    /// state from D3cold to D0, device inaccessible`, after which `power_state` stays D3cold with `runtime_status`
    /// error. From D3hot it answers and refuses: PMCSR says D3hot while the kernel wants D0.
    ///
    /// pci_power_up in drivers/pci/pci.c, wording by version; the D3cold line seen on Linux 6.12.
    "power-stuck" => power_stuck on Linked needs [] verdict "power-state-stuck" takes [
        choice("state", &["D3cold", "D3hot"], "The state in which it stays."),
    ];

    /// The device was reset and does not come back: the kernel waits a minute (`not ready 65535ms after bus reset; giving up`)
    /// and leaves it. It reads all-ones, the link is up or down.
    ///
    /// pci_dev_wait in drivers/pci/pci.c.
    "reset-failed" => reset_failed on Linked needs [] verdict "reset-failed" takes [
        choice("method", &["bus reset", "FLR"], "How it was reset."),
    ];
}

fn set_power(machine: &mut Machine, functions: &[Bdf], state: &str, status: &str) {
    for function in functions {
        machine.set_attribute(*function, "power_state", state);
        machine.set_attribute(*function, "power/runtime_status", status);
    }
}

fn d3cold_asleep(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let above = port(machine, address)?;
    let lost = device_and_below(machine, address);
    silence(machine, &lost)?;
    set_power(machine, &lost, "D3cold", "suspended");
    for function in &lost {
        machine.set_attribute(*function, "power/control", "auto");
        machine.set_attribute(*function, "power/runtime_enabled", "enabled");
        machine.set_attribute(*function, "d3cold_allowed", 1);
    }
    let seen = effect::get(machine, above, "express.slot_status.presence_detect_state") == 1;
    link_down(machine, above, seen)?;
    // The kernel took the link down itself and has cleared what that changed.
    set_if_there(machine, above, &[("express.slot_status.data_link_layer_state_changed", 0)])
}

fn power_stuck(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let functions = device_and_below(machine, address);
    if call.word("state") == "D3hot" {
        for function in &functions {
            set_if_there(machine, *function, &[("power.control_status.power_state", 3)])?;
        }
        set_power(machine, &functions, "D3hot", "error");
        let text = machine.kernel.power_up_refused();
        machine.say_of(address, text);
        return Ok(());
    }
    let above = port(machine, address)?;
    silence(machine, &functions)?;
    set_power(machine, &functions, "D3cold", "error");
    let seen = effect::get(machine, above, "express.slot_status.presence_detect_state") == 1;
    link_down(machine, above, seen)?;
    let text = machine.kernel.power_up_failed();
    for function in functions {
        machine.say_of(function, text);
    }
    Ok(())
}

fn reset_failed(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let functions = device_and_below(machine, address);
    silence(machine, &functions)?;
    let method = call.word("method").to_owned();
    let mut waited: u64 = 1023;
    machine.wait(1_000_000);
    while waited < 65_535 {
        machine.say_of(address, format!("not ready {waited}ms after {method}; waiting"));
        machine.wait(waited * 1000);
        waited = waited * 2 + 1;
    }
    machine.say_of(address, format!("not ready {waited}ms after {method}; giving up"));
    Ok(())
}
