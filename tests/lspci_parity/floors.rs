//! How much must have been compared at the least, so that nothing passes because nothing was found.
//!
//! Each number is about nine tenths of what was compared when it was written, and one less where that was less than ten.

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
const ALL: [(usize, usize); 3] = [(5700, 940_000), (6300, 1_020_000), (7500, 1_240_000)];

/// The same of texts that need no lspci here, when the corpus was compared.
const TEXTS: [(&str, usize, usize); 3] = [(STORED, 160, 21_700), (DUMPED, 145, 12_300), (CAPTURED, 16, 5600)];

/// Capabilities, and values and flags of them that agree, by key and stage. Of the header, and of which capabilities
/// are on the lists, only values are counted. Nothing but zeros is what no text of lspci has.
const KEYS: &[(&str, [(usize, usize); 3])] = &[
    ("acs", [(41, 621), (94, 1417), (405, 6088)]),
    ("advanced_features", [(12, 50), (52, 208), (52, 208)]),
    ("aer", [(233, 15309), (349, 24184), (941, 73567)]),
    ("agp", [(118, 2613), (118, 2613), (118, 2613)]),
    ("agp8x", [(0, 0), (1, 0), (1, 0)]),
    ("alternate_protocol", [(0, 0), (0, 0), (0, 0)]),
    ("ari", [(24, 170), (35, 245), (63, 447)]),
    ("ats", [(0, 0), (3, 3), (18, 18)]),
    ("compactpci_hot_swap", [(0, 0), (1, 0), (1, 0)]),
    ("compactpci_resource_control", [(0, 0), (1, 0), (1, 0)]),
    ("data_link_feature", [(19, 19), (55, 55), (61, 61)]),
    ("debug_port", [(19, 39), (34, 68), (34, 68)]),
    ("device3", [(0, 0), (1, 34), (1, 34)]),
    ("doe", [(14, 94), (14, 94), (18, 123)]),
    ("dpa", [(0, 0), (1, 1), (1, 1)]),
    ("dpc", [(62, 1303), (63, 1341), (65, 1378)]),
    ("dvsec", [(250, 2970), (275, 3220), (315, 3760)]),
    ("enhanced_allocation", [(97, 259), (109, 293), (109, 293)]),
    ("event_collector", [(0, 0), (3, 3), (3, 3)]),
    ("express", [(5697, 622_810), (6071, 659_326), (6874, 755_206)]),
    ("flattening_portal_bridge", [(0, 0), (0, 0), (0, 0)]),
    ("flit_error_injection", [(0, 0), (1, 58), (1, 58)]),
    ("flit_logging", [(0, 0), (1, 27), (1, 27)]),
    ("flit_performance", [(0, 0), (0, 0), (0, 0)]),
    ("frs", [(0, 0), (1, 1), (1, 1)]),
    ("header", [(0, 281_507), (0, 304_702), (0, 357_228)]),
    ("hierarchy_id", [(0, 0), (1, 1), (1, 1)]),
    ("hot_plug", [(1, 0), (3, 0), (55, 0)]),
    ("hypertransport", [(331, 16_198), (335, 16_388), (335, 16_388)]),
    ("ide", [(0, 0), (1, 22), (1, 22)]),
    ("internal_link_control", [(0, 0), (1, 1), (1, 1)]),
    ("l1ss", [(99, 1497), (121, 1821), (126, 1902)]),
    ("lane_margining", [(26, 26), (36, 36), (41, 41)]),
    ("link_declaration", [(0, 0), (25, 25), (25, 25)]),
    ("list", [(0, 7541), (0, 9522), (0, 13787)]),
    ("ln_requester", [(0, 0), (1, 1), (1, 1)]),
    ("ltr", [(20, 60), (51, 148), (56, 164)]),
    ("mfvc", [(0, 0), (1, 1), (1, 1)]),
    ("mmio_locator", [(0, 0), (1, 1), (1, 1)]),
    ("mphy", [(0, 0), (1, 1), (1, 1)]),
    ("mriov", [(0, 0), (1, 1), (1, 1)]),
    ("msi", [(130, 876), (349, 2284), (736, 4771)]),
    ("msix", [(79, 554), (131, 919), (754, 5279)]),
    ("multicast", [(0, 0), (9, 9), (9, 9)]),
    ("nop_flit", [(0, 0), (0, 0), (0, 0)]),
    ("npem", [(0, 0), (1, 1), (1, 1)]),
    ("null", [(0, 0), (1, 0), (1, 0)]),
    ("page_request", [(0, 0), (1, 1), (1, 1)]),
    ("pasid", [(0, 0), (2, 2), (2, 2)]),
    ("pcix", [(155, 2790), (155, 2790), (155, 2790)]),
    ("physical_16gt", [(55, 55), (67, 90), (72, 108)]),
    ("physical_32gt", [(0, 0), (3, 68), (6, 119)]),
    ("physical_64gt", [(0, 0), (0, 0), (0, 0)]),
    ("pmux", [(0, 0), (1, 1), (1, 1)]),
    ("power", [(125, 2157), (399, 6823), (657, 11199)]),
    ("power_budgeting", [(0, 0), (43, 43), (43, 43)]),
    ("ptm", [(0, 0), (14, 14), (14, 14)]),
    ("rcrb", [(0, 0), (1, 1), (1, 1)]),
    ("readiness_time", [(0, 0), (1, 1), (1, 1)]),
    ("rebar", [(113, 238), (117, 248), (123, 259)]),
    ("sata", [(62, 130), (68, 149), (99, 241)]),
    ("secondary", [(66, 251), (117, 454), (123, 476)]),
    ("secure_device", [(0, 0), (1, 0), (1, 0)]),
    ("serial_number", [(62, 124), (115, 230), (172, 345)]),
    ("sfi", [(0, 0), (0, 0), (0, 0)]),
    ("shadow_functions", [(0, 0), (0, 0), (0, 0)]),
    ("siov", [(0, 0), (0, 0), (0, 0)]),
    ("slot_id", [(38, 116), (38, 116), (63, 191)]),
    ("sriov", [(216, 4922), (223, 5094), (248, 5674)]),
    ("streamlined_vc", [(0, 0), (0, 0), (0, 0)]),
    ("subsystem", [(45, 45), (156, 131), (619, 425)]),
    ("tph", [(0, 0), (3, 3), (3, 3)]),
    ("vendor", [(153, 488), (209, 639), (711, 2573)]),
    ("vf_rebar", [(111, 234), (115, 242), (115, 242)]),
    ("virtual_channel", [(0, 0), (72, 72), (72, 72)]),
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
