//! The registers of a function: what its description says, and for the rest what firmware and Linux usually leave.
//!
//! Everything is written by dotted path through the tables that decode it. What is said here are defaults; a
//! description replaces each of them under `registers`.

use super::description::{FunctionDescription, Kind, ROM_LINE, Rate, VF_LINE, Windows};
use crate::pci::capability::express::PortType;
use crate::pci::catalogue;
use crate::simulate::config::Config;
use crate::simulate::document::Mistake;

/// Where an address range and the windows of a bridge came to lie.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Start of each range of the function, in their order.
    pub starts: Vec<u64>,
    /// Windows of a bridge.
    pub windows: Windows,
}

/// The configuration space of a function. `multi`: the device has several functions.
pub fn build(function: &FunctionDescription, places: &Places, multi: bool) -> Result<Config, Mistake> {
    let at = |mistake: Mistake| {
        let text = format!("{}: {}", function.address, mistake.message);
        Mistake::new(if mistake.line == 0 { function.line } else { mistake.line }, text)
    };
    let length = if function.port.is_some() { 4096 } else { 256 };
    let mut config = Config::zeros(length);
    header(&mut config, function, multi).map_err(at)?;
    bars(&mut config, function, places).map_err(at)?;
    for (key, offset, line) in &function.capabilities {
        let Some(specification) = catalogue::all().find(|s| s.key == key) else { continue };
        config.add(specification, *offset).map_err(|m| at(m.at(*line)))?;
        capability(&mut config, key, function, places).map_err(|m| at(m.at(*line)))?;
    }
    let line = function.capabilities.first().map_or(function.line, |(.., line)| *line);
    config.check_overlaps().map_err(|m| at(m.at(line)))?;
    for (path, value, line) in &function.registers {
        config.set(path, *value).map_err(|m| at(m.at(*line)))?;
    }
    Ok(config)
}

fn is_bridge(function: &FunctionDescription) -> bool {
    function.buses.is_some()
}

/// Whether the link of the function leads away from the root.
fn is_downstream(function: &FunctionDescription) -> bool {
    matches!(function.port, Some(PortType::RootPort | PortType::DownstreamPort))
}

fn header(config: &mut Config, function: &FunctionDescription, multi: bool) -> Result<(), Mistake> {
    let layout = u64::from(is_bridge(function));
    config.set("header.header_type.layout", layout)?;
    config.set_all(&[
        ("header.vendor_id.id", function.ids.0),
        ("header.device_id.id", function.ids.1),
        ("header.revision_id.id", function.revision),
        ("header.programming_interface.id", function.class & 0xff),
        ("header.class_code.subclass", function.class >> 8 & 0xff),
        ("header.class_code.base_class", function.class >> 16 & 0xff),
        ("header.header_type.multi_function", multi.into()),
    ])?;
    if function.class >> 8 == 0x0600 && function.port.is_none() {
        // A host bridge decodes nothing itself.
        config.set("header.subsystem_vendor_id.id", function.subsystem.0)?;
        config.set("header.subsystem_id.id", function.subsystem.1)?;
        return config.set("header.cache_line_size.size", 16);
    }
    config.set("header.cache_line_size.size", 16)?;
    config.set("header.interrupt_line.line", 0xff)?;
    config.set("header.interrupt_pin.pin", 1)?;
    config.set_flags(
        "header.command.memory_space_enable header.command.bus_master_enable header.command.interrupt_disable",
    )?;
    let has_io = function.ranges.iter().any(|r| r.kind == Kind::Io);
    if has_io || is_bridge(function) {
        config.set("header.command.io_space_enable", 1)?;
    }
    if let Some((secondary, subordinate)) = function.buses {
        return config.set_all(&[
            ("header.primary_bus.number", function.address.bus.into()),
            ("header.secondary_bus.number", secondary),
            ("header.subordinate_bus.number", subordinate),
        ]);
    }
    config.set("header.subsystem_vendor_id.id", function.subsystem.0)?;
    config.set("header.subsystem_id.id", function.subsystem.1)
}

/// Base Address Registers and windows (PCIe 6.2, 7.5.1.2.1, 7.5.1.3).
fn bars(config: &mut Config, function: &FunctionDescription, places: &Places) -> Result<(), Mistake> {
    for (range, start) in function.ranges.iter().zip(&places.starts) {
        let low = start & 0xffff_ffff;
        match range.line {
            ROM_LINE => config.set("header.expansion_rom", low & 0xffff_f800)?,
            line if line >= VF_LINE => {}
            line => {
                config.set(&format!("header.bar[{line}].value"), low | bar_bits(range.kind))?;
                if is_64_bit(range.kind) {
                    config.set(&format!("header.bar[{}].value", line + 1), start >> 32)?;
                }
            }
        }
    }
    if is_bridge(function) { windows(config, &places.windows) } else { Ok(()) }
}

/// Whether a BAR takes two registers.
pub fn is_64_bit(kind: Kind) -> bool {
    matches!(kind, Kind::Memory64 | Kind::Prefetchable64)
}

/// The low bits of a Base Address Register.
pub fn bar_bits(kind: Kind) -> u64 {
    match kind {
        Kind::Io => 1,
        Kind::Memory32 | Kind::Rom => 0,
        Kind::Memory64 => 0x4,
        Kind::Prefetchable64 => 0xc,
    }
}

/// Writes the windows of a bridge. A closed window has a base above its limit.
pub fn windows(config: &mut Config, windows: &Windows) -> Result<(), Mistake> {
    let (base, limit) = windows.io.unwrap_or((0xf000, 0x0fff));
    config.set_all(&[
        ("header.io_base.kind", 1),
        ("header.io_base.base", base >> 12 & 0xf),
        ("header.io_limit.kind", 1),
        ("header.io_limit.limit", limit >> 12 & 0xf),
        ("header.io_base_upper.base", base >> 16),
        ("header.io_limit_upper.limit", limit >> 16),
    ])?;
    let (base, limit) = windows.memory.unwrap_or((0xfff0_0000, 0x000f_ffff));
    let (base64, limit64) = windows.prefetchable.unwrap_or((0xfff0_0000, 0x000f_ffff));
    config.set_all(&[
        ("header.memory_base.base", base >> 20),
        ("header.memory_limit.limit", limit >> 20),
        ("header.prefetchable_base.kind", 1),
        ("header.prefetchable_base.base", base64 >> 20 & 0xfff),
        ("header.prefetchable_limit.kind", 1),
        ("header.prefetchable_limit.limit", limit64 >> 20 & 0xfff),
        ("header.prefetchable_base_upper.base", base64 >> 32),
        ("header.prefetchable_limit_upper.limit", limit64 >> 32),
    ])
}

fn capability(
    config: &mut Config,
    key: &str,
    function: &FunctionDescription,
    places: &Places,
) -> Result<(), Mistake> {
    let up = function.current.is_some();
    match key {
        "power" => {
            config.set("power.capabilities.version", 3)?;
            config.set_flags("power.capabilities.pme_from_d0 power.capabilities.pme_from_d3hot")?;
            if is_bridge(function) {
                config.set("power.capabilities.pme_from_d3cold", 1)?;
            }
            config.set("power.control_status.no_soft_reset", 1)
        }
        "msi" => config.set("msi.control.address_64bit_capable", 1),
        "express" => express(config, function),
        "vendor" => config.set("vendor.capability_length.length", 0x14),
        "subsystem" => config.set_all(&[
            ("subsystem.vendor_id.id", function.subsystem.0),
            ("subsystem.id.id", function.subsystem.1),
        ]),
        "msix" => match function.msix {
            None => Err(Mistake::new(0, "`msix` needs a table `msix` with vectors, bar, table and pending")),
            Some(msix) => config.set_all(&[
                ("msix.control.table_size", msix.vectors - 1),
                ("msix.table.bar_indicator", msix.bar),
                ("msix.table.offset", msix.table / 8),
                ("msix.pending_bit_array.bar_indicator", msix.bar),
                ("msix.pending_bit_array.offset", msix.pending / 8),
            ]),
        },
        "aer" => config.set_flags(
            "aer.uncorrectable_severity.data_link_protocol_error \
             aer.uncorrectable_severity.surprise_down_error \
             aer.uncorrectable_severity.flow_control_protocol_error \
             aer.uncorrectable_severity.receiver_overflow aer.uncorrectable_severity.malformed_tlp \
             aer.uncorrectable_severity.uncorrectable_internal_error \
             aer.correctable_mask.advisory_non_fatal_error aer.correctable_mask.corrected_internal_error \
             aer.correctable_mask.header_log_overflow \
             aer.capabilities_and_control.ecrc_generation_capable \
             aer.capabilities_and_control.ecrc_check_capable",
        ),
        "secondary" => lanes(config, "secondary", function.maximum, 4),
        "physical_16gt" => {
            equalized(config, "physical_16gt.status", up && current(function) >= 4)?;
            lanes(config, "physical_16gt", function.maximum, 5)
        }
        "physical_32gt" => {
            config.set_flags(
                "physical_32gt.capabilities.equalization_bypass_to_highest_rate_supported \
                 physical_32gt.capabilities.modified_ts_usage_mode_0_supported",
            )?;
            equalized(config, "physical_32gt.status", up && current(function) >= 5)?;
            lanes(config, "physical_32gt", function.maximum, 6)
        }
        "acs" => config.set_flags(
            "acs.capability.source_validation acs.capability.translation_blocking \
             acs.capability.p2p_request_redirect acs.capability.p2p_completion_redirect \
             acs.capability.upstream_forwarding acs.capability.direct_translated_p2p \
             acs.control.source_validation_enable acs.control.p2p_request_redirect_enable \
             acs.control.p2p_completion_redirect_enable acs.control.upstream_forwarding_enable",
        ),
        "l1ss" => {
            config.set_flags(
                "l1ss.capabilities.pci_pm_l1_2_supported l1ss.capabilities.pci_pm_l1_1_supported \
                 l1ss.capabilities.aspm_l1_2_supported l1ss.capabilities.aspm_l1_1_supported \
                 l1ss.capabilities.l1_pm_substates_supported",
            )?;
            config.set_all(&[
                ("l1ss.capabilities.port_common_mode_restore_time", 60),
                ("l1ss.capabilities.port_t_power_on_scale", 1),
                ("l1ss.capabilities.port_t_power_on_value", 1),
            ])
        }
        "dpc" => containment(config),
        "sriov" => virtual_functions(config, function, places),
        "vsec" => config.set_all(&[
            ("vsec.header.id", 1),
            ("vsec.header.revision", 1),
            ("vsec.header.length", 0x10),
        ]),
        _ => Ok(()),
    }
}

fn current(function: &FunctionDescription) -> u64 {
    function.current.map_or(0, |(speed, _)| speed)
}

fn express(config: &mut Config, function: &FunctionDescription) -> Result<(), Mistake> {
    let Some(port) = function.port else {
        return Err(Mistake::new(0, "`express` needs `port`, such as \"endpoint\""));
    };
    // The type and the slot decide which registers there are.
    config.set("express.capabilities.version", 2)?;
    config.set("express.capabilities.device_port_type", port as u64)?;
    config.set("express.capabilities.slot_implemented", function.slot.is_some().into())?;
    config.set_all(&[
        ("express.device_capabilities.max_payload_size_supported", function.payload.0),
        ("express.device_capabilities.extended_tag_field_supported", 1),
        ("express.device_capabilities.role_based_error_reporting", 1),
        ("express.device_control.max_payload_size", function.payload.1),
        ("express.device_control.max_read_request_size", 2),
        ("express.device_control.enable_relaxed_ordering", 1),
        ("express.device_control.extended_tag_field_enable", 1),
        ("express.device_capabilities_2.completion_timeout_ranges_supported", 15),
        ("express.device_capabilities_2.completion_timeout_disable_supported", 1),
        ("express.device_capabilities_2.ltr_mechanism_supported", 1),
        ("express.device_capabilities_2.tag_10bit_completer_supported", 1),
        ("express.device_capabilities_2.extended_fmt_field_supported", 1),
    ])?;
    if port != PortType::RootComplexIntegratedEndpoint && port != PortType::RootComplexEventCollector {
        link(config, function)?;
    }
    if is_downstream(function) {
        config.set_flags(
            "express.device_capabilities_2.ari_forwarding_supported \
             express.device_control_2.ari_forwarding_enable",
        )?;
    } else if !is_bridge(function) {
        config.set_all(&[
            ("express.device_capabilities.function_level_reset_capability", 1),
            ("express.device_capabilities.endpoint_l0s_acceptable_latency", 7),
            ("express.device_capabilities.endpoint_l1_acceptable_latency", 7),
            ("express.device_control.enable_no_snoop", 1),
        ])?;
    }
    if port == PortType::RootPort {
        config.set_flags(
            "express.root_capabilities.configuration_rrs_software_visibility \
             express.root_control.pme_interrupt_enable \
             express.root_control.configuration_rrs_software_visibility_enable",
        )?;
    }
    let Some(slot) = function.slot else { return Ok(()) };
    // 00h to EFh in steps of the scale, here whole watts (PCIe 6.2, 7.5.3.9).
    config.set_all(&[
        ("express.slot_capabilities.slot_power_limit_value", slot.watts.min(0xef)),
        ("express.slot_capabilities.physical_slot_number", slot.number),
        ("express.slot_capabilities.no_command_completed_support", 1),
        ("express.slot_status.presence_detect_state", function.current.is_some().into()),
    ])?;
    if slot.hot_plug {
        config.set_flags(
            "express.slot_capabilities.hot_plug_surprise express.slot_capabilities.hot_plug_capable \
             express.slot_control.presence_detect_changed_enable express.slot_control.hot_plug_interrupt_enable \
             express.slot_control.data_link_layer_state_changed_enable",
        )?;
    }
    Ok(())
}

fn link(config: &mut Config, function: &FunctionDescription) -> Result<(), Mistake> {
    let (speed, width) = function.maximum;
    let downstream = u64::from(is_downstream(function));
    config.set_all(&[
        ("express.link_capabilities.max_link_speed", speed),
        ("express.link_capabilities.maximum_link_width", width),
        // L1, which both ends leave within 64 µs.
        ("express.link_capabilities.aspm_support", 2),
        ("express.link_capabilities.l1_exit_latency", 6),
        ("express.link_capabilities.aspm_optionality_compliance", 1),
        ("express.link_capabilities.clock_power_management", 1 - downstream),
        ("express.link_capabilities.surprise_down_error_reporting_capable", downstream),
        ("express.link_capabilities.data_link_layer_link_active_reporting_capable", downstream),
        ("express.link_capabilities.link_bandwidth_notification_capability", downstream),
        ("express.link_control.common_clock_configuration", 1),
        ("express.link_status.slot_clock_configuration", 1),
        // 2.5 GT/s at bit 0 up to the maximum.
        ("express.link_capabilities_2.supported_link_speeds_vector", (1 << speed) - 1),
        ("express.link_control_2.target_link_speed", speed),
    ])?;
    if speed >= 4 {
        config.set_flags(
            "express.link_capabilities_2.retimer_presence_detect_supported \
             express.link_capabilities_2.two_retimers_presence_detect_supported",
        )?;
    }
    match function.current {
        None => config.set("express.link_status.current_link_speed", 1),
        Some((speed, width)) => {
            config.set_all(&[
                ("express.link_status.current_link_speed", speed),
                ("express.link_status.negotiated_link_width", width),
                ("express.link_status.data_link_layer_link_active", downstream),
            ])?;
            for flag in EQUALIZATION_8GT {
                config.set(&format!("express.link_status_2.{flag}"), u64::from(speed >= 3))?;
            }
            Ok(())
        }
    }
}

/// Fields of Link Status 2 that say how equalization for 8 GT/s went.
pub const EQUALIZATION_8GT: [&str; 4] = [
    "equalization_8gts_complete",
    "equalization_8gts_phase_1_successful",
    "equalization_8gts_phase_2_successful",
    "equalization_8gts_phase_3_successful",
];

/// The same for 16 and 32 GT/s.
pub const EQUALIZATION: [&str; 4] = [
    "equalization_complete",
    "equalization_phase_1_successful",
    "equalization_phase_2_successful",
    "equalization_phase_3_successful",
];

fn equalized(config: &mut Config, register: &str, done: bool) -> Result<(), Mistake> {
    EQUALIZATION.iter().try_for_each(|flag| config.set(&format!("{register}.{flag}"), done.into()))
}

fn lanes(config: &mut Config, key: &str, maximum: Rate, preset: u64) -> Result<(), Mistake> {
    let values: Vec<(String, u64)> = (0..maximum.1)
        .flat_map(|lane| {
            ["downstream_port_transmitter_preset", "upstream_port_transmitter_preset"]
                .map(|field| (format!("{key}.lane[{lane}].equalization.{field}"), preset))
        })
        .collect();
    let values: Vec<(&str, u64)> = values.iter().map(|(path, value)| (path.as_str(), *value)).collect();
    config.set_all(&values)
}

fn containment(config: &mut Config) -> Result<(), Mistake> {
    // The size of the log decides which registers there are.
    config.set_flags("dpc.capability.rp_extensions")?;
    config.set("dpc.capability.rp_pio_log_size", 6)?;
    config.set_flags(
        "dpc.capability.poisoned_tlp_egress_blocking_supported dpc.capability.software_triggering_supported \
         dpc.capability.dl_active_err_cor_signaling_supported",
    )?;
    // As after reset: every programmed I/O error is masked (PCIe 6.2, 7.9.14.7).
    for name in ["configuration", "io", "memory"] {
        for kind in ["unsupported_request_completion", "completer_abort_completion", "completion_timeout"] {
            config.set(&format!("dpc.rp_pio_mask.{name}_{kind}"), 1)?;
        }
    }
    Ok(())
}

fn virtual_functions(
    config: &mut Config,
    function: &FunctionDescription,
    places: &Places,
) -> Result<(), Mistake> {
    config.set_all(&[
        ("sriov.initial_vfs.number", 8),
        ("sriov.total_vfs.number", 8),
        ("sriov.first_vf_offset.offset", 1),
        ("sriov.vf_stride.stride", 1),
        ("sriov.supported_page_sizes.sizes", 0x7ff),
        ("sriov.system_page_size.size", 1),
        ("sriov.control.ari_capable_hierarchy", 1),
    ])?;
    for (range, start) in function.ranges.iter().zip(&places.starts).filter(|(r, _)| r.line >= VF_LINE) {
        let number = range.line - VF_LINE;
        let low = start & 0xffff_ffff | bar_bits(range.kind);
        config.set(&format!("sriov.vf_bar[{number}].value"), low)?;
        if is_64_bit(range.kind) {
            config.set(&format!("sriov.vf_bar[{}].value", number + 1), start >> 32)?;
        }
    }
    Ok(())
}
