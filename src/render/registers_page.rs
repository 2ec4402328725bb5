//! `docs/registers.md`: every capability with its registers and fields.

use crate::inspect::explain::{RegisterExplanation, everything};
use crate::pci::walk::List;

/// The whole page.
pub fn page() -> String {
    let mut out = String::from(
        "# Registers\n\n\
         Generated from the register tables; `SNAPSHOTS=overwrite cargo test --test schema` writes it anew.\n\
         `pciscope explain PATH` prints the same for one of them. `[i]` stands for an index that counts from 0.\n\
         Section numbers are those of the PCI Express Base Specification 6.2 unless another is named.\n\n",
    );
    let all = everything();
    out.push_str("| list | ID | path | capability | decoded |\n| --- | --- | --- | --- | --- |\n");
    for (capability, registers) in &all {
        let list = match capability.list {
            None => "header",
            Some(List::Standard) => "standard",
            Some(List::Extended) => "extended",
        };
        let count = match registers.len() {
            0 if capability.not_decoded.is_none() => "no registers".to_owned(),
            0 => "not decoded".to_owned(),
            1 => "1 register".to_owned(),
            count => format!("{count} registers"),
        };
        let decoded = match capability.not_decoded {
            Some(why) => format!("{count}: {why}"),
            None => count,
        };
        let id = capability.id.as_deref().unwrap_or("-");
        let name = match registers.is_empty() {
            true => capability.path.clone(),
            false => format!("[{}](#{})", capability.path, capability.path),
        };
        out.push_str(&format!("| {list} | {id} | {name} | {} | {decoded} |\n", capability.name));
    }
    for (capability, registers) in all.iter().filter(|(_, r)| !r.is_empty()) {
        out.push_str(&format!("\n## {}\n\n{}, {}.\n", capability.path, capability.name, capability.section));
        let not_decoded =
            capability.not_decoded.map(|why| format!("\nNot decoded: {why}. It is shown raw.\n"));
        out.extend(not_decoded);
        for text in &capability.not_read {
            out.push_str(&format!("\nNot read: {text}.\n"));
        }
        for register in registers {
            out.push_str(&self::register(register));
        }
    }
    out
}

fn register(r: &RegisterExplanation) -> String {
    let mut out = format!(
        "\n### {}\n\n{} {}; offset {:#x}, {} bytes; {}.\n",
        r.path,
        escape(&r.text),
        escape(r.short),
        r.offset,
        r.width,
        r.section
    );
    if r.fields.is_empty() {
        return out;
    }
    out.push_str(
        "\n| bits | field | lspci | access | value | what |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for f in &r.fields {
        let (high, low) = f.bits;
        let bits = if high == low { high.to_string() } else { format!("{high}:{low}") };
        let key = f.path.rsplit('.').next().unwrap_or(&f.path);
        out.push_str(&format!(
            "| {bits} | {key} | {} | {} | {} | {} |\n",
            escape(f.short),
            f.access,
            escape(&f.value),
            escape(&f.text)
        ));
    }
    out
}

/// Text that Markdown leaves alone in a table.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('>', "&gt;")
}
