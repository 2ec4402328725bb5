//! Constructed and mutated configuration spaces of which lspci 3.14 and 3.15 make something wrong, or nothing at all
//! because they crash or stop: what is right about them. Fifteen defects were found; each has its number below.
//!
//! Each test runs over a space made here (`lspci_defects/made.rs`) and, where `PCISCOPE_CORPUS` points to a folder with
//! `lspci-defects`, over the file there that shows the same.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use pciscope::pci::decode::{Capability, Context, capabilities};
use pciscope::pci::extended::event_collector;
use pciscope::pci::header;
use pciscope::pci::register::{Meaning, Quantity};
use pciscope::pci::walk::{self, Anomaly, List};
use pciscope::pci::{ConfigSpace, capability};
use pciscope::tree::hexdump::{self, Dump};
use pciscope::tree::{Tree, read};

#[path = "lspci_defects/machine.rs"]
mod machine;
#[path = "lspci_defects/made.rs"]
mod made;

/// Files in the folder that are configuration spaces; beside each is what lspci printed for it.
const INPUTS: usize = 47;

fn folder() -> Option<PathBuf> {
    let corpus = std::env::var_os("PCISCOPE_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        println!("skipped: PCISCOPE_CORPUS is not set");
    }
    Some(corpus?.join("lspci-defects"))
}

fn inputs() -> Vec<PathBuf> {
    let Some(folder) = folder() else { return Vec::new() };
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_none_or(|extension| extension != "txt"));
    paths.sort();
    assert_eq!(paths.len(), INPUTS);
    paths
}

/// The space made here, and the first function of the file.
fn decoded(name: &str) -> Vec<Decoded> {
    let mut texts = vec![made::dump(name).into_bytes()];
    texts.extend(folder().map(|folder| fs::read(folder.join(name)).unwrap()));
    texts.iter().map(|text| decode(&hexdump::parse(text), "0000:00:01.0")).collect()
}

/// What `show` prints of the space made here.
fn shown(name: &str) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), made::dump(name)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
    let output = command.arg("--from").arg(file.path()).args(["show", "00:01.0"]).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

struct Decoded {
    capabilities: Vec<Capability>,
    anomalies: Vec<Anomaly>,
}

fn decode(dump: &Dump, address: &str) -> Decoded {
    let bytes = read(&dump.tree, &format!("sys/bus/pci/devices/{address}/config"), 4096).unwrap();
    let mut space = ConfigSpace::from_bytes(&bytes);
    let layout = header::read::<header::HeaderType>(&space).map_or(0, header::HeaderType::layout);
    let context = Context {
        header_layout: layout,
        vendor_id: space.u16(0).unwrap(),
        device_id: space.u16(2).unwrap(),
        ..Context::default()
    };
    let standard = walk::standard(&mut space, layout);
    let extended = walk::extended(&mut space);
    let mut found = standard.found;
    found.extend(extended.found);
    let (capabilities, anomalies) = capabilities(&mut space, context, &found);
    let anomalies = [standard.anomalies, extended.anomalies, anomalies].concat();
    Decoded { capabilities, anomalies }
}

impl Decoded {
    /// The field at a dotted path, and what it means.
    fn find(&self, path: &str) -> Option<(u64, Meaning)> {
        self.capabilities.iter().find_map(|capability| {
            capability.registers.iter().find_map(|placed| {
                let prefix = format!("{}.{}.", capability.path(), placed.path());
                let key = path.strip_prefix(&prefix)?;
                let field = placed.register.fields.iter().find(|field| field.key == key)?;
                Some((field.extract(placed.raw?), field.meaning))
            })
        })
    }

    fn value(&self, path: &str) -> u64 {
        let found = self.find(path);
        found.unwrap_or_else(|| panic!("no {path} among {:?}", self.paths())).0
    }

    /// Whether the specification reserves the value.
    fn is_reserved(&self, path: &str) -> bool {
        match self.find(path).unwrap() {
            (value, Meaning::Choice(names)) => names.iter().all(|(number, _)| *number != value),
            (value, Meaning::Quantity(quantity)) => {
                matches!(quantity(value), Quantity::Nanoseconds(None) | Quantity::Reserved)
            }
            _ => false,
        }
    }

    fn paths(&self) -> Vec<String> {
        let paths = self.capabilities.iter().map(|c| c.registers.iter().map(|p| c.path() + "." + &p.path()));
        paths.flatten().collect()
    }
}

/// Asserts the values of fields in the first function of a file.
fn assert_values(name: &str, values: &[(&str, u64)]) {
    for decoded in decoded(name) {
        for (path, value) in values {
            assert_eq!(decoded.value(path), *value, "{name}: {path}");
        }
    }
}

/// Asserts that the first function of a file has this anomaly.
fn assert_anomaly(name: &str, anomaly: Anomaly) {
    for decoded in decoded(name) {
        assert!(decoded.anomalies.contains(&anomaly), "{name}: {:?}", decoded.anomalies);
    }
}

/// Defects 1, 2 and 3: lspci crashes or stops at 12 of the inputs, and what comes behind is lost.
#[test]
fn every_input_is_decoded_to_its_end() {
    for path in inputs() {
        let dump = hexdump::parse(&fs::read(&path).unwrap());
        assert!(dump.functions > 0, "{}", path.display());
        for address in dump.tree.list("sys/bus/pci/devices").unwrap() {
            for capability in decode(&dump, &address).capabilities {
                assert!(capability.registers.iter().all(|placed| placed.offset < 4096));
            }
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
        let output = command.arg("--from").arg(&path).args(["--format", "json", "show"]).output().unwrap();
        assert!(output.stderr.is_empty(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["functions"].as_array().unwrap().len(), dump.functions, "{}", path.display());
    }
}

/// Defect 1: tables of three and eight names, asked for what three and five bits can say.
#[test]
fn a_cxl_range_with_all_bits_set_is_reserved() {
    for (field, value) in
        [("media_type", 7), ("memory_class", 7), ("desired_interleave", 31), ("memory_active_timeout", 7)]
    {
        let path = format!("dvsec.cxl_range[0].size_low.{field}");
        for decoded in decoded("cxl_range_oob") {
            assert_eq!(decoded.value(&path), value);
            assert!(decoded.is_reserved(&path), "{path}");
        }
    }
}

/// Defect 2: capabilities that end before their registers do.
#[test]
fn what_a_short_length_leaves_out_is_not_there() {
    for (name, length, last) in [
        ("cxl_funcmap_short_len_die", 0x0100_1e98, "dvsec.non_cxl_function_map[0].functions"),
        ("cxl_flexbus_short_len_die", 0x0102_1e98, "dvsec.flex_bus_port_status"),
    ] {
        assert_anomaly(name, Anomaly::ReservedValue { offset: 0x104, raw: length });
        for decoded in decoded(name) {
            assert_eq!(decoded.paths().last().unwrap(), last);
        }
    }
    for decoded in decoded("virtio_shm_short_die") {
        assert_eq!(decoded.value("vendor.capability_length.length"), 0x10);
        assert!(decoded.find("vendor.offset_upper.offset").is_none());
    }
    // Of an entry of no doublewords there is nothing but its first; of one that is too short, no upper halves.
    for (name, format, last) in [
        ("ea_es0_die", 0x8000_0000, "enhanced_allocation.entry[0].format"),
        ("ea_short_entry_die", 0x8000_0002, "enhanced_allocation.entry[0].max_offset"),
    ] {
        assert_anomaly(name, Anomaly::ReservedValue { offset: 0x84, raw: format });
        for decoded in decoded(name) {
            assert_eq!(decoded.paths().last().unwrap(), last);
        }
    }
}

/// Defect 3: what changed bytes make of it is in `any_bytes.rs` and `fuzz_seeds.rs`; here all that was made is cut short
/// everywhere.
#[test]
fn no_end_is_too_early() {
    for (name, _) in made::SPACES {
        for end in (0..0x180).chain([0x200, 0x400, 4095]) {
            let mut space = ConfigSpace::from_bytes(&made::space(name)[..end]);
            let Some(context) = header::context(&space) else { continue };
            let mut found = walk::standard(&mut space, context.header_layout).found;
            found.extend(walk::extended(&mut space).found);
            for placed in capabilities(&mut space, context, &found).0.iter().flat_map(|c| &c.registers) {
                let inside = usize::from(placed.offset) + usize::from(placed.register.width) <= end;
                assert!(placed.raw.is_none() || inside, "{name} to {end:#x}: {}", placed.path());
            }
        }
    }
}

/// Defect 7: lanes 16 to 31.
#[test]
fn errors_on_the_upper_lanes_are_seen() {
    assert_values("secpci_lane_err_upper16", &[("secondary.lane_error_status.lanes", 0xffff_0000)]);
}

/// Defect 8: the checksum of a link stream.
#[test]
fn the_checksum_of_a_link_stream_is_not_its_enable_bit() {
    assert_values(
        "ide_link_pcrc",
        &[
            ("ide.link_stream[0].link_control.link_ide_stream_enable", 1),
            ("ide.link_stream[0].link_control.pcrc_enable", 0),
        ],
    );
}

/// Defect 9: numbers of bits taken for masks.
#[test]
fn one_bit_of_a_cxl_device_is_one_field() {
    assert_values(
        "cxl_ctrl2_bits",
        &[
            ("dvsec.cxl_control_2.disable_caching", 1),
            ("dvsec.cxl_control_2.initiate_cxl_reset", 0),
            ("dvsec.cxl_control_2.cxl_reset_mem_clr_enable", 0),
            ("dvsec.cxl_control_2.desired_volatile_hdm_state_after_hot_reset", 0),
            ("dvsec.cxl_capability_3.default_volatile_hdm_state_after_cold_reset", 1),
            ("dvsec.cxl_capability_3.default_volatile_hdm_state_after_hot_reset", 0),
            ("dvsec.cxl_capability_3.volatile_hdm_state_after_hot_reset_configurability", 0),
        ],
    );
}

/// Defect 10: an offset taken for a mask, one name for two ranges, half of a register.
#[test]
fn a_cxl_port_and_a_function_map_are_whole() {
    assert_values(
        "cxl_port_ext_status",
        &[
            ("dvsec.cxl_port_status.port_power_management_initialization_complete", 1),
            ("dvsec.alternate_bus_base.bus", 0),
            ("dvsec.alternate_memory_base.address", 0x123),
            ("dvsec.alternate_memory_limit.address", 0x456),
        ],
    );
    assert_values(
        "cxl_funcmap_16bit",
        &[("dvsec.non_cxl_function_map[0].functions.non_cxl_functions", 0xdead_beef)],
    );
}

/// Defect 11: one field shown as three.
#[test]
fn three_frequencies_are_three_fields() {
    assert_values(
        "intel_capid0_c",
        &[
            ("vendor.capid0_c.ddr4_maximum_frequency", 8),
            ("vendor.capid0_c.lpddr4_maximum_frequency", 9),
            ("vendor.capid0_c.gear1_maximum_frequency", 5),
        ],
    );
    let text = shown("intel_capid0_c");
    for words in ["DDR4MaxFreq 2133 MT/s", "LPDDR4MaxFreq 2400 MT/s", "Gear1MaxFreq 1333 MT/s"] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

/// Defect 12: the last devices of a bitmap, a line without its end, a window too large for 32 bits.
#[test]
fn event_collectors_and_multicast_are_whole() {
    for decoded in decoded("rcec_bitmap_tail") {
        let collector = decoded.capabilities.iter().find(|c| c.path() == "event_collector").unwrap();
        let bitmap: event_collector::AssociationBitmap = collector.get().unwrap();
        assert_eq!(bitmap.device_numbers().collect::<Vec<_>>(), [30, 31]);
    }
    for decoded in decoded("multicast_winsz_overflow") {
        let path = "multicast.capability.mc_window_size_requested";
        let (value, Meaning::Quantity(quantity)) = decoded.find(path).unwrap() else { panic!("{path}") };
        assert_eq!(quantity(value), Quantity::Bytes(Some(1 << 63)));
    }
    let text = shown("multicast_ep_newline");
    for register in ["McastCap", "McastCtl", "McastBAR", "McastReceiveVec"] {
        let lines = text.lines().filter(|line| line.trim_start().starts_with(register)).count();
        assert_eq!(lines, 1, "{register} in {text}");
    }
}

/// Defect 12: shifts that overflow, a type cut to two bits, a length of nothing.
#[test]
fn latencies_flit_types_and_lengths_are_what_they_are() {
    for decoded in decoded("ltr_scale7") {
        assert!(decoded.is_reserved("ltr.max_snoop.latency"));
        assert!(decoded.is_reserved("ltr.max_no_snoop.latency"));
    }
    assert_values(
        "flit_ei_type",
        &[
            ("flit_error_injection.control_1.injection_on_flit_type", 4),
            ("flit_error_injection.ordered_set_control_1.number_of_errors_injected", 3),
            ("flit_error_injection.ordered_set_control_1.spacing_between_injected_errors", 7),
        ],
    );
    assert_anomaly("mrbl_len0_runaway", Anomaly::ReservedValue { offset: 0x104, raw: 0 });
    for decoded in decoded("mrbl_len0_runaway") {
        let locators = decoded.paths().into_iter().filter(|path| path.starts_with("mmio_locator"));
        assert_eq!(locators.collect::<Vec<_>>(), ["mmio_locator.capabilities"]);
    }
}

/// Defect 13: pointers into the header, below 100h, between doublewords, back, and into another capability.
#[test]
fn broken_lists_are_said() {
    let (standard, extended) = (List::Standard, List::Extended);
    assert_anomaly("cap_ptr_into_header", Anomaly::IntoHeader { list: standard, from: 0x34, to: 0x10 });
    assert_anomaly("ext_next_below_100", Anomaly::IntoHeader { list: extended, from: 0x100, to: 0x40 });
    assert_anomaly("ext_next_unaligned", Anomaly::Unaligned { list: extended, from: 0x100, to: 0x112 });
    assert_anomaly("cap_loop", Anomaly::Loop { list: standard, from: 0x40, to: 0x40 });
    assert_anomaly("cap_overlap", Anomaly::Overlap { first: 0x40, second: 0x44, first_end: 0x74 });
}

/// Defect 14: a last line without its end, and a domain of eight digits.
#[test]
fn the_form_of_a_dump_loses_nothing() {
    let text = made::dump("cap_loop");
    let whole = hexdump::parse(text.as_bytes());
    let cut = hexdump::parse(text.trim_end().as_bytes());
    assert_eq!((cut.functions, &cut.notes), (whole.functions, &whole.notes));
    let far = hexdump::parse(text.replace("00:01.0", "12345678:00:01.0").as_bytes());
    assert_eq!(far.functions, whole.functions);
    assert_eq!(decode(&far, "12345678:00:01.0").capabilities[0].path(), "express");
    // What was asked for and is not there is an error.
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
    let status = command.arg("--from").arg(file.path()).args(["list", "-s", "00:02.0"]).status().unwrap();
    assert_eq!(status.code(), Some(3));
}

/// Defect 15: the VirtIO structure through which configuration space reaches the others.
#[test]
fn every_virtio_structure_has_a_name() {
    let kind =
        capability::vendor::SPECIFICATION.registers.iter().find(|r| r.key == "structure_type").unwrap();
    let Meaning::Choice(names) = kind.fields[0].meaning else { panic!("a structure type is a choice") };
    for number in [1, 2, 3, 4, 5, 8, 9] {
        assert!(names.iter().any(|(known, _)| *known == number), "{number}");
    }
}

/// What lspci leaves out although it is in what it reads.
#[test]
fn what_lspci_leaves_out_is_there() {
    assert_values("aer_tlp_prefix_log", &[("aer.tlp_prefix_log[0].prefix.bits", 0xaabb_ccdd)]);
    assert_values(
        "dpc_rp_pio",
        &[
            ("dpc.rp_pio_status.configuration_completion_timeout", 1),
            ("dpc.rp_pio_header_log[0].header.bits", 0x1234_5678),
        ],
    );
    assert_values(
        "flit_log_bits",
        &[
            ("flit_logging.flit_error_log_1.flit_offset_from_last_logged_flit_in_error", 5),
            ("flit_logging.flit_error_log_1.consecutive_flit_error_after_last_flit_error", 9),
        ],
    );
    assert_values("msi_ext_data", &[("msi.extended_data.data", 0xbeef)]);
    assert_values(
        "phy16_parity_mismatch",
        &[("physical_16gt.local_data_parity_mismatch_status.lanes", 0xffff)],
    );
    assert_values(
        "secpci_lane_eq_not_shown",
        &[("secondary.lane[0].equalization.downstream_port_transmitter_preset", 4)],
    );
    assert_values(
        "slot_sltcap2_inband_pd",
        &[("express.slot_capabilities_2.in_band_pd_disable_supported", 1)],
    );
    assert_values(
        "tph_table",
        &[
            ("tph.capability.st_table_size", 3),
            ("tph.st_table[0].steering_tag.st_lower", 0xcd),
            ("tph.st_table[0].steering_tag.st_upper", 0xab),
            ("tph.st_table[3].steering_tag.st_lower", 0),
        ],
    );
    assert_values(
        "fpb",
        &[
            ("flattening_portal_bridge.capabilities.rid_decode_mechanism_supported", 1),
            ("flattening_portal_bridge.capabilities.mem_low_decode_mechanism_supported", 0),
            ("flattening_portal_bridge.capabilities.mem_high_decode_mechanism_supported", 1),
        ],
    );
    assert_values("pm_aux_data", &[("power.data.value", 0x55), ("power.control_status.data_select", 1)]);
    assert_values(
        "msix_bad_bir_and_overlap",
        &[("msix.table.bar_indicator", 7), ("msix.pending_bit_array.bar_indicator", 7)],
    );
    assert_values("devcap2_dmwr", &[("express.device_capabilities_2.dmwr_completer_supported", 1)]);
    assert_values("acs_egress_and_enhanced", &[("acs.egress_control_vector[0].vector.bits", 0xffff_ffff)]);
    for (key, registers) in [
        ("alternate_protocol", 4),
        ("sfi", 4),
        ("shadow_functions", 2),
        ("flit_performance", 3),
        ("streamlined_vc", 7),
        ("nop_flit", 4),
        ("siov", 5),
    ] {
        // Of these there are worked examples as well (worked_examples.rs).
        let Some(folder) = folder() else { return };
        let dump = hexdump::parse(&fs::read(folder.join("ext_cap_ver0_unknown")).unwrap());
        let decoded = decode(&dump, "0000:00:01.0");
        let found = decoded.capabilities.iter().find(|c| c.path() == key).unwrap();
        assert_eq!(found.registers.len(), registers, "{key}");
    }
}
