//! What was not read, or only in part, neither passes nor fails for what it might have been.

use nix::errno::Errno;

use super::finding::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use super::registry;
use super::testing::Bench;
use super::tests::{DRIVE, both_ends, dead, prepare, said};
use crate::tree::Cause;

#[test]
fn nothing_that_was_not_read_passes() {
    // Of a function that does not answer, only presence has a verdict.
    let mut bench = Bench::new();
    dead(&mut bench);
    let drive = |bench: &Bench, id: &str| {
        let findings = bench.run(id);
        findings.iter().find(|f| f.address == Some("0000:01:00.0".parse().unwrap())).map(|f| f.status)
    };
    for check in registry::all().filter(|c| matches!(c.of, registry::Of::Function(_))) {
        assert_eq!(drive(&bench, check.id), Some(Unknown), "{}", check.id);
    }
    // Of one of which an ordinary user reads 64 bytes, nothing passes that needs a capability.
    let mut bench = Bench::new();
    bench.bytes(DRIVE).truncate(64);
    let of_functions = registry::all().filter(|c| !matches!(c.of, registry::Of::Machine(_)));
    for check in of_functions.filter(|c| c.reads.contains("Lnk") || c.reads.contains("UESta")) {
        let status = drive(&bench, check.id);
        assert!(matches!(status, Some(Unknown | NotApplicable)), "{}: {status:?}", check.id);
    }
    // Nor of one that has 256 of 4096 bytes.
    let mut bench = Bench::new();
    bench.bytes(DRIVE).truncate(256);
    for id in ["aer-status-latched", "aer-masked", "link-lane-errors", "rebar-below-max", "aspm-l1ss"] {
        assert_eq!(drive(&bench, id), Some(Unknown), "{id}");
    }
}

#[test]
fn counters_of_zero_are_not_measured_unless_somebody_counts() {
    let mut bench = Bench::new();
    bench.platform.aer_ports = Some(Vec::new());
    let (status, words) = bench.worst("aer-correctable");
    assert_eq!(status, Unknown);
    assert!(words.contains("not measured"), "{words}");
}

#[test]
fn a_function_that_does_not_tell_its_identity_is_no_virtual_function() {
    let mut bench = Bench::new();
    bench.bytes(DRIVE)[..4].fill(0xff);
    bench.function(DRIVE).attributes.insert("physfn", Err(Cause::Errno(Errno::ENOENT)));
    assert_eq!(bench.worst("presence-config-vs-sysfs-id").0, Fail);
    // Its link is judged like any other.
    both_ends(&mut bench, "express.link_status.current_link_speed", 1);
    assert_ne!(bench.worst("link-speed-below-path").0, NotApplicable);
}

#[test]
fn a_list_without_what_the_kernel_found_in_it_is_not_known() {
    let mut bench = Bench::new();
    bench.attribute(DRIVE, "max_link_speed", "16.0 GT/s PCIe");
    assert_eq!(bench.worst("caps-integrity").0, Pass);
    bench.bytes(DRIVE)[0x40..].fill(0);
    let of_drive = |id: &str| {
        let found = bench
            .run(id)
            .into_iter()
            .find(|f| f.address.map(|a| a.to_string()) == Some(format!("0000:{DRIVE}")));
        let found = found.unwrap();
        (found.status, found.summary.to_string())
    };
    let (status, words) = of_drive("caps-integrity");
    assert_eq!(status, Fail, "{words}");
    assert!(words.contains("PCI Express"), "{words}");
    for id in ["aer-fatal", "msix-off-while-bound", "link-width-below-path"] {
        let (status, words) = of_drive(id);
        assert_eq!(status, Unknown, "{id}: {words}");
    }
}

#[test]
fn a_list_that_is_broken_does_not_say_what_is_missing() {
    let mut bench = Bench::new();
    let next = bench.bytes(DRIVE)[0x34];
    bench.bytes(DRIVE)[usize::from(next)..0x100].fill(0xff);
    let found = bench.run("msix-off-while-bound");
    let found =
        found.iter().find(|f| f.address.map(|a| a.to_string()) == Some(format!("0000:{DRIVE}"))).unwrap();
    assert_eq!(found.status, Unknown, "{}", found.summary);
    assert_eq!(bench.worst("caps-integrity").0, Fail);
}

#[test]
fn a_resource_file_that_is_cut_off_is_unknown() {
    let mut bench = Bench::new();
    let line = "0x00000000f0000000 0x00000000f0003fff 0x0000000000040200";
    bench.function(DRIVE).attributes.insert("resource", Ok(line.to_owned()));
    let (status, words) = bench.worst("bar-unassigned");
    assert_eq!(status, Unknown, "{words}");
}

#[test]
fn errors_of_reading_are_unknown_with_the_reason() {
    let mut bench = Bench::new();
    bench.function(DRIVE).attributes.insert("resource", Err(Cause::Errno(Errno::EACCES)));
    let (status, words) = bench.worst("bar-unassigned");
    assert_eq!(status, Unknown, "{words}");
    assert!(words.contains("EACCES"), "{words}");
}

#[test]
fn a_large_bar_without_an_address_does_not_lie_above_4g() {
    let mut bench = Bench::new();
    prepare(&mut bench, "bar-large-below-4g");
    assert_eq!(bench.worst("bar-large-below-4g").0, Pass);
    let unset = "0x0000000000000000 0x000000000fffffff 0x000000002014220c";
    bench.attribute(DRIVE, "resource", unset);
    assert_eq!(bench.worst("bar-large-below-4g").0, Unknown);
}

#[test]
fn a_machine_on_which_firmware_names_no_numa_node_at_all_is_not_passed_over() {
    let judged = |nodes: Option<&str>| {
        let mut bench = Bench::new();
        for address in bench.functions.keys().copied().collect::<Vec<_>>() {
            bench.attribute(address, "numa_node", "-1");
        }
        let file = |nodes: &str| ("sys/devices/system/node/online", format!("{nodes}\n").into_bytes());
        bench.files.extend(nodes.map(file));
        bench.worst("numa-unknown")
    };
    for (nodes, expected) in
        [(Some("0-1"), Warn), (Some("0,8"), Warn), (Some("0"), NotApplicable), (None, Unknown)]
    {
        let (status, words) = judged(nodes);
        assert_eq!(status, expected, "{nodes:?}: {words}");
    }
}

#[test]
fn a_log_without_its_beginning_proves_nothing() {
    let mut bench = Bench::new();
    assert_eq!(bench.worst("kmsg-xid").0, Pass);
    bench.start = false;
    assert_eq!(bench.worst("kmsg-read").0, Unknown);
    assert_eq!(bench.worst("kmsg-xid").0, NotApplicable);
    said(&mut bench, "NVRM: Xid (PCI:0000:01:00): 48, pid=1, name=x, DBE (double bit error)");
    assert_eq!(bench.worst("kmsg-xid").0, Warn, "what is there counts");
}
