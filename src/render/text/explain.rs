//! `explain` as text.

use crate::inspect::explain::{
    CapabilityExplanation, Explain, Explanation, FieldExplanation, RegisterExplanation,
};
use crate::pci::walk::List;

use super::super::style::{Style, Tone, paragraph};

/// Everything that a name stands for, each under a heading.
pub fn explain(answer: &Explain, style: Style) -> String {
    let pages: Vec<String> = answer
        .matches
        .iter()
        .map(|one| match one {
            Explanation::Capability(c) => capability(c, style),
            Explanation::Register(r) => register(r, style),
            Explanation::Field(f) => field(f, style),
            Explanation::Check(c) => super::check::explain(c, style),
        })
        .collect();
    pages.join("\n")
}

fn heading(path: &str, what: &str, style: Style) -> String {
    format!("{}  {what}\n", style.paint(Tone::Heading, path))
}

fn row(out: &mut String, label: &str, text: &str, style: Style) {
    paragraph(out, &format!("  {label}"), text, 16, style);
}

fn capability(c: &CapabilityExplanation, style: Style) -> String {
    let mut out = heading(&c.path, &format!("capability: {}", c.name), style);
    match (c.list, &c.id) {
        (Some(List::Standard), Some(id)) => row(&mut out, "found", &format!("standard list, ID {id}"), style),
        (Some(List::Extended), Some(id)) => row(&mut out, "found", &format!("extended list, ID {id}"), style),
        _ => row(&mut out, "found", "the first 64 bytes of configuration space", style),
    }
    row(&mut out, "specified", c.section, style);
    if !c.decoded {
        row(&mut out, "registers", "not decoded; shown raw", style);
    }
    for path in &c.registers {
        out.push_str(&format!("  {path}\n"));
    }
    out
}

fn register(r: &RegisterExplanation, style: Style) -> String {
    let mut out = heading(&r.path, &format!("register: {}", r.short), style);
    row(&mut out, "what", &r.text, style);
    row(&mut out, "where", &format!("offset {:#x}, {} bytes", r.offset, r.width), style);
    row(&mut out, "specified", r.section, style);
    for field in &r.fields {
        let bits = bits(field.bits);
        out.push_str(&format!("  {bits:>6}  {}  ({})\n", field.path, field.short));
    }
    out
}

fn bits((high, low): (u8, u8)) -> String {
    if high == low { high.to_string() } else { format!("{high}:{low}") }
}

fn field(f: &FieldExplanation, style: Style) -> String {
    let mut out = heading(&f.path, "field", style);
    row(&mut out, "what", &f.text, style);
    row(&mut out, "bits", &bits(f.bits), style);
    row(&mut out, "access", f.access, style);
    row(&mut out, "value", &f.value, style);
    row(&mut out, "normal", f.normal, style);
    row(&mut out, "lspci, kernel", &format!("{} in {}", f.short, f.register_short), style);
    row(&mut out, "specified", f.section, style);
    out
}
