//! Adapters that died, came back, or only report of their drives: lines written for these tests after the format strings of the
//! drivers.

use pciscope::diagnosis::Verdict;
use pciscope::kernel_log::source::events_of;

use super::drivers::{answer_to, ill, log};

/// The kernel finds the device at 0000:0a:00.0.
const FOUND: &str = "pci 0000:0a:00.0: [8086:1592] type 00 class 0x020000";

#[test]
fn an_adapter_that_its_driver_gave_up_is_not_healthy() {
    for messages in [
        &["hpsa 0000:0a:00.0: Controller lockup detected: 0x00130000 after 30"][..],
        &[
            "hpsa 0000:0a:00.0: controller lockup detected: LUN:0000004000000000 CDB:01040000000000000000000000000000",
        ],
        &["smartpqi 0000:0a:00.0: controller is offline: status code 0x6100c"],
        &["smartpqi 0000:0a:00.0: controller offline"],
        &["smartpqi 0000:0a:00.0: controller offline: reason code 0x4 (no controller heartbeat detected)"],
        &["idxd 0000:0a:00.0: Device is HALTED!"],
        &["idxd 0000:0a:00.0: idxd halted, need FLR."],
        &["bnx2x 0000:0a:00.0 eth0: using MSI-X", "bnx2x: [bnx2x_attn_int_deasserted3:4323(eth0)]MC assert!"],
        &["bnx2x 0000:0a:00.0 eth0: [bnx2x_attn_int_deasserted3:4323(eth0)]MC assert!"],
        &["mt7921e 0000:0a:00.0: driver own failed"],
        &["mt7915e 0000:0a:00.0: Timeout for driver own"],
        &["mt7921e 0000:0a:00.0: chip reset failed"],
    ] {
        let all: Vec<&str> = std::iter::once(FOUND).chain(messages.iter().copied()).collect();
        assert_eq!(ill(&log(&all)), ["0000:0a:00.0 device-firmware likely device-failed"], "{messages:?}");
    }
    // hpsa writes all-ones where it read them, and where the firmware left 0.
    let ones = "hpsa 0000:0a:00.0: Controller lockup detected: 0xffffffff after 30";
    let possible = ["0000:0a:00.0 fallen-off-bus possible registers-read-all-ones"];
    assert_eq!(ill(&log(&[FOUND, ones])), possible);
    // In words of a driver that the catalogue lacks.
    for words in
        ["Device lost", "controller offline!", "firmware lockup", "core 2 halted", "function reset failed"]
    {
        let line = format!("foo 0000:0a:00.0: {words}");
        let expected = ["0000:0a:00.0 unknown possible trouble-not-understood"];
        assert_eq!(ill(&log(&[FOUND, &line])), expected, "{words}");
    }
}

#[test]
fn what_others_say_of_being_offline_is_no_dead_device() {
    for line in [
        "sd 0:1:0:0: rejecting I/O to offline device",
        "smpboot: CPU 3 is now offline",
        "watchdog: BUG: soft lockup - CPU#3 stuck for 22s!",
        "igb 0000:0a:00.0 eth0: offline testing starting",
        "foo 0000:0a:00.0: port 2 is offline",
        "ixgbe 0000:0a:00.0 eth0: Fake Tx hang detected with timeout of 10 seconds",
        "ice 0000:0a:00.0: Fake Tx hang detected on queue 3, timeout caused by PFC storm",
        "foo 0000:0a:00.0: firmware crash, attempting to recover",
    ] {
        assert!(ill(&log(&[FOUND, line])).is_empty(), "{line}: {:?}", ill(&log(&[FOUND, line])));
    }
}

#[test]
fn who_recovered_is_well_again() {
    let crashed = [
        "ath10k_pci 0000:0a:00.0: firmware crashed! (guid 1b4a40c5-4495-4c5b-9df9-b7395848239c)",
        "ath11k_pci 0000:0a:00.0: firmware crashed: MHI_CB_SYS_ERROR",
    ];
    let slow = ["0000:0a:00.0 device-firmware possible device-slow"];
    for (crashed, recovered) in [
        (crashed[0], "ath10k_pci 0000:0a:00.0: device successfully recovered"),
        (crashed[1], "ath11k_pci 0000:0a:00.0: pdev 0 successfully recovered"),
    ] {
        assert_eq!(ill(&log(&[FOUND, crashed])), slow);
        assert!(ill(&log(&[FOUND, crashed, recovered])).is_empty(), "{recovered}");
        assert_eq!(ill(&log(&[FOUND, crashed, recovered, crashed])), slow, "and again");
    }
    let alarm = "foo 0000:0a:00.0: mailbox is not responding";
    let unknown = ["0000:0a:00.0 unknown possible trouble-not-understood"];
    for again in ["adapter reset done", "reset succeeded", "link successfully recovered"] {
        let line = format!("foo 0000:0a:00.0: {again}");
        assert!(ill(&log(&[FOUND, alarm, &line])).is_empty(), "{again}");
        assert_eq!(ill(&log(&[FOUND, &line, alarm])), unknown, "{again}");
        assert!(answer_to(&log(&[FOUND, &line])).notes.is_empty(), "{again} is no complaint");
    }
    let vain = "foo 0000:0a:00.0: port was not successfully recovered";
    assert_eq!(ill(&log(&[FOUND, alarm, vain])), unknown);
    // What is off the bus does not come back by a driver's word for something else.
    let gone = "igb 0000:0a:00.0 enp2s0: PCIe link lost";
    let fell = ["0000:0a:00.0 fallen-off-bus likely off-the-bus-by-log"];
    assert_eq!(ill(&log(&[FOUND, gone, "igb 0000:0a:00.0: reset done"])), fell);
}

#[test]
fn an_event_log_of_drives_says_nothing_of_the_bus() {
    let events = [
        "megaraid_sas 0000:0a:00.0: 28520 (575453812s/0x0001/FATAL) - VD 00/0 is now OFFLINE",
        "megaraid_sas 0000:0a:00.0: 10487 (575453813s/0x0002/FATAL) - Unrecoverable medium error during recovery on PD 02",
        "megaraid_sas 0000:0a:00.0: 3213 (boot + 3s/0x0020/CRIT) - Controller encountered a fatal error and was reset",
    ];
    for event in events {
        let text = log(&[FOUND, event]);
        assert!(ill(&text).is_empty(), "{event}");
        assert!(answer_to(&text).notes.is_empty(), "{event}");
        let log = events_of(&mut text.as_bytes()).unwrap();
        assert_eq!(log.events.last().unwrap().kind.id, "storage.adapter-event");
    }
}

#[test]
fn memory_errors_of_an_amd_gpu_are_told_from_corrected_ones() {
    let memory = ["0000:0a:00.0 memory-fault certain memory-errors"];
    for errors in [
        "2 new uncorrectable hardware errors detected in umc block",
        "socket: 0, die: 0 2 new uncorrectable hardware errors detected in umc block",
        "{7}socket: 0, die: 0, 2 uncorrectable hardware errors detected in total in umc block",
    ] {
        let line = format!("amdgpu 0000:0a:00.0: amdgpu: {errors}");
        assert_eq!(ill(&log(&[FOUND, &line])), memory, "{errors}");
        let corrected = line.replace("uncorrectable", "correctable") + ", no user action is needed";
        assert!(ill(&log(&[FOUND, &corrected])).is_empty(), "{corrected}");
    }
    let none = "amdgpu 0000:0a:00.0: socket: 1, die: 0, 0 uncorrectable hardware errors detected in total in umc block";
    assert!(ill(&log(&[FOUND, none])).is_empty(), "{none}");
}

#[test]
fn different_lines_are_different_events() {
    let lines = [
        "foo 0000:0a:00.0: queue disconnect notice from peer",
        "foo 0000:0a:00.0: firmware died and card is unresponsive",
        "foo 0000:0a:00.0: fatal: hw error 77",
        "foo 0000:0a:00.0: fatal: hw error 78",
    ];
    let text = log(&lines);
    let log = events_of(&mut text.as_bytes()).unwrap();
    let told: Vec<(&str, u64)> =
        log.events.iter().map(|event| (event.message.as_str(), event.count)).collect();
    assert_eq!(told, [(lines[0], 1), (lines[1], 1), (lines[2], 2)]);
    assert_eq!(answer_to(&text).verdict, Verdict::Unknown);
}

#[test]
fn a_value_that_was_written_is_no_dead_device() {
    let fault = "nouveau 0000:0a:00.0: bus: MMIO write of ffffffff FAULT at 10eb14 [ PRIVRING ]";
    assert!(ill(&log(&[FOUND, fault])).is_empty(), "{:?}", ill(&log(&[FOUND, fault])));
}
