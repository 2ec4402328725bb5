//! The register tables against Linux's own, `include/uapi/linux/pci_regs.h`: a referee that knows no lspci.
//!
//! Every offset and every mask of the header that belongs to a capability must be a register and a field here, by position:
//! the header writes `#define PCI_X` for a register and `#define  PCI_X` for what is in it. What is no mask, or is written
//! another way, stands in [`LEFT_OUT`] with the reason. `PCISCOPE_PCI_REGS` names another header than the installed one.

use std::collections::BTreeSet;

use pciscope::inspect::explain::{Explanation, explain};
use pciscope::pci::register::Register;
use pciscope::pci::walk::List;
use pciscope::pci::{catalogue, header};

const HEADER: &str = "/usr/include/linux/pci_regs.h";

/// How the header begins the names of a capability's registers, and its key here. Longer beginnings first.
const CAPABILITIES: &[(&str, &str)] = &[
    ("PCI_CB_", "header"),
    ("PCI_EXP_DPC_", "dpc"),
    ("PCI_EXP_", "express"),
    ("PCI_ERR_", "aer"),
    ("PCI_PM_", "power"),
    ("PCI_AGP_", "agp"),
    ("PCI_VPD_", "vpd"),
    ("PCI_SID_", "slot_id"),
    ("PCI_MSIX_", "msix"),
    ("PCI_MSI_", "msi"),
    ("PCI_X_", "pcix"),
    ("PCI_EA_", "enhanced_allocation"),
    ("PCI_AF_", "advanced_features"),
    ("PCI_SSVID_", "subsystem"),
    ("PCI_SATA_", "sata"),
    ("PCI_VC_", "virtual_channel"),
    ("PCI_PWR_", "power_budgeting"),
    ("PCI_RCEC_", "event_collector"),
    ("PCI_ARI_", "ari"),
    ("PCI_ATS_", "ats"),
    ("PCI_PRI_", "page_request"),
    ("PCI_PASID_", "pasid"),
    ("PCI_SRIOV_", "sriov"),
    ("PCI_LTR_", "ltr"),
    ("PCI_ACS_", "acs"),
    ("PCI_REBAR_", "rebar"),
    ("PCI_DPA_", "dpa"),
    ("PCI_TPH_", "tph"),
    ("PCI_PTM_", "ptm"),
    ("PCI_L1SS_", "l1ss"),
    ("PCI_DVSEC_", "dvsec"),
    ("PCI_DLF_", "data_link_feature"),
    ("PCI_PL_16GT_", "physical_16gt"),
    ("PCI_PL_32GT_", "physical_32gt"),
    ("PCI_PL_64GT_", "physical_64gt"),
    ("PCI_DOE_", "doe"),
    ("PCI_NPEM_", "npem"),
    ("PCI_DEV3_", "device3"),
    ("PCI_IDE_", "ide"),
    ("PCI_SECPCI_", "secondary"),
    ("PCI_VF_REBAR_", "vf_rebar"),
];

/// Names of the header, or how several begin or end, that are neither an offset nor a mask here, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("PCI_CB_CAPABILITY_LIST", "the table declares the pointer where other functions have it"),
    ("PCI_CB_SUBSYSTEM_", "under the same name as of other functions, which the table declares"),
    ("PCI_CB_MEMORY_BASE_1", "the second window; the table declares the first"),
    ("PCI_CB_MEMORY_LIMIT_1", "the second window; the table declares the first"),
    ("PCI_CB_IO_BASE_1", "the second window; the table declares the first"),
    ("PCI_CB_IO_LIMIT_1", "the second window; the table declares the first"),
    ("_SHIFT", "where a mask begins, which the mask says too"),
    ("_SIZEOF", "the size of a capability"),
    ("PCI_SATA_SIZEOF_", "the size of a capability"),
    ("PCI_AGP_RFU", "the revision byte of the capability's own header"),
    ("PCI_VPD_DATA", "needs a write before it is read"),
    ("PCI_MSI_PENDING_64", "the pending bits stand at 10h or 14h; the table declares the former"),
    ("PCI_MSIX_ENTRY_", "the vector table in memory, not configuration space"),
    ("_BLOCK_SIZE", "the size of a part of a capability"),
    ("PCI_EA_BEI_", "values of BAR Equivalent Indicator, without its shift"),
    ("PCI_EA_P_", "values of the properties, without their shift"),
    ("PCI_EA_SEC_BUS_MASK", "written as a register without offset"),
    ("PCI_EA_SUB_BUS_MASK", "written as a register without offset"),
    ("PCI_ERR_UNC_UND", "bit 0, undefined since PCI Express 1.1"),
    ("PCI_RCEC_BUSN_REG_VER", "a version of the capability"),
    ("PCI_DOE_WRITE", "the mailbox, which needs writes"),
    ("PCI_DOE_READ", "the mailbox, which needs writes"),
    ("PCI_DVSEC_CXL_", "of CXL's DVSECs, each a table of its own"),
    ("PCI_EXP_DEVCAP2_TPH_COMP_NONE", "a value, without its shift"),
    ("PCI_EXP_DEVCAP2_TPH_COMP_TPH_ONLY", "a value, without its shift"),
    (
        "PCI_PL_64GT_LE_CTRL",
        "20h, as for 32.0 GT/s; PCIe 6.3, 7.7.7.5 and EDK II (PciExpress60.h) have 10h: 64.0 GT/s has no Modified TS Data",
    ),
    ("PCI_DOE_DATA_OBJECT_", "what goes through the mailbox, which needs writes"),
];

/// Names, or how several begin, of fields that stand behind another register than their own, or are written as registers, and the offset of theirs.
const OF_REGISTER: &[(&str, u64)] = &[
    ("PCI_EXP_DPC_IRQ", 0x04),
    ("PCI_TPH_CAP_ST_MASK", 0x04),
    // Counted from the beginning of a stream's registers; the first link stream begins at 0ch, and so do selective streams
    // where there is no link stream.
    ("PCI_IDE_LINK_CTL_", 0x0c),
    ("PCI_IDE_LINK_STS_", 0x10),
    ("PCI_IDE_SEL_CAP_", 0x0c),
    ("PCI_IDE_SEL_CTL_", 0x10),
    ("PCI_IDE_SEL_STS_", 0x14),
    ("PCI_IDE_SEL_RID_1_", 0x18),
    ("PCI_IDE_SEL_RID_2_", 0x1c),
    ("PCI_IDE_SEL_ADDR_1_", 0x20),
    // Counted from the first of two registers.
    ("PCI_LTR_NOSNOOP_VALUE", 0x04),
    ("PCI_LTR_NOSNOOP_SCALE", 0x04),
    // The first entry comes behind the bus numbers of a bridge, where there is no bridge in their place.
    ("PCI_EA_ES", 0x04),
];

/// Registers that CardBus bridges have in common with others.
const CARDBUS_COMMON: &[&str] =
    &["primary_bus", "secondary_bus", "subordinate_bus", "secondary_latency_timer"];

/// What the header says of one name.
struct Macro {
    name: String,
    value: u64,
    /// Whether it is written as a register, not as what is in one.
    is_register: bool,
}

fn macros(text: &str) -> Vec<Macro> {
    let one = |line: &str| {
        let rest = line.strip_prefix("#define")?;
        let is_register = rest.starts_with(' ') && !rest.starts_with("  ");
        let mut words = rest.split_whitespace();
        let (name, value) = (words.next()?, words.next()?);
        let arguments = |function| rest.split_once(function)?.1.split_once(')').map(|(inside, _)| inside);
        let bit = |text: &str| text.trim().parse::<u32>().ok().filter(|bit| *bit < 64);
        let value = value.trim_end_matches(['U', 'L']);
        let value =
            if let Some((high, low)) = arguments("__GENMASK(").and_then(|inside| inside.split_once(',')) {
                let (high, low) = (bit(high)?, bit(low)?);
                (u64::MAX >> (63 - high)) & (u64::MAX << low)
            } else if let Some(number) = arguments("_BITUL(") {
                1 << bit(number)?
            } else if let Some(digits) = value.strip_prefix("0x") {
                u64::from_str_radix(digits, 16).ok()?
            } else {
                value.parse().ok()?
            };
        Some(Macro { name: name.to_owned(), value, is_register })
    };
    text.lines().filter_map(one).collect()
}

#[test]
fn every_register_and_field_of_the_kernels_header_is_in_the_tables() {
    let path = std::env::var("PCISCOPE_PCI_REGS").unwrap_or_else(|_| HEADER.to_owned());
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {path} is not here (Debian package linux-libc-dev)");
        return;
    };
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    let (mut offsets, mut masks, mut values) = (0, 0, 0);
    let mut at: Option<(&str, u64)> = None;
    for entry in macros(&text) {
        let Some((_, key)) = CAPABILITIES.iter().find(|(prefix, _)| entry.name.starts_with(prefix)) else {
            continue;
        };
        let registers = match *key {
            "header" => header::REGISTERS
                .iter()
                .copied()
                .filter(|r| r.section.starts_with("PC Card") || CARDBUS_COMMON.contains(&r.key))
                .collect(),
            _ => {
                catalogue::all().find(|s| s.key == *key).unwrap_or_else(|| panic!("{key}")).registers.to_vec()
            }
        };
        let is_left_out = |name: &str| entry.name.starts_with(name) || entry.name.ends_with(name);
        if let Some((name, _)) = LEFT_OUT.iter().find(|(name, _)| is_left_out(name)) {
            used.insert(*name);
            continue;
        }
        let elsewhere =
            OF_REGISTER.iter().find(|(name, _)| entry.name.starts_with(name)).map(|(_, offset)| *offset);
        if entry.is_register && elsewhere.is_none() {
            at = Some((key, entry.value));
            let has = |r: &&&Register| {
                (u64::from(r.offset)..u64::from(r.offset) + u64::from(r.width)).contains(&entry.value)
            };
            match registers.iter().find(has) {
                Some(_) => offsets += 1,
                None => {
                    wrong.push(format!("{} {:#x}: no register of {key} is there", entry.name, entry.value))
                }
            }
            continue;
        }
        let own = at.filter(|(owner, _)| owner == key).map(|(_, offset)| offset);
        let Some(offset) = elsewhere.or(own) else {
            wrong.push(format!("{}: stands behind no register", entry.name));
            continue;
        };
        // A mask within a register that begins further down counts from its own lowest bit; one of a doubleword may be of
        // the second of two words.
        let fields = registers.iter().flat_map(|register| {
            let (start, width) = (u64::from(register.offset), u64::from(register.width));
            let below = offset.checked_sub(start).filter(|below| *below < width);
            let above =
                start.checked_sub(offset).filter(|above| elsewhere.is_some() && (1..4).contains(above));
            register.fields.iter().filter_map(move |field| match (below, above) {
                (Some(bytes), _) => Some(field.mask() >> (8 * bytes)),
                (None, Some(bytes)) => Some(field.mask() << (8 * bytes)),
                (None, None) => None,
            })
        });
        let fields: Vec<u64> = fields.collect();
        // The header names some groups of fields as one.
        let inside = fields.iter().filter(|mask| *mask & !entry.value == 0).fold(0, |all, mask| all | mask);
        if inside == entry.value && inside != 0 {
            masks += 1;
        } else if fields.iter().any(|mask| entry.value != 0 && mask & entry.value == entry.value)
            || entry.value == 0
        {
            values += 1;
        } else {
            wrong.push(format!("{} {:#x} at {offset:#x}: no field of {key}", entry.name, entry.value));
        }
    }
    println!(
        "{offsets} offsets, {masks} masks and {values} values within a mask agree, {} left out",
        used.len()
    );
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    let unused: Vec<_> =
        LEFT_OUT.iter().filter(|(name, _)| !used.contains(name)).map(|(name, _)| name).collect();
    // Older and newer headers lack some of the names; on one that has them all, none may be stale.
    println!("not in this header: {unused:?}");
    assert!(offsets > 100 && masks > 350, "{offsets} offsets and {masks} masks were found in {path}");
}

/// IDs of the header that the PCI-SIG has not assigned, or took back.
const UNASSIGNED: &[&str] = &["PCI_EXT_CAP_ID_CAC", "PCI_EXT_CAP_ID_AMD_XXX"];

#[test]
fn every_capability_is_explained_by_the_kernels_name_and_by_its_id() {
    let path = std::env::var("PCISCOPE_PCI_REGS").unwrap_or_else(|_| HEADER.to_owned());
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {path} is not here (Debian package linux-libc-dev)");
        return;
    };
    let mut count = 0;
    for entry in macros(&text).iter().filter(|entry| !UNASSIGNED.contains(&entry.name.as_str())) {
        let (list, name) = match (
            entry.name.strip_prefix("PCI_CAP_ID_"),
            entry.name.strip_prefix("PCI_EXT_CAP_ID_").filter(|_| !entry.name.ends_with(')')),
        ) {
            (Some(name), _) => (List::Standard, name),
            (_, Some(name)) => (List::Extended, name),
            _ => continue,
        };
        for asked in [
            name.to_owned(),
            name.to_lowercase(),
            format!("{:#x}", entry.value),
            format!("{:04X}h", entry.value),
        ] {
            let matches = explain(&asked).matches;
            let found =
                matches.iter().take_while(|one| matches!(one, Explanation::Capability(_))).any(|one| {
                    let Explanation::Capability(capability) = one else { return false };
                    let id = capability.id.as_deref().and_then(|id| id.strip_prefix("0x"));
                    let id = id.and_then(|id| u64::from_str_radix(id, 16).ok());
                    (capability.list, id) == (Some(list), Some(entry.value))
                });
            assert!(found, "{}: {asked:?} is not explained by that capability first", entry.name);
        }
        count += 1;
    }
    println!("{count} names of {path}");
    assert!(count >= 50);
}
