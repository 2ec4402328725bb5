//! What changes by itself as time passes: interrupts are counted, and a link that flaps is now here, now there.

use std::collections::BTreeMap;

use super::document::Mistake;
use super::state::{Answer, Content, Function, Machine};

/// How long a flapping link stays as it is: a second.
const FLAP: u64 = 1_000_000;

/// Whether messages of a function reach a processor: it answers, may write to memory, has message interrupts on,
/// and nothing on the way loses them.
fn sends(function: &Function) -> bool {
    let is = |field: &str| function.config.has(field) && function.config.value(field) == 1;
    function.answer == Answer::Registers
        && function.delivers
        && is("header.command.bus_master_enable")
        && (is("msix.control.enable") && !is("msix.control.function_mask") || is("msi.control.enable"))
}

/// Notes which functions have stopped to send interrupts.
pub fn note_silence(machine: &mut Machine) {
    let now = machine.now;
    for function in machine.functions.values_mut() {
        match sends(function) {
            true => function.silent_since = None,
            false => function.silent_since = Some(function.silent_since.unwrap_or(now)),
        }
    }
}

/// Sets Link Status of links that flap to what it is at this moment.
pub fn links(machine: &mut Machine) -> Result<(), Mistake> {
    let now = machine.now;
    for function in machine.functions.values_mut() {
        if function.flapping.is_empty() || function.answer != Answer::Registers {
            continue;
        }
        // It falls when it begins to flap: that is the second of the states, the first is as it was before.
        let step = 1 + now.saturating_sub(function.flapping_since) / FLAP;
        let (speed, width) = function.flapping[(step % function.flapping.len() as u64) as usize];
        function.config.set("express.link_status.current_link_speed", speed)?;
        function.config.set("express.link_status.negotiated_link_width", width)?;
    }
    Ok(())
}

/// Counts interrupts up to this moment: each that has ever come goes on coming, a few times a second, until its function falls
/// silent.
pub fn interrupts(machine: &mut Machine) {
    let Some(Content::Bytes(bytes)) = machine.files.get("proc/interrupts") else { return };
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut seconds: BTreeMap<String, u64> = BTreeMap::new();
    for function in machine.functions.values() {
        let until = function.silent_since.map_or(machine.now, |since| since.min(machine.now)) / 1_000_000;
        let folder = format!("{}/msi_irqs/", function.folder);
        let paths = machine.files.range(folder.clone()..).take_while(|(path, _)| path.starts_with(&folder));
        seconds.extend(paths.map(|(path, _)| (path[folder.len()..].to_owned(), until)));
    }
    let lines: Vec<String> = text
        .lines()
        .map(|line| match line.split_once(':') {
            Some((number, rest)) => match seconds.get(number.trim()) {
                Some(seconds) => format!("{number}:{}", grown(rest, *seconds)),
                None => line.to_owned(),
            },
            None => line.to_owned(),
        })
        .collect();
    machine.file("proc/interrupts", format!("{}\n", lines.join("\n")));
}

/// The counts of a line after so many seconds. Counts stand in columns of eleven characters (show_interrupts in
/// kernel/irq/proc.c); a count of zero stays.
fn grown(rest: &str, seconds: u64) -> String {
    let mut out = String::new();
    let mut left = rest;
    while let Some((column, after)) = left.split_at_checked(11) {
        let Ok(count) = column.trim().parse::<u64>() else { break };
        let more = if count == 0 { 0 } else { seconds * (1 + count % 50) };
        out.push_str(&format!(" {:>10}", count + more));
        left = after;
    }
    out.push_str(left);
    out
}
