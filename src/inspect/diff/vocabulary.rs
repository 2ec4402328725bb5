//! What the paths of two answers mean to someone who compares them: which group, what counts, what changes all the time,
//! what repeats something else, and which file tells of a value that is not there.
//!
//! Patterns are paths in which `*` stands for anything.

/// What a value belongs to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Whether anybody answers, and in which power state.
    Presence,
    /// What the function is.
    Identity,
    /// The link and its power states.
    Link,
    /// What software may switch.
    Control,
    /// Errors, logged and counted.
    Errors,
    /// Memory of the function and windows of a bridge.
    Bars,
    /// Interrupts.
    Interrupts,
    /// What Linux and firmware add.
    Platform,
}

impl Group {
    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Group::Presence => "presence",
            Group::Identity => "identity",
            Group::Link => "link",
            Group::Control => "control",
            Group::Errors => "errors",
            Group::Bars => "bars",
            Group::Interrupts => "interrupts",
            Group::Platform => "platform",
        }
    }
}

/// Whether a path fits a pattern.
pub fn fits(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, rest)) => path.strip_prefix(start).is_some_and(|path| {
            rest.is_empty()
                || path.char_indices().any(|(place, _)| fits(rest, &path[place..]))
                || fits(rest, "")
        }),
    }
}

fn one_of(patterns: &[&str], path: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, path))
}

/// Groups in the order in which a path is looked for.
const GROUPS: &[(Group, &[&str])] = &[
    (Group::Presence, &["presence*", "config_bytes", "power.*"]),
    (
        Group::Identity,
        &[
            "address",
            "vendor_id",
            "device_id",
            "class",
            "revision",
            "subsystem*",
            "names.*",
            "answers_as",
            "label",
            "port_type",
            "physical_function",
            "capabilities[*",
            "serial_number.*",
            "vpd.*",
            "header.vendor_id.*",
            "header.device_id.*",
            "header.class_code.*",
            "header.programming_interface.*",
            "header.revision_id.*",
            "header.subsystem*",
            "header.header_type.*",
        ],
    ),
    (
        Group::Errors,
        &[
            "aer.*",
            "express.device_status*",
            "express.root_status*",
            "header.status*",
            "header.secondary_status*",
            "dpc.*",
            "containment*",
            "logged_packets*",
            "anomalies*",
            "device_status_errors*",
            "secondary.lane_error_status*",
        ],
    ),
    (
        Group::Link,
        &[
            "link*",
            "rcd_link*",
            "express.link_*",
            "express.slot_*",
            "aspm*",
            "l1ss.*",
            "secondary.*",
            "physical_*",
            "data_link_feature.*",
            "lane_margining.*",
            "flit_*",
        ],
    ),
    (
        Group::Bars,
        &[
            "bars*",
            "windows*",
            "expansion_rom*",
            "rebar.*",
            "vf_rebar.*",
            "header.bar[*",
            "header.expansion_rom*",
            "header.memory_*",
            "header.prefetchable_*",
            "header.io_*",
            "ea.*",
        ],
    ),
    (Group::Interrupts, &["msi.*", "msix.*", "msi", "msix", "interrupt*", "header.interrupt_*"]),
    (
        Group::Platform,
        &[
            "driver",
            "numa_node",
            "iommu_group",
            "slot",
            "reset_methods",
            "local_processors",
            "enable_count",
            "msi_allowed",
            "parent",
            "host_bridge",
            "buses",
            "virtual_functions",
            "doe_features*",
        ],
    ),
];

/// What a path belongs to.
pub fn group(path: &str) -> Group {
    let found = GROUPS.iter().find(|(_, patterns)| one_of(patterns, path));
    found.map_or(Group::Control, |(group, _)| *group)
}

/// Numbers that only go up while the machine runs.
const COUNTERS: &[&str] =
    &["interrupts[*].count", "interrupts[*].per_processor[*", "aer.*.total", "aer.*.counts[*"];

/// Whether it is a number that only goes up while the machine runs.
pub fn is_counter(path: &str) -> bool {
    one_of(COUNTERS, path)
}

/// What changes on a machine with which nothing happens, and why.
const VOLATILE: &[(&str, &str)] = &[
    ("interrupts[*].count", "it counts on while the machine runs"),
    ("interrupts[*].per_processor*", "it counts on while the machine runs"),
    ("interrupts[*].number", "Linux numbers interrupts anew at each start"),
    ("interrupts[*].effective_affinity", "Linux moves interrupts between processors"),
    ("interrupts[*].message.*", "Linux moves interrupts between processors"),
    ("msi.address.*", "Linux moves interrupts between processors"),
    ("msi.address_upper.*", "Linux moves interrupts between processors"),
    ("msi.data.*", "Linux moves interrupts between processors"),
    ("msi.pending.*", "it is set for as long as an interrupt waits"),
    ("header.interrupt_line.*", "it is a note that firmware and Linux leave for themselves"),
    ("header.status.interrupt_status", "it is set for as long as an interrupt waits"),
    ("express.device_status.transactions_pending", "it is set for as long as a request waits"),
    ("*.reason", "it explains another value"),
    ("interrupts[*].vector", "it is a part of the path"),
    ("bars[*].number", "it is a part of the path"),
    ("windows[*].kind", "it is a part of the path"),
    ("host_bridges[*].name", "it is a part of the path"),
    ("slots[*].name", "it is a part of the path"),
    ("aspm_detail.kernel[*].name", "it is a part of the path"),
    ("kernel_log", "it is about the source"),
    ("link.source", "it is about the source"),
];

/// Why a value that differs says nothing; `None` if it does.
pub fn volatile(path: &str) -> Option<&'static str> {
    VOLATILE.iter().find(|(pattern, _)| fits(pattern, path)).map(|(_, why)| *why)
}

/// Values that say the same as others: hidden if one of the others differs as well.
const RETOLD: &[(&str, &[&str])] = &[
    ("config_bytes", &["presence"]),
    ("link.current.*", &["express.link_status.*"]),
    ("link.maximum.*", &["express.link_capabilities.*"]),
    ("link.target_speed_mts", &["express.link_control_2.*"]),
    ("link.training", &["express.link_status.*"]),
    ("link.disabled", &["express.link_control.*"]),
    ("link_partner_maximum.*", &["link.maximum.*", "express.link_capabilities.*", "link_partner"]),
    ("rcd_link.*.raw", &["rcd_link.*.fields.*"]),
    ("msix.enabled", &["msix.control.*"]),
    ("msix.function_masked", &["msix.control.*"]),
    ("msix.vectors", &["msix.control.*"]),
    ("msi.enabled", &["msi.control.*"]),
    ("msi.vectors", &["msi.control.*"]),
    ("msi.vectors_supported", &["msi.control.*"]),
    ("interrupt_mode", &["msix.control.*", "msi.control.*", "header.command.interrupt_disable"]),
    ("aspm.l0s", &["express.link_control.*"]),
    ("aspm.l1", &["express.link_control.*"]),
    ("aspm.l1_1", &["l1ss.*", "capabilities[l1ss]"]),
    ("aspm.l1_2", &["l1ss.*", "capabilities[l1ss]"]),
    ("aspm_detail.enabled.*", &["express.link_control.*", "l1ss.*", "capabilities[l1ss]"]),
    ("aspm_detail.supported.*", &["express.link_capabilities.*", "l1ss.*", "capabilities[l1ss]"]),
    ("aspm_detail.clock_power_management", &["express.link_control.*"]),
    ("device_status_errors.*", &["express.device_status.*"]),
    ("aer.uncorrectable_status", &["aer.uncorrectable_status.*"]),
    ("aer.correctable_status", &["aer.correctable_status.*"]),
    ("aer.capability", &["capabilities[aer]"]),
    ("power.hardware_state", &["power.control_status.*", "capabilities[power]"]),
    ("interrupt_pin", &["header.interrupt_pin.*"]),
    ("interrupts[*].affinity", &["interrupts[*].kind"]),
    ("virtual_functions", &["sriov.*"]),
    ("buses", &["header.secondary_bus.*", "header.subordinate_bus.*"]),
    ("bars[*].kernel_address", &["bars[*].address"]),
    ("bars[*].assigned", &["bars[*].address"]),
    ("expansion_rom.kernel_address", &["expansion_rom.address"]),
    ("header.bar[*", &["bars[*"]),
    ("header.expansion_rom.*", &["expansion_rom.*"]),
    ("header.memory_base*", &["windows[*"]),
    ("header.memory_limit*", &["windows[*"]),
    ("header.prefetchable_*", &["windows[*"]),
    ("header.io_*", &["windows[*"]),
    ("header.vendor_id.*", &["vendor_id"]),
    ("header.device_id.*", &["device_id"]),
    ("header.class_code.*", &["class"]),
    ("header.programming_interface.*", &["class"]),
    ("header.revision_id.*", &["revision"]),
    ("header.subsystem_vendor_id.*", &["subsystem_vendor_id"]),
    ("header.subsystem_id.*", &["subsystem_id"]),
    ("header.capabilities_pointer.*", &["capabilities[*"]),
];

/// Patterns of which any, if it differs as well, says what this path says.
pub fn retold_by(path: &str) -> &'static [&'static str] {
    RETOLD.iter().find(|(pattern, _)| fits(pattern, path)).map_or(&[], |(_, by)| by)
}

/// Where a value that is not there would come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A file of the function's folder; without it there is no such thing.
    File(&'static str),
    /// The same; without the file it is not known, as on kernels that do not have it.
    NeededFile(&'static str),
    /// Configuration space.
    Config,
    /// Configuration space and a file of the function's folder; without the file there is no such thing.
    ConfigAndFile(&'static str),
    /// A conclusion that can be unknown, and is worth saying so.
    Conclusion,
    /// A conclusion from values that are compared themselves.
    Derived,
}

const ORIGINS: &[(&str, Origin)] = &[
    ("iommu_group", Origin::File("iommu_group")),
    ("label", Origin::File("label")),
    ("physical_function", Origin::File("physfn")),
    ("doe_features*", Origin::File("doe_features")),
    ("rcd_link.rcd_link_cap.*", Origin::ConfigAndFile("rcd_link_cap")),
    ("rcd_link.rcd_link_ctrl.*", Origin::ConfigAndFile("rcd_link_ctrl")),
    ("rcd_link.rcd_link_status.*", Origin::ConfigAndFile("rcd_link_status")),
    ("aspm_detail.kernel*", Origin::ConfigAndFile("link")),
    ("interrupts*", Origin::File("msi_irqs")),
    ("numa_node", Origin::NeededFile("numa_node")),
    ("reset_methods", Origin::NeededFile("reset_method")),
    ("local_processors", Origin::NeededFile("local_cpulist")),
    ("enable_count", Origin::NeededFile("enable")),
    ("msi_allowed", Origin::NeededFile("msi_bus")),
    ("power.kernel_state", Origin::NeededFile("power_state")),
    ("power.runtime_status", Origin::NeededFile("power/runtime_status")),
    ("power.runtime_control", Origin::NeededFile("power/control")),
    ("power.d3cold_allowed", Origin::NeededFile("d3cold_allowed")),
    ("aer.correctable.*", Origin::NeededFile("aer_dev_correctable")),
    ("aer.non_fatal.*", Origin::NeededFile("aer_dev_nonfatal")),
    ("aer.fatal.*", Origin::NeededFile("aer_dev_fatal")),
    ("bars[*].size", Origin::NeededFile("resource")),
    ("bars[*].kernel_address", Origin::NeededFile("resource")),
    ("bars[*].assigned", Origin::NeededFile("resource")),
    ("bars[*].agrees", Origin::Derived),
    ("expansion_rom.kernel_address", Origin::NeededFile("resource")),
    ("expansion_rom.size", Origin::NeededFile("resource")),
    ("driver", Origin::NeededFile("uevent")),
    ("slot", Origin::NeededFile("uevent")),
    ("link_partner", Origin::ConfigAndFile("uevent")),
    ("parent", Origin::NeededFile("uevent")),
    ("host_bridge", Origin::NeededFile("uevent")),
    ("vpd.*", Origin::NeededFile("vpd")),
    ("*.reason", Origin::Derived),
    ("aer.ownership.*", Origin::Conclusion),
    ("aspm_control.*", Origin::Conclusion),
    ("link_partner_maximum.*", Origin::Derived),
    ("presence*", Origin::Derived),
    ("names.*", Origin::Derived),
];

/// Where a value that is not there would come from.
pub fn origin(path: &str) -> Origin {
    ORIGINS.iter().find(|(pattern, _)| fits(pattern, path)).map_or(Origin::Config, |(_, origin)| *origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(fits("aer.*.total", "aer.non_fatal.total") && fits("*.reason", "aspm_control.reason"));
        assert!(fits("interrupts[*].per_processor*", "interrupts[3].per_processor[12]"));
        assert!(!fits("aspm.l1", "aspm.l1_1") && !fits("aer.*.total", "aer.total"));
        assert!(fits("link*", "link") && !fits("a*b", "a"));
    }

    #[test]
    fn groups() {
        for (path, expected) in [
            ("express.device_status.fatal_error_detected", Group::Errors),
            ("express.device_control.max_payload_size", Group::Control),
            ("express.link_status.current_link_speed", Group::Link),
            ("power.control_status.power_state", Group::Presence),
            ("header.command.interrupt_disable", Group::Control),
            ("msix.control.enable", Group::Interrupts),
            ("rebar.entry[0].control.size", Group::Bars),
            ("numa_node", Group::Platform),
        ] {
            assert_eq!(group(path), expected, "{path}");
        }
    }
}
