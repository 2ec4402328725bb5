//! Real logs, each excerpted by people who fixed what it shows (`PCISCOPE_CORPUS/kernel-logs`): read without loss, and
//! every line that speaks of trouble on PCI is an event.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::PathBuf;

use pciscope::kernel_log::catalogue::parse;
use pciscope::kernel_log::event::Level;
use pciscope::kernel_log::source::events_of;
use pciscope::kernel_log::{Log, stamp};

fn logs() -> Vec<(String, String)> {
    let Some(corpus) = std::env::var_os("PCISCOPE_CORPUS") else {
        println!("PCISCOPE_CORPUS is not set: real kernel logs are skipped");
        return Vec::new();
    };
    let folder = PathBuf::from(corpus).join("kernel-logs");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 49, "{} logs", paths.len());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn events(text: &str) -> Log {
    events_of(&mut text.as_bytes()).unwrap()
}

/// Words of lines that speak of trouble.
const TROUBLE: &[&str] = &[
    "rror",
    "ailed",
    "lost",
    "imed out",
    "imeout",
    "fallen",
    "AER:",
    "DPC:",
    "pciehp:",
    "nable to",
    "can't",
    "an not",
    "ot ready",
    "NVRM:",
    "Xid",
    "IO_PAGE_FAULT",
    "efused",
    "naccessible",
    "no space",
    "died",
    "removed",
    "disconnected",
    "unknown",
];

/// Lines with such a word that are of no speaker of ours, and why.
const OTHERS: &[(&str, &str)] = &[
    ("hpet_acpi_add: no address", "a timer"),
    ("UCSI_GET_PDOS returned", "a USB connector"),
    ("pciehp_unconfigure_device+", "a line of a call trace"),
    ("ath: phy0: Unable to initialize hardware", "repeats the line before"),
    ("CPU: 144 PID: 1422", "a line of a call trace"),
    ("COMMAND=/usr/bin/nvidia-bug-report.sh", "not the kernel"),
    ("pcie_failed_link_retrain <-", "a function trace"),
];

#[test]
fn every_line_of_trouble_is_an_event() {
    let (mut all, mut known) = (0, 0);
    let mut missed = Vec::new();
    for (name, text) in logs() {
        for line in text.lines().filter(|line| !line.starts_with("# ")) {
            let head = stamp::head(line);
            all += 1;
            if parse(head.text).is_some() {
                known += 1;
            } else if !head.foreign
                && TROUBLE.iter().any(|word| head.text.contains(word))
                && !OTHERS.iter().any(|(part, _)| head.text.contains(part))
            {
                missed.push(format!("{name}: {}", head.text));
            }
        }
    }
    println!("{known} of {all} lines are events");
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn logs_are_read_without_loss() {
    for (name, text) in logs() {
        let log = events(&text);
        assert_eq!(log.lines, text.lines().count() as u64, "{name}");
        assert_eq!(log.bytes, text.len() as u64, "{name}");
        assert!(!log.events.is_empty(), "{name}");
        let trouble = log.events.iter().any(|e| e.kind.level != Level::Information);
        // The one log in which nothing but missing I/O windows is to be seen.
        assert!(trouble != name.starts_with("009"), "{name}: {:#?}", log.events);
        // Every event shows lines of the file, at the offsets that it says.
        for event in &log.events {
            for line in &event.evidence {
                let there = text[line.offset as usize..].lines().next().unwrap();
                assert_eq!(there, line.text, "{name}");
                assert_eq!(text.lines().nth(line.line as usize - 1), Some(there), "{name}");
            }
        }
    }
}

#[test]
fn troubled_devices_are_found() {
    const DEVICES: &[(&str, &str, &str)] = &[
        ("001", "resources.no-space", "0000:3a:04.0"),
        ("013", "resources.not-assigned", "0006:03:00.2"),
        ("025", "power.gave-up", "0000:73:00.0"),
        ("031", "aer.error", "0000:01:00.0"),
        ("045", "aer.error", "0000:2b:00.0"),
        ("049", "dpc.containment", "0000:30:03.0"),
        ("053", "amdgpu.ring-timeout", "0000:07:00.0"),
        ("055", "interrupts.driver-got-none", "0000:00:03.0"),
        ("067", "ethernet.gone", "0000:05:00.0"),
        ("081", "nvidia.fallen-off-the-bus", "0000:09:00.0"),
        ("101", "nvidia.xid", "0000:01:00.0"),
        ("103", "nvidia.rm-init-failed", "0000:01:00.0"),
    ];
    for (name, text) in logs() {
        let log = events(&text);
        for (_, kind, device) in DEVICES.iter().filter(|(number, _, _)| name.starts_with(number)) {
            let found = log
                .events
                .iter()
                .any(|e| e.kind.id == *kind && e.device.is_some_and(|d| d.to_string() == *device));
            assert!(found, "{name}: no {kind} of {device}");
        }
    }
}
