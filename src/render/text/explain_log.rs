//! `explain` of events, Xids and log lines as text.

use crate::inspect::explain_log::{
    Action, EventExplanation, LineExplanation, RmInitExplanation, SxidExplanation, XidExplanation,
};
use crate::kernel_log::event::Value;

use super::super::style::Style;
use super::explain::{heading, row};

/// One kind of event, explained.
pub fn event(e: &EventExplanation, style: Style) -> String {
    let mut out = heading(e.id, "log event", style);
    event_rows(&mut out, e, style);
    out
}

fn event_rows(out: &mut String, e: &EventExplanation, style: Style) {
    row(out, "what", e.means, style);
    row(out, "level", e.level.name(), style);
    row(out, "from", e.source, style);
}

/// One Xid, explained.
pub fn xid(x: &XidExplanation, style: Style) -> String {
    let mut out = heading(&format!("Xid {}", x.number), x.name.unwrap_or("in no public table"), style);
    let unknown =
        "NVIDIA's catalogue and header do not describe it; what stands around it in the log is all there is";
    row(&mut out, "what", x.means.unwrap_or(unknown), style);
    row(&mut out, "level", x.level.map_or("not known", |l| l.name()), style);
    if let Some(source) = x.source {
        row(&mut out, "do now", &action(x.immediate.as_ref()), style);
        row(&mut out, "do then", &action(x.investigatory.as_ref()), style);
        row(&mut out, "from", source, style);
    }
    out
}

/// One SXid, explained.
pub fn sxid(s: &SxidExplanation, style: Style) -> String {
    let mut out = heading(&format!("SXid {}", s.number), s.name.unwrap_or("not in the table here"), style);
    let unknown = "what NVIDIA says of this number was not found; what stands in the line is all there is";
    row(&mut out, "what", s.means.as_deref().unwrap_or(unknown), style);
    row(
        &mut out,
        "unit",
        s.unit.unwrap_or("not known: which number it has depends on the version of the driver"),
        style,
    );
    row(&mut out, "level", &format!("{} (NVSwitch and NVLink, not PCI Express)", s.level.name()), style);
    if let Some(action) = s.action {
        row(&mut out, "do", action, style);
    }
    row(&mut out, "from", s.source, style);
    out
}

fn action(action: Option<&Action>) -> String {
    match action {
        None => "NVIDIA recommends nothing".to_owned(),
        Some(Action { name, text: None }) => (*name).to_owned(),
        Some(Action { name, text: Some(text) }) => format!("{text} (NVIDIA: {name})"),
    }
}

/// RmInitAdapter's numbers, explained.
pub fn rm_init(r: &RmInitExplanation, style: Style) -> String {
    let mut out = heading(&format!("RmInitAdapter failed! ({})", r.numbers), "NVIDIA", style);
    row(&mut out, "what", r.means, style);
    row(&mut out, "step", r.step.unwrap_or("not known"), style);
    row(
        &mut out,
        "reason",
        r.reason.map_or_else(|| "not known".to_owned(), |n| format!("NV_ERR_{n}")).as_str(),
        style,
    );
    let runs: Vec<String> = r
        .versions
        .iter()
        .map(|(first, last)| if first == last { (*first).to_owned() } else { format!("{first} to {last}") })
        .collect();
    let versions = match runs.is_empty() {
        true => {
            "the line fits none of the open modules known here; closed modules have other lines".to_owned()
        }
        false => format!("the line is that of a failed attach in the open modules {}", runs.join(" and ")),
    };
    row(&mut out, "version", &versions, style);
    row(&mut out, "from", r.source, style);
    out
}

/// One line of a log, explained.
pub fn line(l: &LineExplanation, style: Style) -> String {
    let mut out = heading(l.event.id, "log line", style);
    row(&mut out, "line", &l.text, style);
    if let Some(device) = &l.device {
        row(&mut out, "device", device, style);
    }
    event_rows(&mut out, &l.event, style);
    for (name, value) in &l.fields {
        row(&mut out, name, &field(value), style);
    }
    if let Some(x) = &l.xid {
        out.push('\n');
        out.push_str(&xid(x, style));
    }
    if let Some(s) = &l.sxid {
        out.push('\n');
        out.push_str(&sxid(s, style));
    }
    if let Some(r) = &l.rm_init {
        out.push('\n');
        out.push_str(&rm_init(r, style));
    }
    out
}

fn field(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Hexadecimal(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::List(items) => items.join(" "),
    }
}
