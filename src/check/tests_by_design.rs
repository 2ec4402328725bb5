//! What is so by design, of the hardware or of the specification, is no fault.

use nix::errno::Errno;

use super::finding::Status::{self, Fail, NotApplicable, Pass, Unknown, Warn};
use super::testing::Bench;
use super::tests::{DRIVE, OTHER, PORT, both_ends, prepare};
use crate::tree::Cause;

/// The upper port of the switch above the other drive, and its lower one.
const UPPER: &str = "02:00.0";
const LOWER: &str = "03:00.0";

fn of(bench: &Bench, id: &str, address: &str) -> (Status, String) {
    let address = format!("0000:{address}").parse().unwrap();
    let found = bench.run(id).into_iter().find(|finding| finding.address == Some(address)).unwrap();
    (found.status, found.summary.into_owned())
}

#[test]
fn a_switch_gives_the_time_at_its_upper_port() {
    let mut bench = Bench::new();
    for address in ["00:02.0", UPPER, OTHER] {
        bench.bytes(address)[0x1d0] = 0x1f;
        bench.set(address, "ptm.control.ptm_enable", 1);
    }
    assert_eq!(of(&bench, "ptm-path", OTHER).0, Pass);
    bench.set(UPPER, "ptm.control.ptm_enable", 0);
    let (status, words) = of(&bench, "ptm-path", OTHER);
    assert!(status == Warn && words.contains("0000:02:00.0"), "{words}");
}

#[test]
fn what_goes_down_through_a_port_may_be_blocked() {
    let mut bench = Bench::new();
    bench.set(OTHER, "express.device_control_2.atomic_op_requester_enable", 1);
    for address in [LOWER, "00:02.0"] {
        bench.set(address, "express.device_control_2.atomic_op_egress_blocking", 1);
    }
    assert_eq!(of(&bench, "atomics-path", OTHER).0, Pass);
    bench.set(UPPER, "express.device_control_2.atomic_op_egress_blocking", 1);
    assert_eq!(of(&bench, "atomics-path", OTHER).0, Fail);
}

#[test]
fn virtual_functions_on_the_next_bus_need_no_forwarding() {
    let mut bench = Bench::new();
    bench.set(PORT, "header.subordinate_bus.number", 2);
    bench.set(PORT, "express.device_capabilities_2.ari_forwarding_supported", 1);
    let other = bench.function(DRIVE).clone();
    bench.functions.insert("02:10.0", other);
    assert_eq!(of(&bench, "ari-forwarding-off", PORT).0, NotApplicable);
    let other = bench.function(DRIVE).clone();
    bench.functions.insert("01:10.0", other);
    assert_eq!(of(&bench, "ari-forwarding-off", PORT).0, Fail);
}

#[test]
fn what_a_port_has_no_bit_for_is_always_on() {
    let mut bench = Bench::new();
    prepare(&mut bench, "acs-missing");
    bench.set(LOWER, "acs.control.p2p_request_redirect_enable", 0);
    assert_eq!(of(&bench, "acs-missing", LOWER).0, Warn);
    bench.set(LOWER, "acs.capability.p2p_request_redirect", 0);
    assert_eq!(of(&bench, "acs-missing", LOWER).0, Pass);
}

#[test]
fn a_virtual_function_is_given_away_by_itself() {
    let mut bench = Bench::new();
    let mut function = bench.function(DRIVE).clone();
    function.attributes.insert("physfn", Err(Cause::Errno(Errno::ENOENT)));
    bench.functions.insert("01:00.1", function);
    // Functions of one device in one group.
    assert_eq!(of(&bench, "iommu-groups", DRIVE).0, Pass);
    bench.attribute("01:00.1", "physfn", "../0000:01:00.0");
    for address in [DRIVE, "01:00.1"] {
        assert_eq!(of(&bench, "iommu-groups", address).0, Warn, "{address}");
    }
}

#[test]
fn the_length_of_a_vendors_capability_is_its_own() {
    let mut bench = Bench::new();
    let first = usize::from(bench.bytes(DRIVE)[0x34]);
    // Put in front of the others, up to behind the end of configuration space.
    bench.bytes(DRIVE)[0xf8..0xfb].copy_from_slice(&[0x09, first as u8, 0xff]);
    bench.bytes(DRIVE)[0x34] = 0xf8;
    let (status, words) = of(&bench, "caps-integrity", DRIVE);
    assert_eq!(status, Warn, "{words}");
}

#[test]
fn much_is_expected_of_network_controllers_alone() {
    let mut bench = Bench { threshold: Some(("mrrs-low", 4096)), ..Bench::new() };
    assert_eq!(of(&bench, "mrrs-low", DRIVE).0, Pass);
    bench.bytes(DRIVE)[0x0b] = 2;
    assert_eq!(of(&bench, "mrrs-low", DRIVE).0, Warn);
}

#[test]
fn substates_of_a_state_that_is_off_are_not_used() {
    let mut bench = Bench::new();
    bench.set(DRIVE, "l1ss.control_1.aspm_l1_2_enable", 1);
    let (status, words) = of(&bench, "aspm-l1ss", DRIVE);
    assert!(status == NotApplicable && words.contains("prepared"), "{status:?} {words}");
    bench.set(DRIVE, "express.link_control.enable_clock_power_management", 1);
    both_ends(&mut bench, "express.link_control.aspm_control", 2);
    let (status, words) = of(&bench, "aspm-l1ss", DRIVE);
    assert!(status == Warn && words.contains("Clock Power Management"), "{status:?} {words}");
}

#[test]
fn a_gpu_that_rests_may_be_slow_though_hardware_may_not_change_it() {
    let mut bench = Bench::new();
    both_ends(&mut bench, "express.link_status.current_link_speed", 1);
    bench.set(DRIVE, "express.link_control_2.hardware_autonomous_speed_disable", 1);
    assert_eq!(of(&bench, "link-hasd-stuck", DRIVE).0, Fail);
    bench.bytes(DRIVE)[0x0b] = 3;
    assert_eq!(of(&bench, "link-hasd-stuck", DRIVE).0, Unknown);
    bench.busy = true;
    assert_eq!(of(&bench, "link-hasd-stuck", DRIVE).0, Fail);
}

#[test]
fn a_host_bridge_that_translates_makes_no_bar_lost() {
    let mut bench = Bench::new();
    let moved = |bench: &mut Bench, address: &'static str, by: u64| {
        let old = bench.function(address).attributes["resource"].clone().unwrap();
        let mut lines = old.lines();
        let mut words = lines.next().unwrap().split(' ');
        let mut number = || u64::from_str_radix(&words.next().unwrap()[2..], 16).unwrap();
        let (start, end, flags) = (number() + by, number() + by, number());
        let rest: Vec<&str> = lines.collect();
        bench.attribute(
            address,
            "resource",
            &format!("{start:#018x} {end:#018x} {flags:#018x}\n{}\n", rest.join("\n")),
        );
    };
    let by = 0x3fe0_0000_0000;
    moved(&mut bench, DRIVE, by);
    // One device alone may have lost its address.
    assert_eq!(of(&bench, "bar-lost-after-reset", DRIVE).0, Fail);
    assert_eq!(of(&bench, "bridge-window-small", DRIVE).0, Fail);
    let mut logged = Bench { functions: bench.functions.clone(), ..Bench::new() };
    let window = "[mem 0x3fe0f0000000-0x3fe0ffffffff window] (bus address [0xf0000000-0xffffffff])";
    logged.platform.host_bridges[0].windows = vec![window.to_owned()];
    assert_eq!(of(&logged, "bar-lost-after-reset", DRIVE).0, Pass);
    assert_eq!(of(&logged, "bridge-window-small", DRIVE).0, Pass);
    // Several of them below one host bridge, all by as much.
    moved(&mut bench, OTHER, by);
    for address in [DRIVE, OTHER] {
        assert_eq!(of(&bench, "bar-lost-after-reset", address).0, Pass, "{address}");
        assert_eq!(of(&bench, "bridge-window-small", address).0, Pass, "{address}");
    }
    bench.bytes(DRIVE)[0x10..0x14].fill(0);
    assert_eq!(of(&bench, "bar-lost-after-reset", DRIVE).0, Fail);
}
