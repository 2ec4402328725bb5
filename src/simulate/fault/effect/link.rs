//! Links that go down and come up again.

use super::*;

/// The link below a port goes down (PCIe 6.2, 7.5.3.8). Width 0 and 2.5 GT/s are what most hardware shows then; the
/// specification leaves both undefined.
pub fn link_down(machine: &mut Machine, port: Bdf, card_seen: bool) -> Result<(), Mistake> {
    set_if_there(
        machine,
        port,
        &[
            ("express.link_status.current_link_speed", 1),
            ("express.link_status.negotiated_link_width", 0),
            ("express.link_status.data_link_layer_link_active", 0),
            ("express.slot_status.presence_detect_state", card_seen.into()),
            ("express.slot_status.data_link_layer_state_changed", 1),
        ],
    )?;
    if !card_seen {
        set_if_there(machine, port, &[("express.slot_status.presence_detect_changed", 1)])?;
    }
    unequalize(machine, port)?;
    let bus_speed = machine.kernel.speed(1).to_owned();
    slot_attribute(machine, port, "cur_bus_speed", &bus_speed);
    if !card_seen {
        slot_attribute(machine, port, "adapter", "0");
    }
    Ok(())
}

/// Whether the link below a port is up: it has lanes, and is active where the port tells (PCIe 6.2, 7.5.3.6, 7.5.3.8).
pub fn link_is_up(machine: &Machine, port: Bdf) -> bool {
    let told =
        get(machine, port, "express.link_capabilities.data_link_layer_link_active_reporting_capable") == 1;
    let active = get(machine, port, "express.link_status.data_link_layer_link_active") == 1;
    get(machine, port, "express.link_status.negotiated_link_width") != 0 && (active || !told)
}

/// What equalization reached is forgotten with the link.
pub fn unequalize(machine: &mut Machine, port: Bdf) -> Result<(), Mistake> {
    for flag in EQUALIZATION_8GT {
        set_if_there(machine, port, &[(&format!("express.link_status_2.{flag}"), 0)])?;
    }
    for flag in EQUALIZATION {
        for register in ["physical_16gt.status", "physical_32gt.status"] {
            set_if_there(machine, port, &[(&format!("{register}.{flag}"), 0)])?;
        }
    }
    Ok(())
}

/// The link below a port comes up again, as it was when the kernel found it.
pub fn link_up(machine: &mut Machine, port: Bdf) -> Result<(), Mistake> {
    let function = machine.change(port)?;
    for path in
        ["express.link_status", "express.link_status_2", "physical_16gt.status", "physical_32gt.status"]
    {
        if let (Ok(place), Ok(value)) = (function.enumerated.place(path), function.enumerated.get(path)) {
            function.config.store(place.offset, place.width, value);
        }
    }
    let speed = function.config.value("express.link_status.current_link_speed");
    let text = machine.kernel.speed(speed).to_owned();
    slot_attribute(machine, port, "cur_bus_speed", &text);
    Ok(())
}
