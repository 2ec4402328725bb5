//! `explain` for the kernel log: kinds of events, Xids, RmInitAdapter's numbers, single lines.

use std::collections::BTreeMap;

use crate::kernel_log::event::{Kind, Level, Value};
use crate::kernel_log::{catalogue, rm_init, stamp, sxid, without_escapes, xid};

/// A kind of event explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct EventExplanation {
    /// Its identifier.
    pub id: &'static str,
    /// What it means.
    pub means: &'static str,
    /// Where the trouble is, as far as the event alone tells.
    pub level: Level,
    /// Where its wordings were read.
    pub source: &'static str,
}

/// An Xid explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct XidExplanation {
    /// Its number.
    pub number: i64,
    /// NVIDIA's name for it; `null` if it is in no public table.
    pub name: Option<&'static str>,
    /// What it means; `null` if it is in no public table.
    pub means: Option<&'static str>,
    /// Where the trouble is; `null` if it is in no public table.
    pub level: Option<Level>,
    /// What NVIDIA recommends to do at once; `null` if nothing.
    pub immediate: Option<Action>,
    /// What NVIDIA recommends to do then; `null` if nothing.
    pub investigatory: Option<Action>,
    /// Where this is from; `null` if it is in no public table.
    pub source: Option<&'static str>,
}

/// An SXid explained: an error of an NVSwitch.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct SxidExplanation {
    /// Its number.
    pub number: i64,
    /// NVIDIA's name for it; `null` if the number is not in the table here.
    pub name: Option<&'static str>,
    /// Which part of the switch reports such numbers; `null` if that depends on the driver's version.
    pub unit: Option<&'static str>,
    /// How bad it is, and what it means; `null` if the number is not in the table here.
    pub means: Option<String>,
    /// Where the trouble is.
    pub level: Level,
    /// What NVIDIA recommends; `null` if the number is not in the table here.
    pub action: Option<&'static str>,
    /// Where this is from.
    pub source: &'static str,
}

/// A recommendation of NVIDIA's catalogue.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Action {
    /// NVIDIA's word for it.
    pub name: &'static str,
    /// The same in plain words; `null` if it speaks for itself.
    pub text: Option<&'static str>,
}

/// RmInitAdapter's numbers explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct RmInitExplanation {
    /// The three numbers as they are printed.
    pub numbers: String,
    /// The step at which it failed (RM_INIT_STATUS); `null` if the number is not known.
    pub step: Option<&'static str>,
    /// The reason (NV_STATUS); `null` if the number is not known.
    pub reason: Option<&'static str>,
    /// What both mean together.
    pub means: &'static str,
    /// Versions of NVIDIA's open kernel modules in which that line reports a failed attach: first and last of each run.
    /// Empty for other steps, other lines, and closed modules.
    pub versions: Vec<(&'static str, &'static str)>,
    /// Where this is from.
    pub source: &'static str,
}

/// A line of a log explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct LineExplanation {
    /// The message without time stamp.
    pub text: String,
    /// The function that it names.
    pub device: Option<String>,
    /// The driver in whose name it was written.
    pub driver: Option<String>,
    /// What else it says.
    pub fields: BTreeMap<&'static str, Value>,
    /// What kind of event it is.
    pub event: EventExplanation,
    /// The Xid, if it reports one.
    pub xid: Option<XidExplanation>,
    /// The SXid, if it reports one.
    pub sxid: Option<SxidExplanation>,
    /// RmInitAdapter's numbers, if it reports them.
    pub rm_init: Option<RmInitExplanation>,
}

/// A kind of event by its identifier, or by the part behind the point.
pub fn event(name: &str) -> Vec<EventExplanation> {
    let fits =
        |kind: &&Kind| kind.id == name || kind.id.split_once('.').is_some_and(|(_, event)| event == name);
    catalogue::kinds().filter(fits).map(of_kind).collect()
}

/// Every identifier of a kind.
pub fn identifiers() -> impl Iterator<Item = &'static str> {
    catalogue::kinds().map(|kind| kind.id)
}

fn of_kind(kind: &'static Kind) -> EventExplanation {
    EventExplanation { id: kind.id, means: kind.means, level: kind.level, source: kind.source }
}

/// `xid 79`, `Xid79`, `xid:79`, and `Xid (PCI:0000:82:00): 79, …`, copied without what makes it a line of the log.
pub fn xid(name: &str) -> Option<XidExplanation> {
    numbered(name, "xid").map(of_xid)
}

/// The same of SXids: `sxid 20034`.
pub fn sxid(name: &str) -> Option<SxidExplanation> {
    numbered(name, "sxid").map(of_sxid)
}

/// The number behind a word, of at most six digits.
fn numbered(name: &str, word: &str) -> Option<i64> {
    let name = String::from_utf8_lossy(&without_escapes(name.as_bytes())).trim().to_ascii_lowercase();
    let rest = name.strip_prefix(word)?;
    if let Some((_, behind)) = rest.strip_prefix(" (").and_then(|behind| behind.split_once("): ")) {
        let digits: String = behind.chars().take_while(char::is_ascii_digit).take(7).collect();
        return (1..=6).contains(&digits.len()).then(|| digits.parse().ok())?;
    }
    let number = rest.trim_start_matches([' ', ':']);
    let is_number = (1..=6).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    number.parse().ok().filter(|_| is_number)
}

fn of_sxid(number: i64) -> SxidExplanation {
    let known = sxid::of(number);
    let means = |s: &sxid::Sxid| match s.means {
        "" => s.severity.means().to_owned(),
        means => format!("{}; {means}", s.severity.means()),
    };
    SxidExplanation {
        number,
        name: known.map(|s| s.name),
        unit: sxid::unit(number),
        means: known.map(means),
        level: Level::Device,
        action: known.map(|s| if s.action.is_empty() { s.severity.action() } else { s.action }),
        source: sxid::SOURCE,
    }
}

fn of_xid(number: i64) -> XidExplanation {
    let known = xid::of(number);
    let action = |name: &'static str| (!name.is_empty()).then(|| Action { name, text: xid::action(name) });
    XidExplanation {
        number,
        name: known.map(|x| x.name),
        means: known.map(|x| x.means),
        level: known.map(|x| x.level),
        immediate: known.and_then(|x| action(x.immediate)),
        investigatory: known.and_then(|x| action(x.investigatory)),
        source: known.map(|_| xid::SOURCE),
    }
}

/// `RmInitAdapter failed! (0x22:0x56:742)` or the numbers alone.
pub fn rm_init(text: &str) -> Option<RmInitExplanation> {
    rm_init::numbers(text).map(|(step, reason, line)| of_numbers(step, reason, line))
}

fn of_numbers(step: i64, reason: i64, line: i64) -> RmInitExplanation {
    RmInitExplanation {
        numbers: format!("{step:#x}:{reason:#x}:{line}"),
        step: rm_init::step(step),
        reason: rm_init::reason(reason),
        means: rm_init::meaning(step, reason),
        // The table holds the line of a failed attach only.
        versions: if step == 0x22 { rm_init::versions_with_line(line) } else { Vec::new() },
        source: "NVIDIA open-gpu-kernel-modules, osinit.c (RmInitAdapter), nvstatuscodes.h",
    }
}

/// A message that somebody copied without its driver and device, such as `pciehp: Slot(1): Card not present`.
fn without_device(text: &str) -> Option<catalogue::Said> {
    let said = catalogue::parse(&format!("pcieport 0000:00:00.0: {text}"))?;
    Some(catalogue::Said { device: None, driver: None, ..said })
}

/// A line of a log, with or without what stands before the message.
pub fn line(text: &str) -> Option<LineExplanation> {
    let plain = without_escapes(text.as_bytes());
    let plain = String::from_utf8_lossy(&plain);
    let text: &str = &plain;
    let head = stamp::head(text);
    let said =
        catalogue::parse(head.text).or_else(|| catalogue::parse(text)).or_else(|| without_device(text))?;
    let number = |name: &str| said.fields.get(name).and_then(Value::number);
    let xid = number("xid").filter(|_| said.kind.id == "nvidia.xid").map(of_xid);
    let sxid = number("sxid").map(of_sxid);
    let rm_init = match (number("init_status"), number("rm_status"), number("source_line")) {
        (Some(step), Some(reason), Some(line)) => Some(of_numbers(step, reason, line)),
        _ => None,
    };
    Some(LineExplanation {
        text: head.text.to_owned(),
        device: said.device.map(|d| d.to_string()),
        driver: said.driver,
        fields: said.fields,
        event: of_kind(said.kind),
        xid,
        sxid,
        rm_init,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_in_part_is_explained() {
        let part = "Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off the bus.";
        assert_eq!(xid(part).map(|x| x.number), Some(79));
        assert!(xid("xid (PCI:0000:3b:00): none").is_none());
        let removed = line("pciehp: Slot(1): Card not present").unwrap();
        assert_eq!((removed.device, removed.driver), (None, None), "nobody said which");
        assert_eq!(removed.text, "pciehp: Slot(1): Card not present");
        let coloured = "\x1b[32m[    3.000001] \x1b[0m\x1b[33mNVRM: \x1b[0m\x1b[31mXid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off\x1b[0m";
        assert!(line(coloured).is_some_and(|l| l.xid.is_some() && !l.text.contains('\x1b')));
    }

    #[test]
    fn errors_of_nvswitch_are_explained_as_far_as_they_are_known() {
        for name in
            ["sxid 20034", "SXid:20034", "SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 30 LTSSM Fault Up"]
        {
            let found = sxid(name).unwrap();
            assert_eq!((found.number, found.name), (20034, Some("LTSSM Fault Up")), "{name}");
            assert!(xid(name).is_none());
        }
        let unknown = sxid("sxid 12029").unwrap();
        assert!(unknown.means.is_none() && unknown.action.is_none() && unknown.unit.is_some());
        assert!(sxid("sxid 1234567").is_none() && sxid("xid 79").is_none());
        let line = line("nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 22013, Non-fatal, Link 46 Minion Link DLREQ interrupt").unwrap();
        assert_eq!(line.sxid.and_then(|s| s.action), Some("nothing"));
    }
}
