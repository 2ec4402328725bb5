//! Interrupts: what the function is set to, which Linux interrupts it got, and how often each fired.

use crate::pci::capability::{msi, msix};
use crate::pci::header::{Command, InterruptPin};
use crate::tree::{ATTRIBUTE_LIMIT, Cause, Tree, read_text};

use super::Function;

/// Most bytes of `/proc/interrupts`: 8192 lines for 1024 processors.
const INTERRUPTS_LIMIT: usize = 128 << 20;

/// Most interrupts of a function: MSI-X has no more vectors (PCIe 6.2, 7.7.2.2: Table Size).
const NUMBERS_LIMIT: usize = 2048;

/// One line of `/proc/interrupts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Linux interrupt number.
    pub number: u32,
    /// Interrupts delivered since the handler was installed, all processors together.
    pub count: u64,
    /// Processors that took at least one, and how many.
    pub per_processor: Vec<(u32, u64)>,
    /// Interrupt controller, such as `PCI-MSIX-0000:01:00.0`.
    pub chip: String,
    /// Number in that controller and trigger, such as `0-edge`.
    pub hardware: String,
    /// Names under which handlers were installed.
    pub actions: String,
}

/// Reads `/proc/interrupts`. Lines that are not of numbered interrupts are skipped.
pub fn read_interrupts(tree: &dyn Tree) -> Option<Vec<Line>> {
    let bytes = crate::tree::read(tree, "proc/interrupts", INTERRUPTS_LIMIT).ok()?;
    Some(parse(&crate::tree::printable(bytes)))
}

/// Parses the text of `/proc/interrupts`; lines come in the order of their numbers (kernel: show_interrupts in kernel/irq/proc.c): a head line with one name for
/// each processor that is online, then `number: count… chip hardware-trigger actions`.
pub fn parse(text: &str) -> Vec<Line> {
    let mut lines = text.lines();
    let processors: Vec<u32> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|name| name.strip_prefix("CPU")?.parse().ok())
        .collect();
    let mut lines: Vec<Line> = lines.filter_map(|line| parse_line(line, &processors)).collect();
    // The kernel writes them in this order; a file from elsewhere may not keep to it.
    lines.sort_by_key(|line| line.number);
    lines
}

/// The line of an interrupt.
pub fn line(lines: &[Line], number: u32) -> Option<&Line> {
    let place = lines.partition_point(|line| line.number < number);
    lines.get(place).filter(|line| line.number == number)
}

fn parse_line(line: &str, processors: &[u32]) -> Option<Line> {
    let (number, rest) = line.split_once(':')?;
    let number = number.trim().parse().ok()?;
    let mut words = rest.split_whitespace();
    let mut count = 0u64;
    let mut per_processor = Vec::new();
    for processor in processors {
        let value: u64 = words.next()?.parse().ok()?;
        count = count.saturating_add(value);
        if value > 0 {
            per_processor.push((*processor, value));
        }
    }
    let chip = words.next().unwrap_or_default().to_owned();
    let hardware = words.next().unwrap_or_default().to_owned();
    let actions = words.collect::<Vec<_>>().join(" ");
    Some(Line { number, count, per_processor, chip, hardware, actions })
}

/// Which kind of interrupt a function is set to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// MSI-X is enabled.
    MsiX,
    /// MSI is enabled.
    Msi,
    /// Neither is, the function has an interrupt pin and may assert it.
    Intx,
    /// Nothing is enabled.
    None,
}

/// MSI-X in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct MsixSummary {
    /// MSI-X is in use.
    pub enabled: bool,
    /// All vectors are masked.
    pub function_masked: bool,
    /// Number of vectors in the table: 1 to 2048.
    pub vectors: u16,
}

/// MSI in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct MsiSummary {
    /// MSI is in use.
    pub enabled: bool,
    /// Number of vectors that software enabled: 1, 2, 4, 8, 16 or 32.
    pub vectors: u16,
    /// Number of vectors that the function can use.
    pub vectors_supported: u16,
}

/// MSI-X of a function; `None` if it has none or was not read.
pub fn msix_summary(function: &Function) -> Option<MsixSummary> {
    let control: msix::Control = function.register(&msix::SPECIFICATION)?;
    Some(MsixSummary {
        enabled: control.enable(),
        function_masked: control.function_mask(),
        vectors: control.vectors(),
    })
}

/// MSI of a function; `None` if it has none or was not read.
pub fn msi_summary(function: &Function) -> Option<MsiSummary> {
    let control: msi::Control = function.register(&msi::SPECIFICATION)?;
    Some(MsiSummary {
        enabled: control.enable(),
        vectors: 1 << control.multiple_message_enable().min(5),
        vectors_supported: 1 << control.multiple_message_capable().min(5),
    })
}

/// What the function is set to; `None` if its capabilities were not read.
pub fn mode(function: &Function) -> Option<Mode> {
    let command: Command = function.header()?;
    if msix_summary(function).is_some_and(|m| m.enabled) {
        return Some(Mode::MsiX);
    }
    if msi_summary(function).is_some_and(|m| m.enabled) {
        return Some(Mode::Msi);
    }
    // One of them could be on the part of the list that was not read.
    if !function.standard_list_known() {
        return None;
    }
    let pin: InterruptPin = function.header()?;
    Some(if pin.pin() != 0 && !command.interrupt_disable() { Mode::Intx } else { Mode::None })
}

/// The interrupt pin of a function, `A` to `D`; `None` if it has none, or holds a reserved value, or was not read
/// (PCIe 6.2, 7.5.1.1.13).
pub fn pin(function: &Function) -> Option<char> {
    let pin: InterruptPin = function.header()?;
    Some(match pin.pin() {
        1 => 'A',
        2 => 'B',
        3 => 'C',
        4 => 'D',
        _ => return None,
    })
}

/// Whether Linux's numbers of the function's interrupts are known, so that what is not among them is not there.
pub fn numbers_known(function: &Function) -> bool {
    matches!(function.reading.answer("msi_irqs"), Some(Ok(_) | Err(Cause::Errno(nix::errno::Errno::ENOENT))))
}

/// One Linux interrupt of a function.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct LinuxInterrupt {
    /// Linux interrupt number.
    pub number: u32,
    /// Which vector of the function it is, where the kernel tells.
    pub vector: Option<u16>,
    /// `msi` or `msix` for message interrupts, `intx` for the pin.
    pub kind: &'static str,
    /// Interrupts delivered, all processors together; `null` where `/proc/interrupts` has no line (no handler).
    pub count: Option<u64>,
    /// Processors that took at least one: number and count.
    pub per_processor: Vec<(u32, u64)>,
    /// Names of the handlers.
    pub actions: Option<String>,
    /// Processors that may be interrupted (`smp_affinity_list`).
    pub affinity: Option<String>,
    /// Processor that is interrupted now (`effective_affinity_list`).
    pub effective_affinity: Option<String>,
    /// The message that Linux believes it wrote (debugfs): address and data.
    pub message: Option<LinuxMessage>,
}

/// A message as the kernel's debugfs shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct LinuxMessage {
    /// Message address.
    pub address: u64,
    /// Message data.
    pub data: u32,
}

/// Linux's numbers of the function's interrupts, and whether they are message interrupts.
pub fn numbers(function: &Function) -> (Vec<u32>, bool) {
    let mut numbers = message_numbers(function.reading.text("msi_irqs").unwrap_or_default());
    let messages = !numbers.is_empty();
    if !messages {
        // Without message interrupts, `irq` is that of the pin; 0 and 255 stand for none.
        numbers.extend(
            function.reading.text("irq").and_then(|t| t.parse().ok()).filter(|n| !matches!(n, 0 | 255)),
        );
    }
    (numbers, messages)
}

/// The names in `msi_irqs`, in the order of their numbers, no more than a function can have.
fn message_numbers(listed: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = listed.lines().filter_map(|n| n.parse().ok()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(NUMBERS_LIMIT);
    numbers
}

/// The function's interrupts as Linux sees them. `lines` is `/proc/interrupts`, read once for all functions.
pub fn linux_interrupts(tree: &dyn Tree, function: &Function, lines: Option<&[Line]>) -> Vec<LinuxInterrupt> {
    let (numbers, messages) = numbers(function);
    let folder = messages.then(|| tree.enter(&format!("{}/{}", super::reading::DEVICES, function.address)));
    let folder = folder.and_then(Result::ok);
    numbers
        .iter()
        .enumerate()
        .map(|(place, number)| {
            let line = lines.and_then(|lines| line(lines, *number));
            let kind = if messages { message_kind(folder.as_deref(), function, *number) } else { "intx" };
            LinuxInterrupt {
                number: *number,
                vector: messages.then(|| vector(line, place)).flatten(),
                kind,
                count: line.map(|l| l.count),
                per_processor: line.map(|l| l.per_processor.clone()).unwrap_or_default(),
                actions: line.map(|l| l.actions.clone()).filter(|a| !a.is_empty()),
                affinity: read_text(tree, &format!("proc/irq/{number}/smp_affinity_list")).ok(),
                effective_affinity: read_text(tree, &format!("proc/irq/{number}/effective_affinity_list"))
                    .ok()
                    .filter(|t| !t.is_empty()),
                message: message(tree, *number),
            }
        })
        .collect()
}

fn message_kind(folder: Option<&dyn Tree>, function: &Function, number: u32) -> &'static str {
    let text = folder.and_then(|folder| read_text(folder, &format!("msi_irqs/{number}")).ok());
    match text.as_deref() {
        Some("msix") => "msix",
        Some("msi") => "msi",
        _ if msix_summary(function).is_some_and(|m| m.enabled) => "msix",
        _ => "msi",
    }
}

/// Which vector an interrupt is. From kernel 6.2 on the hardware number of a per-device domain is the index; before,
/// its low 11 bits are (kernel: pci_msi_domain_calc_hwirq in drivers/pci/msi/irqdomain.c). Without a line in
/// `/proc/interrupts` the numbers, which are allocated in ascending order, tell only if the kernel's table is complete.
fn vector(line: Option<&Line>, place: usize) -> Option<u16> {
    match line {
        Some(line) if line.chip.contains("MSI") => {
            let digits: String = line.hardware.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u64>().ok().map(|number| (number & 0x7ff) as u16)
        }
        Some(_) => u16::try_from(place).ok(),
        None => None,
    }
}

/// debugfs shows the message of an interrupt since kernel 6.14 or so (kernel/irq/msi.c: msi_domain_debug_show), where
/// it is built with GENERIC_IRQ_DEBUGFS.
fn message(tree: &dyn Tree, number: u32) -> Option<LinuxMessage> {
    let bytes =
        crate::tree::read(tree, &format!("sys/kernel/debug/irq/irqs/{number}"), ATTRIBUTE_LIMIT).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let value = |key: &str| {
        let rest = text.split_once(key)?.1.trim_start_matches([':', ' ']);
        let digits = rest.strip_prefix("0x").unwrap_or(rest);
        let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
        u64::from_str_radix(&digits[..end], 16).ok()
    };
    let address = value("address_hi")? << 32 | value("address_lo")?;
    Some(LinuxMessage { address, data: value("msg_data")? as u32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_old_and_new_lines() {
        let text = "           CPU0       CPU2       \n  0:        103          0   IO-APIC   2-edge      timer\n 24:          0          7  PCI-MSIX-0000:00:01.0   3-edge      PCIe PME, aerdrv\n 31:          1          0   PCI-MSI 524293-edge      nvme0q5\nNMI:          0          0   Non-maskable interrupts\n 99: 1\n";
        let lines = parse(text);
        assert_eq!(lines.len(), 3);
        assert_eq!(
            (lines[1].number, lines[1].count, lines[1].per_processor.as_slice()),
            (24, 7, &[(2, 7)][..])
        );
        assert_eq!(lines[1].actions, "PCIe PME, aerdrv");
        assert_eq!(vector(Some(&lines[1]), 0), Some(3));
        assert_eq!(vector(Some(&lines[2]), 0), Some(5), "low 11 bits of 524293");
        assert_eq!(vector(None, 0), None);
    }

    #[test]
    fn no_more_interrupts_than_vectors() {
        let listed: String = (0..70_000).rev().map(|n| format!("{n}\n")).collect();
        let expected: Vec<u32> = (0..2048).collect();
        assert_eq!(message_numbers(&listed), expected);
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends(text in "\\PC*") {
            parse(&text);
        }
    }
}
