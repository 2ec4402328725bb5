//! Several readings: what counts while a device has work, and how old an excuse may be.

use super::finding::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
use super::testing::Bench;
use super::tests::{DRIVE, PORT, both_ends, expects};

/// A GPU in the place of the drive, at 2.5 GT/s at both readings, and what was seen in between (LnkSta bits 9:0).
fn gpu(looks: &[u64]) -> Bench {
    let mut bench = Bench::new();
    both_ends(&mut bench, "express.link_status.current_link_speed", 1);
    bench.bytes(DRIVE)[0x0b] = 3;
    bench.looks = looks.to_vec();
    bench
}

#[test]
fn an_idle_gpu_that_was_seen_at_full_speed_is_sound_and_a_busy_one_is_not() {
    assert_eq!(gpu(&[0x41]).worst("link-speed-below-path").0, Unknown);
    let mut bench = gpu(&[0x43]);
    assert_eq!(bench.worst("link-speed-below-path").0, Pass);
    bench.busy = true;
    let (status, words) = bench.worst("link-speed-below-path");
    assert_eq!(status, Warn, "it slowed down while it had work");
    assert!(words.contains("2.5 GT/s"), "{words}");
}

#[test]
fn a_gpu_that_slows_down_while_a_command_loads_it_is_told_and_one_that_begins_slowly_is_not() {
    // Idle at the first reading, fast at the last: what it was in between decides.
    let loaded = |looks: &[u64]| {
        let mut bench = gpu(looks);
        bench.before = Some((bench.functions.clone(), bench.interrupts.clone()));
        both_ends(&mut bench, "express.link_status.current_link_speed", 3);
        bench.command = true;
        bench
    };
    for id in ["link-speed-below-path", "link-flap"] {
        assert_eq!(loaded(&[0x41, 0x42, 0x43]).worst(id).0, Pass, "{id}: it begins slowly");
        assert_eq!(loaded(&[0x43, 0x41, 0x43]).worst(id).0, Warn, "{id}: it slows down");
    }
    let (_, words) = loaded(&[0x43, 0x42, 0x43]).worst("link-speed-below-path");
    assert!(words.contains("runs at 5 GT/s (at 2 s, while it had work)"), "{words}");
    let (status, words) = loaded(&[0x43, 0x23, 0x43]).worst("link-width-below-path");
    assert_eq!(status, Fail);
    assert!(words.contains("uses 2 lanes (at 2 s, while it had work)"), "{words}");
}

#[test]
fn a_drive_that_was_fast_once_is_not_as_expected() {
    let mut bench = Bench::new();
    both_ends(&mut bench, "express.link_status.current_link_speed", 1);
    bench.looks = vec![0x43];
    let (status, words) = bench.worst("link-expected");
    assert_eq!(status, Fail, "{words}");
    assert!(words.contains("link.speed is 2.5 GT/s, expected 8 GT/s"), "{words}");
    // A GPU may rest, unless it has work.
    let mut bench = gpu(&[0x43]);
    assert_eq!(bench.worst("link-expected").0, Pass);
    bench.busy = true;
    assert_eq!(bench.worst("link-expected").0, Fail);
}

#[test]
fn who_did_not_answer_in_between_is_told_though_it_answers_now() {
    let mut bench = Bench::new();
    let sound = bench.functions.clone();
    bench.bytes(DRIVE).fill(0xff);
    bench.before = Some((bench.functions.clone(), bench.interrupts.clone()));
    bench.functions = sound;
    let (status, words) = bench.worst("presence-config-all-ones");
    assert_eq!(status, Fail);
    assert!(
        words.contains("it answers now, and nobody did 0 s after the first reading (all-ones)"),
        "{words}"
    );
}

/// Lines of the log at these seconds.
fn log(lines: &[(u32, &str)]) -> Bench {
    let mut bench = Bench::new();
    for (second, line) in lines {
        bench.log.push_str(&format!("[{second:5}.000000] {line}\n"));
    }
    bench
}

const DOWN: &str = "pcieport 0000:00:01.0: pciehp: Slot(7): Link Down";
const OUT: &str = "pcieport 0000:00:01.0: pciehp: Slot(7): Card not present";
const BUTTON: &str = "pcieport 0000:00:01.0: pciehp: Slot(7): Attention button pressed";
const GONE: &str = "nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff";
const DEVICE: &str = "nvme nvme0: pci function 0000:01:00.0";

#[test]
fn a_card_that_was_pulled_explains_what_follows_and_nothing_later() {
    for (lines, expected) in [
        (&[(100, DOWN), (100, OUT)][..], Pass),
        (&[(100, BUTTON), (106, DOWN)], Pass),
        (&[(100, DOWN)], Warn),
        (&[(100, DOWN), (100, OUT), (102, DOWN)], Warn),
        // Once pulled, and once not.
        (&[(100, DOWN), (100, OUT), (5000, DOWN)], Warn),
        (&[(100, OUT), (5000, DOWN)], Warn),
        (&[(100, BUTTON), (5000, DOWN)], Warn),
        (&[(100, DOWN), (100, OUT), (5000, DOWN), (5000, OUT)], Pass),
    ] {
        let (status, words) = log(lines).worst("kmsg-link-down");
        assert_eq!(status, expected, "{lines:?}: {words}");
    }
    for (lines, expected) in [
        (&[(5, DEVICE), (100, DOWN), (100, OUT), (101, GONE)][..], Pass),
        (&[(5, DEVICE), (100, GONE), (101, OUT)], Pass),
        (&[(5, DEVICE), (100, OUT), (101, GONE), (102, GONE), (103, GONE)], Pass),
        (&[(5, DEVICE), (100, OUT), (101, GONE), (102, GONE), (5000, GONE)], Fail),
        (&[(5, DEVICE), (101, GONE)], Fail),
        (&[(5, DEVICE), (100, OUT), (5000, GONE)], Fail),
    ] {
        let (status, words) = log(lines).worst("kmsg-fallen-off");
        assert_eq!(status, expected, "{lines:?}: {words}");
    }
    assert_eq!(log(&[(100, DOWN), (100, OUT)]).worst("kmsg-card-removed").0, Warn);
}

#[test]
fn an_injected_error_explains_what_follows_and_nothing_later() {
    let inject =
        "pcieport 0000:00:01.0: aer_inject: Injecting errors 00000000/00004000 into device 0000:01:00.0";
    let failed = "pcieport 0000:00:01.0: AER: device recovery failed";
    for (lines, expected) in [
        (&[(100, inject), (101, failed)][..], Pass),
        (&[(100, failed), (101, inject)], Fail),
        (&[(100, inject), (101, failed), (5000, failed)], Fail),
        (&[(100, inject), (5000, failed)], Fail),
        (&[(100, inject), (101, failed), (5000, inject), (5001, failed)], Pass),
    ] {
        let (status, words) = log(lines).worst("kmsg-aer");
        assert_eq!(status, expected, "{lines:?}: {words}");
    }
    // Without times, lines tell what is near.
    let mut bench = Bench::new();
    bench.log = format!("{inject}\n{failed}\n");
    bench.start = false;
    assert_eq!(bench.worst("kmsg-aer").0, NotApplicable);
    // Whatever stands for a time, it is counted with.
    bench.log =
        format!("[0.000001] {failed}\n[18446744073709.551615] {inject}\n[18446744073709.551615] {failed}\n");
    assert_eq!(bench.worst("kmsg-aer").0, Fail);
}

#[test]
fn what_is_expected_of_the_link_above_excuses_a_bottleneck_and_of_the_own_link_does_not() {
    let bottleneck = |more: &str| {
        let mut bench = Bench::new();
        bench.set("02:00.0", "express.link_capabilities.max_link_speed", 2);
        both_ends_of(&mut bench, &["02:00.0", "00:02.0"], 2);
        bench.expectation.push_str(more);
        bench.worst("link-bottleneck")
    };
    let own = "\n[[device]]\nwhere = \"04:00.0\"\nlink = { speed = \"8 GT/s\", width = 4 }\n";
    assert_eq!(bottleneck(own).0, Warn);
    let above = "\n[[device]]\nwhere = \"02:00.0\"\nlink = { speed = \"5 GT/s\" }\n";
    assert_ne!(bottleneck(above).0, Warn);
    let other = "\n[[device]]\nwhere = \"02:00.0\"\nlink = { speed = \"8 GT/s\" }\n";
    assert_eq!(bottleneck(other).0, Warn);
}

fn both_ends_of(bench: &mut Bench, ends: &[&str], speed: u64) {
    for end in ends {
        bench.set(end, "express.link_status.current_link_speed", speed);
    }
}

#[test]
fn every_small_bar_has_to_be_expected() {
    let small = |sizes: &str| {
        let mut bench = Bench::new();
        bench.set(DRIVE, "rebar.entry[0].control.number_of_resizable_bars", 2);
        for (entry, bar) in [(0, 0), (1, 2)] {
            bench.set(DRIVE, &format!("rebar.entry[{entry}].control.bar_index"), bar);
            bench.set(DRIVE, &format!("rebar.entry[{entry}].capability.supported_sizes"), 3);
        }
        expects(&mut bench, "rebar = { 0 = \"1 MiB\" }", sizes);
        bench.worst("rebar-below-max")
    };
    let (status, words) = small("rebar = { 0 = \"1 MiB\" }");
    assert_eq!(status, Warn, "only one of the two is expected");
    assert!(words.contains("BAR 0 has 1 MiB") && words.contains("BAR 2 has 1 MiB"), "{words}");
    assert_ne!(small("rebar = { 0 = \"1 MiB\", 2 = \"1 MiB\" }").0, Warn);
    assert_eq!(small("rebar = { 0 = \"1 MiB\", 2 = \"2 MiB\" }").0, Warn);
}

#[test]
fn bridges_on_one_bus_must_not_share_buses() {
    let mut bench = Bench::new();
    bench.set(PORT, "header.subordinate_bus.number", 2);
    let findings = bench.run("bridge-bus-numbers");
    let failed: Vec<String> = findings
        .iter()
        .filter(|f| f.status == Fail)
        .map(|f| format!("{} {}", f.address.unwrap(), f.summary))
        .collect();
    assert_eq!(
        failed,
        [
            "0000:00:01.0 0000:00:02.0 on the same bus leads to buses 02 to 04 as well",
            "0000:00:02.0 0000:00:01.0 on the same bus leads to buses 01 to 02 as well",
        ]
    );
}

#[test]
fn none_expected_is_as_expected_where_there_can_be_none() {
    let without = |wanted: &str| {
        let mut bench = Bench::new();
        let place = format!("\n[[device]]\nwhere = \"00:01.0\"\n{wanted}\n");
        bench.expectation.push_str(&place);
        bench
    };
    let of = |bench: &Bench, id: &str| {
        let findings = bench.run(id);
        findings.into_iter().find(|f| f.address == Some("0000:00:01.0".parse().unwrap())).unwrap().status
    };
    // The port has MSI only, and no SR-IOV.
    assert_eq!(of(&without("msix_vectors = 0"), "msix-expected"), Pass);
    assert_eq!(of(&without("msix_vectors = 1"), "msix-expected"), Fail);
    assert_eq!(of(&without("virtual_functions = 0"), "sriov-expected"), Pass);
    assert_eq!(of(&without("virtual_functions = 2"), "sriov-expected"), Fail);
}

#[test]
fn a_bridge_above_is_meant_with_or_without_its_domain() {
    for (below, expected) in [
        ("00:01.0", Pass),
        ("0000:00:01.0", Pass),
        ("0000:00:0?.0", Pass),
        ("00:02.0", Fail),
        ("0001:00:01.0", Fail),
    ] {
        let mut bench = Bench::new();
        expects(&mut bench, "below = \"0000:00:01.0\"", &format!("below = \"{below}\""));
        assert_eq!(bench.worst("switch-expected").0, expected, "{below}");
    }
}

#[test]
fn a_bridge_takes_the_power_of_what_no_driver_keeps_awake() {
    let mut bench = Bench::new();
    for address in [DRIVE, PORT] {
        bench.attribute(address, "power/control", "auto");
        bench.attribute(address, "d3cold_allowed", "1");
    }
    bench.attribute(DRIVE, "uevent", "PCI_ID=8086:1234");
    let (status, words) = bench.worst("power-runtime");
    assert_eq!(status, Warn);
    assert!(words.contains("suspend 0000:00:01.0 above it"), "{words}");
    bench.attribute(PORT, "d3cold_allowed", "0");
    assert_eq!(bench.worst("power-runtime").0, Pass);
    // A bridge that may, above a function that may not.
    bench.attribute(PORT, "d3cold_allowed", "1");
    bench.attribute(DRIVE, "power/control", "on");
    assert_eq!(bench.worst("power-runtime").0, Pass);
}

#[test]
fn the_worse_of_load_and_rest_counts() {
    use super::under_load::together;
    let status = |loaded: &Bench, after: &Bench, id: &str| {
        let findings = together(loaded.run(id), after.run(id), &|_| true);
        let of = findings.into_iter().find(|f| f.address == Some("0000:01:00.0".parse().unwrap())).unwrap();
        (of.status, of.summary.into_owned())
    };
    let (sound, mut idle, mut dead) = (Bench::new(), gpu(&[]), Bench::new());
    dead.bytes(DRIVE).fill(0xff);
    idle.before = Some((idle.functions.clone(), idle.interrupts.clone()));
    assert_eq!(status(&sound, &idle, "link-speed-below-path").0, Pass, "it was fast when it had work");
    assert_eq!(status(&sound, &dead, "presence-config-all-ones").0, Fail, "it died as the load ended");
    let (status, words) = status(&dead, &sound, "presence-config-all-ones");
    assert_eq!(status, Fail);
    assert!(words.ends_with("under load, not after it"), "{words}");
}

/// Findings of a sound machine under load together with those of a reading after it that could not tell.
fn then_unknown(id: &str, there: bool) -> (super::finding::Status, String) {
    let (loaded, mut after) = (Bench::new().run(id), Bench::new().run(id));
    for finding in &mut after {
        (finding.status, finding.summary) = (Unknown, "it could not be read".into());
    }
    let both = super::under_load::together(loaded, after, &|_| there);
    let of = both.into_iter().find(|f| f.address == Some("0000:01:00.0".parse().unwrap())).unwrap();
    (of.status, of.summary.into_owned())
}

#[test]
fn what_cannot_be_read_after_the_load_does_not_pass() {
    for there in [true, false] {
        let (status, words) = then_unknown("presence-config-all-ones", there);
        assert_eq!(status, Unknown, "{words}");
        assert!(words.starts_with("it could not be read; as it should be"), "{words}");
    }
    assert_eq!(
        then_unknown("link-speed-below-path", true).0,
        Pass,
        "it sleeps: what was seen under load counts"
    );
    assert_eq!(then_unknown("link-speed-below-path", false).0, Unknown);
    // Not even listed any more.
    let id = "link-speed-below-path";
    let both = super::under_load::together(Bench::new().run(id), Vec::new(), &|_| false);
    assert!(both.iter().all(|f| f.status != Pass) && both.iter().any(|f| f.status == Unknown));
}

#[test]
fn entries_of_an_expectation_are_kept_apart_under_load() {
    let (sound, mut other) = (Bench::new(), Bench::new());
    let more = "\n[[device]]\nwhere = \"00:01.0\"\n\n[[device]]\nwhere = \"7f:00.0\"\n";
    other.expectation.push_str(more);
    let (loaded, after) = (other.run("presence-count"), other.run("presence-count"));
    let statuses: Vec<_> = after.iter().map(|f| (f.entry, f.status)).collect();
    assert!(statuses.len() > 2 && statuses.contains(&(Some(statuses.len() - 1), Fail)), "{statuses:?}");
    let both = super::under_load::together(loaded, after, &|_| true);
    assert_eq!(both.iter().map(|f| (f.entry, f.status)).collect::<Vec<_>>(), statuses);
    assert!(sound.run("presence-count").iter().all(|f| f.status == Pass));
}

#[test]
fn less_than_a_minute_gives_no_rate() {
    let mut bench = Bench::new();
    bench.before = Some((bench.functions.clone(), bench.interrupts.clone()));
    bench.attribute(DRIVE, "aer_dev_correctable", "RxErr 90\nTOTAL_ERR_COR 90");
    for (seconds, found) in [(10, "90 in 10 s"), (60, "90.0 a minute"), (120, "45.0 a minute")] {
        bench.elapsed = std::time::Duration::from_secs(seconds);
        let findings = bench.run("aer-cor-rate");
        let worst = findings.iter().max_by_key(|f| f.status).unwrap();
        assert_eq!(worst.verdict().found, found);
    }
}

#[test]
fn a_link_that_is_trained_at_both_readings_fails() {
    let mut bench = Bench::new();
    bench.set(PORT, "express.link_status.link_training", 1);
    assert_eq!(bench.worst("link-training").0, Warn);
    bench.before = Some((bench.functions.clone(), bench.interrupts.clone()));
    let (status, words) = bench.worst("link-training");
    assert!(status == Fail && words.ends_with("as it was 60 s before"), "{words}");
    bench.set(PORT, "express.link_status.link_training", 0);
    assert_eq!(bench.worst("link-training").0, Pass);
}

#[test]
fn a_link_that_was_seldom_looked_at_is_not_known_to_be_quiet() {
    let mut bench = Bench::new();
    assert_eq!(bench.worst("link-flap").0, Pass);
    bench.elapsed = std::time::Duration::from_secs(600);
    let (status, words) = bench.worst("link-flap");
    assert_eq!(status, Unknown, "{words}");
    assert!(words.contains("looked at 12 times"), "{words}");
}
