//! Power state: what the hardware says, what the kernel believes, and runtime power management.

use crate::pci::capability::power::{self, ControlStatus};

use super::Function;

/// Power of a function.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Power {
    /// What the kernel believes (`power_state`): D0, D1, D2, D3hot, D3cold, unknown, error.
    pub kernel_state: Option<String>,
    /// What the function's PMCSR says: D0, D1, D2, D3hot.
    pub hardware_state: Option<&'static str>,
    /// `power/runtime_status`: active, suspended, suspending, resuming, error, unsupported.
    pub runtime_status: Option<String>,
    /// `power/control`: `on` keeps the function in D0, `auto` lets the kernel suspend it.
    pub runtime_control: Option<String>,
    /// `d3cold_allowed`.
    pub d3cold_allowed: Option<bool>,
}

/// Names of the states in PMCSR (PCIe 6.2, 7.5.2.2).
const STATES: [&str; 4] = ["D0", "D1", "D2", "D3hot"];

/// What is known of a function's power.
pub fn power(function: &Function) -> Power {
    let text = |name| function.reading.text(name).map(str::to_owned);
    let register: Option<ControlStatus> = function.register(&power::SPECIFICATION);
    Power {
        kernel_state: text("power_state"),
        hardware_state: register.and_then(|r| STATES.get(usize::from(r.power_state())).copied()),
        runtime_status: text("power/runtime_status"),
        runtime_control: text("power/control"),
        d3cold_allowed: function.reading.text("d3cold_allowed").map(|t| t != "0"),
    }
}
