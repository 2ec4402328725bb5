//! `explain`: what a capability, register or field is, out of the register tables; what a log line is, out of those of
//! `kernel_log/`.

use crate::inspect::capability_name;
use crate::inspect::explain_log::{
    self, EventExplanation, LineExplanation, RmInitExplanation, SxidExplanation, XidExplanation,
};
use crate::inspect::explain_packet::{PacketExplanation, packet_explanation};
use crate::inspect::explain_verdict::{VerdictExplanation, verdict};
use crate::inspect::suggest::Known;
use crate::inspect::value::text_value;
use crate::pci::catalogue;
use crate::pci::decode::Specification;
use crate::pci::extended::dvsec;
use crate::pci::header;
use crate::pci::left_out;
use crate::pci::register::{Access, Field, Meaning, Quantity, Register};
use crate::pci::walk::List;
use crate::simulate::fault;

/// Answer of `explain`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Explain {
    /// Everything that the name stands for.
    pub matches: Vec<Explanation>,
}

/// One thing explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Explanation {
    /// A capability.
    Capability(CapabilityExplanation),
    /// A register.
    Register(RegisterExplanation),
    /// A field.
    Field(FieldExplanation),
    /// A check.
    Check(super::check::CheckExplanation),
    /// A logged packet.
    Packet(PacketExplanation),
    /// A fault that can be simulated.
    Fault(FaultExplanation),
    /// A verdict of `diagnose`.
    Verdict(VerdictExplanation),
    /// A kind of event in the kernel log.
    LogEvent(EventExplanation),
    /// An Xid of NVIDIA's driver.
    Xid(XidExplanation),
    /// An SXid of NVIDIA's driver: an error of an NVSwitch.
    Sxid(SxidExplanation),
    /// The numbers of `RmInitAdapter failed!`.
    RmInitAdapter(RmInitExplanation),
    /// A line of a kernel log.
    LogLine(Box<LineExplanation>),
}

/// A fault explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FaultExplanation {
    /// Its name.
    pub name: &'static str,
    /// What a person would see, in paragraphs.
    pub text: Vec<String>,
    /// What it is about.
    pub on: &'static str,
    /// Capabilities that the function must have.
    pub needs: Vec<&'static str>,
    /// The diagnosis that is right for it.
    pub verdict: &'static str,
    /// What it can be told.
    pub parameters: Vec<FaultParameter>,
}

/// What a fault can be told.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FaultParameter {
    /// Its name.
    pub name: &'static str,
    /// What it holds, and what is assumed.
    pub values: String,
    /// What it means.
    pub text: String,
}

/// A capability explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct CapabilityExplanation {
    /// First part of its dotted paths.
    pub path: String,
    /// Name in the words of the specification.
    pub name: &'static str,
    /// Which list it is on; `null` for the header.
    pub list: Option<List>,
    /// Capability ID; `null` for the header.
    pub id: Option<String>,
    /// Where it is specified.
    pub section: &'static str,
    /// Whether its registers are decoded.
    pub decoded: bool,
    /// Its registers, by dotted path.
    pub registers: Vec<String>,
    /// Why nothing, or not all, of it is decoded; what is not is shown raw.
    pub not_decoded: Option<&'static str>,
    /// What of it is not read, because that would take a write or do something.
    pub not_read: Vec<&'static str>,
    /// What vendors use it for, as far as that is known.
    pub kinds: Vec<KindExplanation>,
}

/// What a vendor uses a Designated Vendor-Specific Extended Capability for.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct KindExplanation {
    /// ID of the vendor who defined it.
    pub vendor_id: String,
    /// The vendor's short name.
    pub vendor: &'static str,
    /// DVSEC ID.
    pub id: String,
    /// Name in the words of the specification.
    pub name: &'static str,
    /// Where it is specified.
    pub section: &'static str,
}

/// A register explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct RegisterExplanation {
    /// Dotted path; `[i]` stands for the index of a repeated group.
    pub path: String,
    /// Short name, as lspci or the kernel write it.
    pub short: &'static str,
    /// Offset in the capability (the first, if it repeats), in bytes.
    pub offset: u16,
    /// Width in bytes.
    pub width: u8,
    /// Where it is specified.
    pub section: &'static str,
    /// What it is for.
    pub text: String,
    /// Its fields.
    pub fields: Vec<FieldExplanation>,
}

/// A field explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FieldExplanation {
    /// Dotted path.
    pub path: String,
    /// Short name, as lspci or the kernel write it.
    pub short: &'static str,
    /// Short name of its register.
    pub register_short: &'static str,
    /// Highest and lowest bit.
    pub bits: (u8, u8),
    /// What software may do to it.
    pub access: &'static str,
    /// Where its register is specified.
    pub section: &'static str,
    /// What it is.
    pub text: String,
    /// How its value is to be understood.
    pub value: String,
    /// What is usual.
    pub normal: &'static str,
}

/// All capabilities with the header in front, as (key, name, list and ID, section, registers).
fn capabilities() -> impl Iterator<Item = Source> {
    let header = Source {
        key: "header",
        name: "Header",
        specification: None,
        section: "PCIe 6.2, 7.5.1",
        registers: header::REGISTERS,
    };
    std::iter::once(header).chain(catalogue::all().map(|s| Source {
        key: s.key,
        name: s.name,
        specification: Some(s),
        section: s.section,
        registers: s.registers,
    }))
}

#[derive(Clone, Copy)]
struct Source {
    key: &'static str,
    name: &'static str,
    specification: Option<&'static Specification>,
    section: &'static str,
    registers: &'static [&'static Register],
}

/// Path of a register, with `[i]` for the index of every repeated group that it is in.
fn register_path(key: &str, register: &Register) -> String {
    let groups = register.within.into_iter().chain(register.group);
    let groups: String = groups.map(|group| format!("{group}[i].")).collect();
    format!("{key}.{groups}{}", register.key)
}

/// Everything that a name stands for: a check, a field, an Xid, RmInitAdapter's numbers, a kind of event, a line of a log, a logged
/// packet header. `field:` or `log:` before it picks one kind of thing.
pub fn explain(name: &str) -> Explain {
    let (fields, log) = match name.split_once(':') {
        Some(("field", rest)) => return fields(rest),
        Some(("fault", rest)) => {
            return Explain { matches: explain_fault(rest).map(Explanation::Fault).into_iter().collect() };
        }
        Some(("check", rest)) => return Explain { matches: check(rest) },
        Some(("verdict", rest)) => {
            return Explain { matches: verdict(rest).map(Explanation::Verdict).into_iter().collect() };
        }
        Some(("log", rest)) => (Vec::new(), rest.trim_start()),
        _ => (fields(name).matches, name),
    };
    let mut matches = check(name);
    matches.extend(fields);
    matches.extend(verdict(name).map(Explanation::Verdict));
    matches.extend(explain_fault(name).map(Explanation::Fault));
    matches.extend(explain_log::event(log).into_iter().map(Explanation::LogEvent));
    matches.extend(explain_log::xid(log).map(Explanation::Xid));
    matches.extend(explain_log::sxid(log).map(Explanation::Sxid));
    if matches.is_empty() {
        matches.extend(explain_log::line(log).map(Box::new).map(Explanation::LogLine));
        matches.extend(packet_explanation(log).map(Explanation::Packet));
    }
    if matches.is_empty() {
        matches.extend(explain_log::rm_init(log).map(Explanation::RmInitAdapter));
    }
    Explain { matches }
}

/// What the register tables call so. Capabilities first, by the start of their paths, their names and abbreviations, and their
/// IDs; then registers and fields: a dotted path with or without indices, a repeated group, the end of a path, a short
/// name, if need be in other letter case, or the name in words.
fn fields(name: &str) -> Explain {
    let wanted = without_indices(name.trim());
    let mut matches: Vec<Explanation> = capabilities()
        .filter(|source| called(*source, &wanted))
        .map(|source| Explanation::Capability(capability(source)))
        .collect();
    matches.extend(registers_and_fields(&wanted));
    Explain { matches }
}

/// Whether a capability is called so.
fn called(source: Source, name: &str) -> bool {
    match source.specification {
        Some(specification) => capability_name::is_name_of(specification, name),
        None => source.key.eq_ignore_ascii_case(name),
    }
}

fn registers_and_fields(wanted: &str) -> Vec<Explanation> {
    let matches = named(wanted, |text| text == wanted);
    if !matches.is_empty() {
        return matches;
    }
    let matches = named(&wanted.to_lowercase(), |text| text.eq_ignore_ascii_case(wanted));
    if !matches.is_empty() || wanted.len() > LONGEST_NAME {
        return matches;
    }
    // "Link Capabilities 2" is `link_capabilities_2`.
    let words = capability_name::underscored(wanted);
    if words == wanted || words.is_empty() { matches } else { named(&words, |text| text == words) }
}

/// Most bytes of a name in words; what is longer is a line of a log.
const LONGEST_NAME: usize = 100;

/// Whether the register tables have a capability, register or field at this path, or one with this short name.
pub fn is_path(name: &str) -> bool {
    let wanted = without_indices(name);
    let key = |source: Source| source.key.eq_ignore_ascii_case(&wanted);
    capabilities().any(key) || !registers_and_fields(&wanted).is_empty()
}

/// Registers and fields that a name stands for. `same` says whether a text is the name; `wanted` is the name as paths are written.
fn named(wanted: &str, same: impl Fn(&str) -> bool) -> Vec<Explanation> {
    let (end, below) = (format!(".{wanted}"), format!("{wanted}."));
    let mut exact = Vec::new();
    let mut partial = Vec::new();
    for source in capabilities() {
        for register in source.registers {
            let plain = without_indices(&register_path(source.key, register));
            let shorts = [register.short.to_owned(), format!("{}.{}", source.key, register.short)];
            let in_group = wanted.contains('.') && plain.starts_with(&below);
            if same(&plain) || same(&shorts[1]) || in_group {
                exact.push(Explanation::Register(register_explanation(source, register)));
            } else if same(&shorts[0]) || plain.ends_with(&end) {
                partial.push(Explanation::Register(register_explanation(source, register)));
            }
            for field in register.fields {
                let path = format!("{plain}.{}", field.key);
                let by_short = [&plain, &shorts[0], &shorts[1]].map(|r| format!("{r}.{}", field.short));
                if same(&path) || by_short.iter().any(|short| same(short)) {
                    exact.push(Explanation::Field(field_explanation(source, register, field)));
                } else if same(field.short) || path.ends_with(&end) {
                    partial.push(Explanation::Field(field_explanation(source, register, field)));
                }
            }
        }
    }
    if exact.is_empty() { partial } else { exact }
}

/// The check of that name.
pub fn check(name: &str) -> Vec<Explanation> {
    let checks = super::check::explanations().into_iter();
    checks.filter(|check| check.id == name).map(Explanation::Check).collect()
}

/// The fault of that name, if there is one.
pub fn explain_fault(name: &str) -> Option<FaultExplanation> {
    let found = fault::all().find(|f| f.name == name)?;
    // An empty line separates paragraphs; the compiler leaves the space behind each `///`.
    let text = found.doc.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let paragraphs = text.split("\n\n").map(|p| p.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    Some(FaultExplanation {
        name: found.name,
        text: paragraphs,
        on: match found.on {
            fault::Target::Machine => "the machine",
            fault::Target::Function => "a function",
            fault::Target::Linked => "a function with a link to a port above it",
            fault::Target::Port => "a port with something below it",
        },
        needs: found.needs.to_vec(),
        verdict: found.verdict,
        parameters: found.parameters.iter().map(fault_parameter).collect(),
    })
}

fn fault_parameter(parameter: &fault::Parameter) -> FaultParameter {
    use fault::ParameterKind;
    let values = match parameter.kind {
        ParameterKind::Number(assumed) => format!("a number, {assumed} if it is not given"),
        ParameterKind::Choice(words) => {
            format!("{}; the first if it is not given", words.join(", "))
        }
        ParameterKind::Flag(assumed) => format!("true or false, {assumed} if it is not given"),
        ParameterKind::Text(assumed) => format!("text, \"{assumed}\" if it is not given"),
        ParameterKind::Words(assumed) => format!("a list of words, {assumed:?} if it is not given"),
    };
    let text = parameter.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    FaultParameter { name: parameter.name, values, text }
}

/// Everything that can be explained, for suggestions: paths and kinds of events, each with the other names that it is known
/// by.
pub fn names() -> Vec<Known> {
    let event = |name: &str| Known { path: name.to_owned(), others: Vec::new() };
    let mut names: Vec<Known> = fault::all().map(|f| event(f.name)).collect();
    names.extend(crate::check::registry::all().map(|c| event(c.id)));
    names.extend(crate::diagnosis::Verdict::ALL.iter().map(|v| event(v.name())));
    names.extend(explain_log::identifiers().map(event));
    for source in capabilities() {
        let others = capability_name::abbreviations(source.key);
        let others = others.iter().copied().chain([source.name]).map(str::to_owned).collect();
        names.push(Known { path: source.key.to_owned(), others });
        for register in source.registers {
            let path = register_path(source.key, register);
            names.extend(register.fields.iter().map(|field| Known {
                path: format!("{path}.{}", field.key),
                others: vec![field.short.to_owned(), format!("{}.{}", register.short, field.short)],
            }));
            names.push(Known { path, others: vec![register.short.to_owned()] });
        }
    }
    names
}

/// `vsec[1].header` and `rebar.entry[i].control` without what is in brackets.
fn without_indices(path: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for letter in path.chars() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            letter if !inside => out.push(letter),
            _ => {}
        }
    }
    out
}

fn capability(source: Source) -> CapabilityExplanation {
    CapabilityExplanation {
        path: source.key.to_owned(),
        name: source.name,
        list: source.specification.map(|s| s.list),
        id: source.specification.map(|s| match s.list {
            List::Standard => format!("{:#04x}", s.id),
            List::Extended => format!("{:#06x}", s.id),
        }),
        section: source.section,
        decoded: !source.registers.is_empty(),
        registers: source.registers.iter().map(|r| register_path(source.key, r)).collect(),
        not_decoded: left_out::why_not_decoded(source.key),
        not_read: left_out::not_read_of(source.key).map(|row| row.text).collect(),
        kinds: match source.key == dvsec::SPECIFICATION.key {
            true => dvsec::KINDS.iter().map(kind).collect(),
            false => Vec::new(),
        },
    }
}

fn kind(kind: &dvsec::Kind) -> KindExplanation {
    KindExplanation {
        vendor_id: super::hex4(kind.vendor_id),
        vendor: kind.vendor,
        id: super::hex4(kind.id),
        name: kind.name,
        section: kind.section,
    }
}

/// Everything about every capability, in the order of the lists: what `docs/registers.md` is made of.
pub fn everything() -> Vec<(CapabilityExplanation, Vec<RegisterExplanation>)> {
    let mut all: Vec<Source> = capabilities().collect();
    all.sort_by_key(|s| s.specification.map(|s| (s.list, s.id)));
    all.into_iter()
        .map(|s| (capability(s), s.registers.iter().map(|r| register_explanation(s, r)).collect()))
        .collect()
}

fn register_explanation(source: Source, register: &'static Register) -> RegisterExplanation {
    RegisterExplanation {
        path: register_path(source.key, register),
        short: register.short,
        offset: register.offset,
        width: register.width,
        section: register.section,
        text: tidy(register.doc),
        fields: register.fields.iter().map(|f| field_explanation(source, register, f)).collect(),
    }
}

fn field_explanation(source: Source, register: &Register, field: &Field) -> FieldExplanation {
    FieldExplanation {
        path: format!("{}.{}", register_path(source.key, register), field.key),
        short: field.short,
        register_short: register.short,
        bits: (field.high, field.low),
        access: access(field.access),
        section: register.section,
        text: tidy(field.doc),
        value: value(field),
        normal: normal(field),
    }
}

/// Doc comments as running text.
fn tidy(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What software may do to a field (PCIe 6.2, 7.4).
fn access(access: Access) -> &'static str {
    match access {
        Access::Ro => "read-only",
        Access::Ros => "read-only, keeps its value through a hot reset",
        Access::HwInit => "set by hardware or firmware at start, then read-only",
        Access::Rw => "read-write",
        Access::Rws => "read-write, keeps its value through a hot reset",
        Access::Rw1c => "writing 1 clears it",
        Access::Rw1cs => "writing 1 clears it; keeps its value through a hot reset",
        Access::Wo => "writing 1 starts something; reads as 0",
    }
}

fn value(field: &Field) -> String {
    match field.meaning {
        Meaning::Flag => "yes (1) or no (0)".to_owned(),
        Meaning::Number => "a number".to_owned(),
        Meaning::Hex => "a number, shown in hexadecimal".to_owned(),
        Meaning::Unit(unit) => format!("a number of {unit}"),
        Meaning::Choice(names) => {
            names.iter().map(|(n, word)| format!("{n} {word}")).collect::<Vec<_>>().join("; ")
        }
        Meaning::ChoiceWhen(_, names) => {
            let words: Vec<String> = names.iter().map(|(n, word)| format!("{n} {word}")).collect();
            format!("{}; none where other bits of the register say that it means nothing", words.join("; "))
        }
        Meaning::Quantity(quantity) if field.high - field.low < 4 => {
            let reserved = |q| {
                matches!(q, Quantity::Reserved | Quantity::Speed(None) | Quantity::Width(None))
                    || matches!(
                        q,
                        Quantity::Bytes(None) | Quantity::Nanoseconds(None) | Quantity::Milliwatts(None)
                    )
            };
            let all =
                (0..1u64 << (field.high - field.low + 1)).filter(|encoding| !reserved(quantity(*encoding)));
            all.map(|e| format!("{e} {}", text_value(field, field.insert(0, e))))
                .collect::<Vec<_>>()
                .join("; ")
        }
        Meaning::Quantity(_) => "encoded; shown with its unit".to_owned(),
        Meaning::OfRegister(_) => "encoded with other fields of the register; shown with its unit".to_owned(),
    }
}

/// What is usual, as far as the kind of field alone tells.
fn normal(field: &Field) -> &'static str {
    match (field.access, field.meaning) {
        (Access::Rw1c | Access::Rw1cs, Meaning::Flag) => {
            "0; a 1 stays until software clears it, so it may be old: compare two readings"
        }
        (Access::Rw1c | Access::Rw1cs, _) => "0 unless something happened since software cleared it",
        (Access::Wo, _) => "0",
        (Access::Ro | Access::HwInit, Meaning::Flag) => {
            "fixed by hardware or firmware; neither is wrong by itself"
        }
        (Access::Ro | Access::HwInit | Access::Ros, _) => "set by hardware or firmware",
        (Access::Rw | Access::Rws, _) => "set by firmware or the kernel",
    }
}
