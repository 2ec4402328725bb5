//! Whatever a log says, in whatever order and at whatever times: a diagnosis ends, points at lines that are there, and its work
//! grows as the log does.

use std::sync::LazyLock;

use proptest::prelude::*;
use regex::Regex;

use pciscope::diagnosis::{Sources, diagnose};
use pciscope::inspect::diagnose::{Diagnose, diagnose as answer};
use pciscope::kernel_log::Log;
use pciscope::kernel_log::source::events_of;
use pciscope::names::Names;
use pciscope::render::style::Style;
use pciscope::render::text;

/// Lines of every pattern that is known.
static SAMPLES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let text = include_str!("../kernel-log-patterns.json");
    let patterns: serde_json::Value = serde_json::from_str(text).unwrap();
    let samples =
        patterns.as_array().unwrap().iter().flat_map(|pattern| pattern["samples"].as_array().unwrap());
    samples.map(|sample| sample.as_str().unwrap().to_owned()).collect()
});

/// Few addresses, so that lines speak of the same device, of a port above it, and of its other function.
const ADDRESSES: [&str; 6] =
    ["0000:00:01.0", "0000:01:00.0", "0000:01:00.1", "0000:02:00.0", "0000:64:00.0", "10000:e1:00.0"];

/// More lines, which say what is above what and what came back, and some that no catalogue has.
const MORE: [&str; 14] = [
    "pci 0000:00:01.0: PCI bridge to [bus 01-02]",
    "pci 0000:01:00.0: [10de:2330] type 00 class 0x030200",
    "nvme nvme0: pci function 0000:02:00.0",
    "nvme nvme0: 32/0/0 default/read/poll queues",
    "pcieport 0000:00:01.0: AER: device recovery successful",
    "PM: suspend exit",
    "Linux version 6.8.0-45-generic (x) #1 SMP",
    "{1}[Hardware Error]:   section_type: PCIe error",
    "foo 0000:01:00.0: mailbox is not responding",
    "foo 0000:01:00.0 eth0: status register 0xffffffff",
    "foo 0000:02:00.0: ring init failed: -5",
    "mpt3sas 0000:64:00.0: enabling device (0000 -> 0002)",
    "mpt3sas_cm0: fault_state(0x2667)!",
    "usb 1-1: new high-speed USB device number 2",
];

static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]").unwrap());

/// A line: any sample, its addresses changed to ours or not, behind any time stamp.
fn line() -> impl Strategy<Value = String> {
    let place = 0..SAMPLES.len() + MORE.len();
    let time = prop_oneof![0u64..100, 0u64..1_000_000, any::<u64>()];
    (place, 0..ADDRESSES.len() + 2, 0..4u8, time).prop_map(|(place, address, style, time)| {
        let text = SAMPLES.get(place).cloned().unwrap_or_else(|| MORE[place - SAMPLES.len()].to_owned());
        let text = match ADDRESSES.get(address) {
            Some(address) => ADDRESS.replace_all(&text, *address).into_owned(),
            None => text,
        };
        let (day, second) = (time % 28 + 1, time % 60);
        match style {
            0 => text,
            1 => format!("Mar {day:2} 03:12:{second:02} host kernel: {text}"),
            2 => format!("2026-03-{day:02}T03:12:{second:02}.123456+0100 host kernel: {text}"),
            _ => format!("[{:5}.{:06}] {text}", time, time % 1_000_000),
        }
    })
}

fn judged(log: &Log) -> Diagnose {
    let sources = Sources::new(Some(log), None);
    let diagnoses = diagnose(&sources);
    answer(&sources, &diagnoses, &Names::embedded(), true, Vec::new())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_are_diagnosed_from_what_they_say(lines in proptest::collection::vec(line(), 0..60)) {
        let log = events_of(&mut lines.join("\n").as_bytes()).unwrap();
        let answer = judged(&log);
        let at = |number: u64| lines.get(usize::try_from(number).unwrap() - 1).unwrap().trim();
        for device in &answer.devices {
            let fired = device.rules.iter().find(|rule| rule.fired).map(|rule| rule.rule);
            // What a port says of its slot may be left to the device below it.
            prop_assert!(device.rule == fired || device.rule.is_none());
            for evidence in device.evidence.iter().chain(&device.first_cause) {
                let first = at(evidence.line.unwrap());
                prop_assert_eq!(evidence.proofs[0].decoded.trim(), first);
                for proof in &evidence.proofs {
                    prop_assert!(lines.iter().any(|line| line.trim() == proof.decoded.trim()), "{}", proof.decoded);
                }
            }
            for event in &device.followed {
                prop_assert!(at(event.line).ends_with(event.message.trim()));
            }
            prop_assert_eq!(device.verdict.name() == "healthy", device.rule.is_none());
            if device.verdict.name() != "healthy" {
                let cause = device.first_cause.as_ref().unwrap();
                prop_assert!(device.evidence.iter().any(|e| e.sign == cause.sign && e.line == cause.line));
            }
        }
        // Nothing is healthy in what is no kernel log, or of which nothing was understood.
        let told = log.recognized && log.is_about_devices();
        let counts = answer.devices.iter().filter(|device| told || device.verdict.name() != "healthy");
        let worst = counts.map(|device| device.verdict.weight()).max();
        let nothing = if told { "healthy" } else { "unknown" };
        prop_assert!(worst.map_or(answer.verdict.name() == nothing, |worst| answer.verdict.weight() == worst));
        prop_assert!(text::diagnose::diagnose(&answer, true, Style::PLAIN).ends_with('\n'));
    }
}

/// A log in which so many devices are found below ports, lose their power, are cut off, and come back or not.
fn big(devices: u32) -> String {
    let mut out = String::new();
    // A domain has 2,040 of them: eight functions on each bus but the first.
    let bus = |n: u32| 1 + n % 2040 / 8;
    let address = |n: u32| format!("{:04x}:{:02x}:00.{}", n / 2040, bus(n), n % 8);
    for n in 0..devices {
        let (device, at, domain) = (address(n), n / 10, n / 2040);
        let line = |part: u32, text: &str| format!("[{at:5}.{part}00000] {text}\n");
        out.push_str(&line(0, &format!("pci {device}: [10de:2330] type 00 class 0x030200")));
        let silent = match n % 4 {
            0 => format!(
                "nvidia {device}: Unable to change power state from D3cold to D0, device inaccessible"
            ),
            1 => format!("pcieport {device}: not ready 65535ms after resume; giving up"),
            2 => format!("pcieport {device}: DPC: containment event, status:0x1f01 source:0x0000"),
            _ => {
                format!("pcieport {domain:04x}:00:01.0: AER: Corrected error message received from {device}")
            }
        };
        out.push_str(&line(1, &silent));
        let slot = match n % 2 {
            0 => format!("pcieport {domain:04x}:00:01.0: pciehp: Slot({n}): Link Down"),
            _ => format!("pci {device}: power state changed by ACPI to D3cold"),
        };
        out.push_str(&line(2, &slot));
        let above = match n % 64 {
            0 => format!("pci {device}: PCI bridge to [bus {:02x}-ff]", bus(n)),
            1 => "PM: suspend exit".to_owned(),
            _ => format!("{device}: nothing that anybody asks about"),
        };
        out.push_str(&line(3, &above));
        for part in 4..10 {
            out.push_str(&line(part, "perf: interrupt took too long, lowering the rate of samples"));
        }
    }
    out
}

/// Twenty thousand addresses in two hundred thousand lines: each makes as much work as each of two thousand.
#[test]
fn work_grows_as_the_log_does() {
    let work = |devices: u32| {
        let text = big(devices);
        let log = events_of(&mut text.as_bytes()).unwrap();
        assert_eq!(log.lines, u64::from(devices) * 10);
        let sources = Sources::new(Some(&log), None);
        let diagnoses = diagnose(&sources);
        assert!(diagnoses.len() >= devices as usize * 9 / 10, "{} of {devices}", diagnoses.len());
        let kept: usize = diagnoses.iter().map(|d| d.observations.len() + d.followed.len()).sum();
        (sources.work_done() / u64::from(devices), kept / devices as usize)
    };
    let (few, many) = (work(2_040), work(20_400));
    println!("work and what is kept for each device: {few:?} of 2,040, {many:?} of 20,400");
    assert!(many.0 < 2 * few.0 && many.1 < 2 * few.1 && many.1 < 1_000, "{few:?} {many:?}");
}
