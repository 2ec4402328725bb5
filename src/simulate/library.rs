//! Machines and scenarios that are shipped.

/// Something that is shipped: a description in TOML.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// Its name.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! shipped {
    ($folder:literal, $($name:literal),* $(,)?) => {
        &[$( Shipped {
            name: $name,
            text: include_str!(concat!("../../sysfs-fixtures/", $folder, "/", $name, ".toml")),
        } ),*]
    };
}

/// Machines on which nothing is broken.
pub const MACHINES: &[Shipped] = shipped![
    "machines",
    "two-socket-gpu-server",
    "eight-gpu-server",
    "laptop-gtx1650",
    "nvme-storage-server"
];

/// Scenarios.
pub const SCENARIOS: &[Shipped] = shipped![
    "scenarios",
    "field-note-1",
    "field-note-2",
    "asleep-and-stuck",
    "aspm-locked",
    "aspm-on",
    "bars-lost",
    "completion-timeouts",
    "dma-refused",
    "drive-falls-off-the-bus",
    "drive-pulled-and-back",
    "equalization-and-lanes",
    "error-storm",
    "errors-nobody-counts",
    "fatal-error",
    "firmware-keeps-features",
    "firmware-limits-speed",
    "first-generation-speed",
    "gpu-falls-off-the-bus",
    "half-the-lanes",
    "idle-gpu",
    "link-disabled-by-software",
    "link-flaps",
    "link-never-trains",
    "looping-capabilities",
    "marked-disconnected",
    "memory-errors",
    "no-interrupts",
    "no-room-for-bar",
    "not-ready-after-reset",
    "port-contains-error",
    "product-data-timeout",
    "reset-that-does-not-help",
    "slot-without-power",
    "small-aperture",
    "unprivileged",
    "vectors-masked",
    "wrong-card",
];

/// The machine of that name.
pub fn machine(name: &str) -> Option<&'static Shipped> {
    MACHINES.iter().find(|shipped| shipped.name == name)
}

/// The machine or scenario of that name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    SCENARIOS.iter().chain(MACHINES).find(|shipped| shipped.name == name)
}
