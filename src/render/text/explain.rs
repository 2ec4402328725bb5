//! `explain` as text.

use crate::inspect::explain::{
    CapabilityExplanation, Explain, Explanation, FaultExplanation, FieldExplanation, RegisterExplanation,
};
use crate::inspect::explain_packet::PacketExplanation;
use crate::inspect::explain_verdict::VerdictExplanation;
use crate::pci::walk::List;

use super::super::style::{Style, Tone, paragraph};
use super::explain_log;

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
            Explanation::Packet(p) => packet(p, style),
            Explanation::Fault(f) => fault(f, style),
            Explanation::Verdict(v) => verdict(v, style),
            Explanation::LogEvent(e) => explain_log::event(e, style),
            Explanation::Xid(x) => explain_log::xid(x, style),
            Explanation::Sxid(s) => explain_log::sxid(s, style),
            Explanation::RmInitAdapter(r) => explain_log::rm_init(r, style),
            Explanation::LogLine(l) => explain_log::line(l, style),
        })
        .collect();
    pages.join("\n")
}

pub(super) fn heading(path: &str, what: &str, style: Style) -> String {
    format!("{}  {what}\n", style.paint(Tone::Heading, path))
}

pub(super) fn row(out: &mut String, label: &str, text: &str, style: Style) {
    // One space at least, behind however long a label.
    paragraph(out, &format!("  {label} "), text, 16, style);
}

fn capability(c: &CapabilityExplanation, style: Style) -> String {
    let mut out = heading(&c.path, &format!("capability: {}", c.name), style);
    match (c.list, &c.id) {
        (Some(List::Standard), Some(id)) => row(&mut out, "found", &format!("standard list, ID {id}"), style),
        (Some(List::Extended), Some(id)) => row(&mut out, "found", &format!("extended list, ID {id}"), style),
        _ => row(&mut out, "found", "the first 64 bytes of configuration space", style),
    }
    row(&mut out, "specified", c.section, style);
    if let Some(why) = c.not_decoded {
        row(&mut out, "not decoded", why, style);
    }
    for text in &c.not_read {
        row(&mut out, "not read", text, style);
    }
    for kind in &c.kinds {
        let text = format!("ID {}: {} ({})", kind.id, kind.name, kind.section);
        row(&mut out, &format!("of {} {}", kind.vendor, kind.vendor_id), &text, style);
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

fn packet(p: &PacketExplanation, style: Style) -> String {
    let mut out = heading(&p.header.join(" "), "logged packet", style);
    row(&mut out, "packet", &p.text, style);
    for prefix in &p.prefix_texts {
        row(&mut out, "prefix", prefix, style);
    }
    row(&mut out, "specified", "PCIe 6.2, 2.2", style);
    out
}

fn verdict(v: &VerdictExplanation, style: Style) -> String {
    let mut out = heading(v.name, "verdict, of `pciscope diagnose`", style);
    row(&mut out, "means", v.means, style);
    row(&mut out, "level", v.level, style);
    row(&mut out, "exit status", &v.exit_status.to_string(), style);
    for rule in &v.rules {
        row(&mut out, "rule", &format!("{} ({}): {}", rule.name, rule.confidence, rule.because), style);
        let lists = [
            ("seen", &rule.seen),
            ("and", &rule.with),
            ("before", &rule.before),
            ("not", &rule.unless),
            ("not before", &rule.unless_before),
            ("not after", &rule.unless_after),
        ];
        for (label, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
            row(&mut out, &format!("  {label}"), &names.join(", "), style);
        }
        row(&mut out, "  source", rule.source, style);
    }
    out
}

fn fault(f: &FaultExplanation, style: Style) -> String {
    let mut out = heading(f.name, "fault, for `pciscope simulate`", style);
    for (place, text) in f.text.iter().enumerate() {
        row(&mut out, if place == 0 { "what" } else { "" }, text, style);
    }
    row(&mut out, "of", f.on, style);
    if !f.needs.is_empty() {
        row(&mut out, "needs", &f.needs.join(", "), style);
    }
    row(&mut out, "diagnosis", f.verdict, style);
    for parameter in &f.parameters {
        row(&mut out, parameter.name, &format!("{} ({})", parameter.text, parameter.values), style);
    }
    out
}
