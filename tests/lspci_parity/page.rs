//! `docs/parity.md`: what is proved how. Made from the lists that the tests go by, so that it says what they do.
//!
//! `SNAPSHOTS=overwrite cargo test --test lspci_parity page` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use pciscope::pci::catalogue;
use pciscope::pci::decode::Specification;
use pciscope::pci::walk::List;

use super::differences::{DIFFERENCES, LEFT_OUT, NAMES, REFUSED};
use super::floors::{ALL, KEYS, Stage};
use super::worked_examples::examples;

const HEAD: &str = "\
# What is proved, and how

Generated from the lists that the tests go by; `SNAPSHOTS=overwrite cargo test --test lspci_parity page` writes it anew.

Four proofs hold for what is decoded.

1. **lspci.** `cargo test --test lspci_parity -- --nocapture` decodes the same bytes with lspci and with pciscope and compares
   every value and every flag that lspci prints: Debian's lspci 3.9.0 over fixtures, over functions made for the purpose that walk
   through every encoding of every field, over dumps and captures of real machines; what lspci 3.14 printed of those dumps and
   captures; what other versions left inside dumps. Whatever is not equal is listed below with the reason, and an entry of the list
   that nothing needs any more fails the test. The numbers in the table are floors: fewer fail the test.
2. **Worked examples.** `cargo test --test worked_examples`: bytes worked out by hand from the pictures of the registers, for what
   lspci does not decode, or not to its end. Decoded, they give each field; the fields, written through the register tables, give
   each byte.
3. **Encoding.** Every register table, and every capability with contents that follow no rule: what is decoded and written back
   decodes to the same (`every_register_survives_encoding`, `every_capability_decodes_to_what_was_encoded`).
4. **Anything else.** Any bytes end, none panics (`any_bytes`, `fuzz_seeds`, [fuzz/](../fuzz/README.md)); and where lspci is known
   to be wrong, a test says what is right (`lspci_defects`).

";

/// Compared with Debian's lspci wherever there is one, and with a corpus of dumps and captures too.
fn lspci(key: &str) -> String {
    let floors = KEYS.iter().find(|(known, _)| *known == key).map_or([(0, 0); 3], |(_, floors)| *floors);
    let (_, alone) = floors[Stage::Fixtures as usize];
    let (capabilities, all) = floors[Stage::Captures as usize];
    match (alone, all, capabilities) {
        (_, 0, 0) => "-".to_owned(),
        (_, 0, _) => format!("its name in {capabilities} with the corpus only"),
        (_, all, _) if all == capabilities => {
            format!("its name and version in {capabilities} with the corpus")
        }
        (0, all, _) => format!("{} in {capabilities} with the corpus only", many(all)),
        (alone, all, 0) => format!("{}, {} with the corpus", many(alone), many(all)),
        (alone, all, _) => format!("{}, {} in {capabilities} with the corpus", many(alone), many(all)),
    }
}

fn many(values: usize) -> String {
    if values == 1 { "1 value".to_owned() } else { format!("{values} values") }
}

/// How many of its fields are set in a worked example.
fn example(specification: &Specification) -> String {
    let all: BTreeSet<_> =
        specification.registers.iter().flat_map(|r| r.fields.iter().map(|f| (r.key, f.key))).collect();
    let of_this = examples().filter(|example| example.key == specification.key);
    let paths = of_this.flat_map(|example| example.fields.iter().map(|(path, _)| *path));
    let set: BTreeSet<_> = paths
        .filter_map(|path| {
            let mut parts = path.rsplit('.');
            let (field, register) = (parts.next()?, parts.next()?);
            all.iter().find(|known| **known == (register, field))
        })
        .collect();
    match set.len() {
        0 => "-".to_owned(),
        1 if all.len() == 1 => "its field".to_owned(),
        count if count == all.len() => format!("all {count} fields"),
        count => format!("{count} of {} fields", all.len()),
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let (functions, values) = ALL[Stage::Captures as usize];
    let (made, alone) = ALL[Stage::Fixtures as usize];
    let _ = writeln!(
        page,
        "At least {values} values and flags of {functions} functions agree with lspci, {alone} of them, of {made} functions,\n\
         wherever there is an lspci.\n"
    );
    page.push_str("| list | ID | capability | compared with lspci, at least | worked example |\n");
    page.push_str("| --- | --- | --- | --- | --- |\n");
    let _ = writeln!(page, "| header | - | header | {} | - |", lspci("header"));
    let _ = writeln!(page, "| both | - | which capabilities there are, and where | {} | - |", lspci("list"));
    let mut all: Vec<_> = catalogue::all().collect();
    all.sort_by_key(|s| (s.list == List::Extended, s.id));
    for specification in all {
        let (list, digits) =
            if specification.list == List::Standard { ("standard", 4) } else { ("extended", 6) };
        let decoded = specification.layout.is_some();
        let key = specification.key;
        let name =
            if decoded { format!("[{key}](registers.md#{key})") } else { format!("{key}, not decoded") };
        let id = specification.id;
        let example = example(specification);
        let _ = writeln!(page, "| {list} | {id:#0digits$x} | {name} | {} | {example} |", lspci(key));
    }
    page.push_str("\n## Where the two say different things\n\n`*` is anything.\n\n");
    page.push_str(
        "| capability | what | lspci | pciscope | why | only in |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for d in DIFFERENCES {
        let cells = [d.capability, d.item, d.theirs, d.ours, d.reason, d.source];
        let _ = writeln!(page, "| {} |", cells.map(cell).join(" | "));
    }
    page.push_str("\n## What lspci calls otherwise\n\nThe values are compared.\n\n");
    page.push_str("| register | lspci | pciscope | why |\n| --- | --- | --- | --- |\n");
    for n in NAMES {
        let _ = writeln!(page, "| {} |", [n.register, n.theirs, n.ours, n.reason].map(cell).join(" | "));
    }
    page.push_str("\n## What lspci prints and nothing is compared with\n\n");
    page.push_str("| capability | line | text | why |\n| --- | --- | --- | --- |\n");
    for l in LEFT_OUT {
        let text = if l.text.is_empty() { "the whole line" } else { l.text };
        let _ = writeln!(page, "| {} |", [l.capability, l.line, text, l.reason].map(cell).join(" | "));
    }
    page.push_str("\n## What lspci does not read to its end\n\n| source | why |\n| --- | --- |\n");
    for r in REFUSED {
        let _ = writeln!(page, "| {} |", [r.source, r.reason].map(cell).join(" | "));
    }
    page
}

/// Text that a cell of a table can hold.
fn cell(text: &str) -> String {
    let text = text.replace('|', "\\|").replace('<', "&lt;").replace("*", "\\*");
    if text.trim().is_empty() { "-".to_owned() } else { text.trim().to_owned() }
}

#[test]
fn the_page_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/parity.md");
    let page = page();
    if std::env::var("SNAPSHOTS").is_ok_and(|v| v == "overwrite") {
        std::fs::write(&file, &page).expect("docs can be written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == page, "docs/parity.md is not what the tests go by; see the head of this file");
}

/// What no lspci decodes has a worked example.
#[test]
fn nothing_is_without_proof() {
    let compared = |key: &str| KEYS.iter().any(|(known, floors)| *known == key && floors[2].1 > 1);
    let worked: BTreeSet<&str> = examples().map(|example| example.key).collect();
    let decoded = catalogue::DECODED.iter().map(|s| s.key);
    let without: Vec<&str> = decoded.filter(|key| !compared(key) && !worked.contains(key)).collect();
    assert!(without.is_empty(), "neither compared with lspci nor worked out by hand: {without:?}");
}
