//! How much must have been compared at the least, so that nothing passes because nothing was found.
//!
//! Each number is about nine tenths of what was compared when it was written, and one less where that was less than ten (but not none).

use std::collections::{BTreeMap, BTreeSet};

use pciscope::pci::catalogue::DECODED;

use super::kinds::WITHOUT_RULES;

use super::sources::{CAPTURED, DUMPED, STORED};
use super::tally::{Counts, Tally};

/// What has been compared so far; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Fixtures of this project, and functions that walk through every encoding.
    Fixtures,
    /// Dumps and trees of the corpus.
    Corpus,
    /// Captures beside the corpus.
    Captures,
}

/// Functions, and values and flags that agree, by stage.
pub const ALL: [(usize, usize); 3] = [(7300, 1_180_000), (7900, 1_270_000), (13_300, 2_300_000)];

/// The same of texts that need no lspci here, when the corpus was compared.
const TEXTS: [(&str, usize, usize); 3] = [(STORED, 160, 21_700), (DUMPED, 145, 12_300), (CAPTURED, 16, 5600)];

/// Capabilities, and values and flags of them that agree, by key and stage. Of the header, and of which capabilities
/// are on the lists, only values are counted. Nothing but zeros is what no text of lspci has.
pub const KEYS: &[(&str, [(usize, usize); 3])] = &[
    ("acs", [(41, 621), (94, 1417), (1543, 23_152)]),
    ("advanced_features", [(12, 50), (52, 208), (52, 208)]),
    ("aer", [(233, 15_309), (349, 24_184), (3117, 255_081)]),
    ("agp", [(118, 2613), (118, 2613), (118, 2613)]),
    ("agp8x", [(0, 0), (1, 0), (1, 0)]),
    ("alternate_protocol", [(0, 0), (0, 0), (0, 0)]),
    ("ari", [(24, 170), (35, 245), (166, 1165)]),
    ("ats", [(36, 147), (40, 162), (56, 226)]),
    ("compactpci_hot_swap", [(0, 0), (1, 0), (1, 0)]),
    ("compactpci_resource_control", [(0, 0), (1, 0), (1, 0)]),
    ("data_link_feature", [(19, 19), (55, 55), (73, 73)]),
    ("debug_port", [(19, 39), (34, 68), (34, 68)]),
    ("device3", [(0, 0), (1, 34), (1, 34)]),
    ("doe", [(14, 94), (14, 94), (18, 123)]),
    ("dpa", [(0, 0), (1, 1), (1, 1)]),
    ("dpc", [(62, 1303), (63, 1341), (65, 1378)]),
    ("dvsec", [(250, 2978), (275, 3222), (315, 3768)]),
    ("enhanced_allocation", [(97, 259), (109, 293), (109, 293)]),
    ("event_collector", [(29, 88), (33, 97), (33, 97)]),
    ("express", [(7275, 781_698), (7649, 818_214), (11_430, 1_269_388)]),
    ("flattening_portal_bridge", [(0, 0), (0, 0), (0, 0)]),
    ("flit_error_injection", [(0, 0), (1, 58), (1, 58)]),
    ("flit_logging", [(0, 0), (1, 27), (1, 27)]),
    ("flit_performance", [(0, 0), (0, 0), (0, 0)]),
    ("frs", [(0, 0), (1, 1), (1, 1)]),
    ("header", [(0, 337_905), (0, 361_099), (0, 606_640)]),
    ("hierarchy_id", [(0, 0), (1, 1), (1, 1)]),
    ("hot_plug", [(1, 0), (3, 0), (261, 0)]),
    ("hypertransport", [(331, 16_198), (335, 16_388), (335, 16_388)]),
    ("ide", [(0, 0), (1, 22), (1, 22)]),
    ("internal_link_control", [(0, 0), (1, 1), (1, 1)]),
    ("l1ss", [(99, 1497), (121, 1821), (139, 2091)]),
    ("lane_margining", [(47, 47), (57, 68), (75, 113)]),
    ("link_declaration", [(47, 286), (72, 412), (72, 412)]),
    ("list", [(0, 10_696), (0, 12_678), (0, 32_229)]),
    ("ln_requester", [(0, 0), (1, 1), (1, 1)]),
    ("ltr", [(20, 60), (51, 148), (69, 202)]),
    ("mfvc", [(0, 0), (1, 1), (1, 1)]),
    ("mmio_locator", [(0, 0), (1, 1), (1, 1)]),
    ("mphy", [(0, 0), (1, 1), (1, 1)]),
    ("mriov", [(0, 0), (1, 1), (1, 1)]),
    ("msi", [(130, 876), (349, 2284), (2187, 14_092)]),
    ("msix", [(79, 554), (131, 919), (3018, 21_130)]),
    ("multicast", [(230, 2707), (239, 2815), (239, 2815)]),
    ("nop_flit", [(0, 0), (0, 0), (0, 0)]),
    ("npem", [(0, 0), (1, 1), (1, 1)]),
    ("null", [(0, 0), (1, 0), (1, 0)]),
    ("page_request", [(29, 237), (31, 252), (31, 252)]),
    ("pasid", [(31, 220), (34, 239), (34, 239)]),
    ("pcix", [(155, 2790), (155, 2790), (155, 2790)]),
    ("physical_128gt", [(0, 0), (0, 0), (0, 0)]),
    ("physical_16gt", [(55, 55), (67, 90), (85, 153)]),
    ("physical_32gt", [(0, 0), (3, 68), (12, 239)]),
    ("physical_64gt", [(0, 0), (0, 0), (0, 0)]),
    ("pmux", [(0, 0), (1, 1), (1, 1)]),
    ("power", [(125, 2157), (399, 6823), (1587, 27_019)]),
    ("power_budgeting", [(0, 0), (43, 43), (43, 43)]),
    ("ptm", [(13, 108), (27, 223), (27, 223)]),
    ("rcrb", [(0, 0), (1, 1), (1, 1)]),
    ("readiness_time", [(0, 0), (1, 1), (1, 1)]),
    ("rebar", [(113, 238), (117, 248), (135, 284)]),
    ("sata", [(62, 130), (68, 149), (205, 559)]),
    ("secondary", [(66, 251), (117, 454), (135, 526)]),
    ("secure_device", [(0, 0), (1, 0), (1, 0)]),
    ("serial_number", [(62, 124), (115, 230), (387, 774)]),
    ("sfi", [(0, 0), (0, 0), (0, 0)]),
    ("shadow_functions", [(0, 0), (0, 0), (0, 0)]),
    ("siov", [(0, 0), (0, 0), (0, 0)]),
    ("slot_id", [(38, 116), (38, 116), (166, 499)]),
    ("sriov", [(216, 4922), (223, 5094), (351, 8034)]),
    ("streamlined_vc", [(0, 0), (0, 0), (0, 0)]),
    ("subsystem", [(45, 45), (156, 131), (2372, 1558)]),
    ("tph", [(18, 38), (21, 53), (21, 53)]),
    ("vendor", [(153, 488), (209, 639), (2371, 8903)]),
    ("vf_rebar", [(111, 234), (115, 242), (115, 242)]),
    ("virtual_channel", [(61, 858), (134, 1676), (134, 1676)]),
    ("virtual_channel_mfvc", [(0, 0), (0, 0), (0, 0)]),
    ("vpd", [(0, 0), (14, 0), (14, 0)]),
    ("vsec", [(57, 230), (151, 604), (151, 604)]),
];

/// Fails what is below its floor. Only where there is an lspci.
pub fn check(tally: &mut Tally, stage: Stage) {
    let (mut capabilities, mut compared) = (BTreeMap::new(), BTreeMap::new());
    for counts in tally.referees.values() {
        for (key, count) in &counts.capabilities {
            *capabilities.entry(*key).or_insert(0) += count;
        }
        for (key, count) in &counts.compared {
            *compared.entry(*key).or_insert(0) += count;
        }
    }
    let (functions, values) = total(tally.referees.values());
    println!("{stage:?}: {functions} functions, {values} values and flags agree");
    let (least_functions, least_values) = ALL[stage as usize];
    at_least(tally, stage, "functions", functions, least_functions);
    at_least(tally, stage, "values and flags", values, least_values);
    let both = capabilities.keys().chain(compared.keys()).collect::<BTreeSet<_>>().into_iter();
    let both = both.map(|key| {
        let of = |counts: &BTreeMap<&str, usize>| counts.get(key).copied().unwrap_or_default();
        format!("{key} {}/{}", of(&capabilities), of(&compared))
    });
    println!("{stage:?}, capabilities and values: {}", both.collect::<Vec<_>>().join(", "));
    for (key, floors) in KEYS {
        let (least_capabilities, least_values) = floors[stage as usize];
        let of = |counts: &BTreeMap<&str, usize>| counts.get(key).copied().unwrap_or_default();
        at_least(tally, stage, &format!("capabilities {key}"), of(&capabilities), least_capabilities);
        at_least(tally, stage, &format!("values and flags of {key}"), of(&compared), least_values);
    }
}

/// Fails texts that are stored and of which too little was compared.
pub fn check_stored(tally: &mut Tally) {
    for (referee, least_functions, least_values) in TEXTS {
        let (functions, values) = total(tally.referees.get(referee));
        println!("{referee}, in the corpus: {functions} functions, {values} values and flags agree");
        at_least(tally, Stage::Corpus, &format!("functions, {referee}"), functions, least_functions);
        at_least(tally, Stage::Corpus, &format!("values and flags, {referee}"), values, least_values);
    }
}

fn total<'a>(counts: impl IntoIterator<Item = &'a Counts>) -> (usize, usize) {
    counts.into_iter().fold((0, 0), |(f, v), c| (f + c.functions, v + c.values + c.flags))
}

fn at_least(tally: &mut Tally, stage: Stage, what: &str, count: usize, least: usize) {
    if count < least {
        tally.fail(format!("{stage:?}: {count} {what}, at least {least} are needed"), "floors.rs");
    }
}

#[test]
fn every_decoded_capability_has_floors() {
    let floors: BTreeSet<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    assert_eq!(floors.len(), KEYS.len(), "a key is listed twice");
    let decoded: BTreeSet<&str> = DECODED.iter().map(|s| s.key).chain(["header"]).collect();
    let missing: Vec<_> = decoded.difference(&floors).filter(|key| !WITHOUT_RULES.contains(key)).collect();
    assert!(missing.is_empty(), "no floor for {missing:?}");
}
