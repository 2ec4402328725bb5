//! Drivers in trouble, in their own words: lines written for these tests after the format strings of the drivers, and lines that no
//! catalogue has.

use pciscope::diagnosis::{Sources, Subject, Verdict, diagnose};
use pciscope::inspect::diagnose::{Diagnose, diagnose as answer};
use pciscope::kernel_log::source::events_of;
use pciscope::names::Names;

/// A log of these messages, ten seconds apart.
pub fn log(messages: &[&str]) -> String {
    let line = |(place, message): (usize, &&str)| format!("[{:5}.000000] {message}\n", 10 * (place + 1));
    messages.iter().enumerate().map(line).collect()
}

/// Everybody who is not well, with verdict, confidence and rule.
pub fn ill(text: &str) -> Vec<String> {
    let log = events_of(&mut text.as_bytes()).unwrap();
    let sources = Sources::new(Some(&log), None);
    let found = diagnose(&sources);
    let ill = found.iter().filter(|d| d.verdict != Verdict::Healthy);
    ill.map(|d| {
        let rule = d.rule.map_or("-", |rule| rule.id);
        format!("{} {} {} {rule}", d.subject, d.verdict.name(), d.confidence.name())
    })
    .collect()
}

pub fn answer_to(text: &str) -> Diagnose {
    let log = events_of(&mut text.as_bytes()).unwrap();
    let sources = Sources::new(Some(&log), None);
    let diagnoses = diagnose(&sources);
    answer(&sources, &diagnoses, &Names::embedded(), false, Vec::new())
}

#[test]
fn drivers_say_in_their_own_words_that_nobody_answers() {
    let gone = "fallen-off-bus likely off-the-bus-by-log";
    for (address, messages) in [
        (
            "0000:00:14.3",
            &[
                "iwlwifi 0000:00:14.3: loaded firmware version 77.2df8986f.0",
                "Timeout waiting for hardware access (CSR_GP_CNTRL 0xffffffff)",
            ][..],
        ),
        ("0000:01:00.0", &["iwlwifi 0000:01:00.0: Device gone - attempting removal"]),
        ("0000:d8:00.0", &["qla2xxx [0000:d8:00.0]-8042:5: PCI/Register disconnect, exiting."]),
        (
            "0000:56:00.0",
            &[
                "tg3 0000:56:00.0 lc4: tg3_abort_hw timed out, TX_MODE_ENABLE will not clear MAC_TX_MODE=ffffffff",
            ],
        ),
        ("0000:00:1f.2", &["ahci 0000:00:1f.2: controller reset failed (0xffffffff)"]),
    ] {
        assert_eq!(ill(&log(messages)), [format!("{address} {gone}")], "{messages:?}");
    }
}

#[test]
fn drivers_say_in_their_own_words_that_firmware_failed() {
    for (address, messages) in [
        (
            "0000:c1:00.0",
            &[
                "bnxt_en 0000:c1:00.0 eth0: Fatal firmware reset event, data1: 0x2, data2: 0x1, min wait 4000 ms, max wait 60000 ms",
                "bnxt_en 0000:c1:00.0: Firmware not responding, status: 0xa00a0",
            ][..],
        ),
        (
            "0000:65:00.0",
            &["megaraid_sas 0000:65:00.0: FW in FAULT state, Fault code:0x10000 subcode:0x0 func:x"],
        ),
        ("0000:65:00.0", &["megaraid_sas 0000:65:00.0: Reset failed, killing adapter scsi0."]),
        ("0000:04:00.0", &["be2net 0000:04:00.0: Unrecoverable Error detected in the adapter"]),
        ("0000:81:00.0", &["lpfc 0000:81:00.0: 0:0457 Adapter Hardware Error Data: x1 x2 x3"]),
        ("0000:0d:00.0", &["cxl_pci 0000:0d:00.0: mailbox timeout, device state fatal"]),
        (
            "0000:03:00.0",
            &["amdgpu 0000:03:00.0: amdgpu: SMU is in hanged state, failed to send smu message!"],
        ),
        (
            "0000:02:00.0",
            &["iwlwifi 0000:02:00.0: Timeout waiting for hardware access (CSR_GP_CNTRL 0x080403d8)"],
        ),
    ] {
        let expected = format!("{address} device-firmware likely device-failed");
        assert_eq!(ill(&log(messages)), [expected], "{messages:?}");
    }
    // Wordings that stand anywhere take the device from the front of the line.
    let hang = "amdgpu 0000:08:00.0: amdgpu: ring gfx_0.0.0 timeout, signaled seq=1, emitted seq=3";
    assert_eq!(ill(&log(&[hang])), ["0000:08:00.0 device-firmware likely device-failed"]);
    let wedged = ["0000:03:00.0 driver-wedged likely driver-failed"];
    assert_eq!(ill(&log(&["xe 0000:03:00.0: [drm] device wedged, needs recovery"])), wedged);
    assert!(
        ill(&log(&["amdgpu 0000:03:00.0: [drm] device wedged, but recovered through reset"]))
            .iter()
            .all(|line| !line.contains("wedged likely"))
    );
    let told = ["0000:55:00.0 error-storm possible errors-unnamed"];
    let line = "mlx5_core 0000:55:00.0: mlx5_pci_err_detected Device state = 1 pci_status: 0. Exit, result = 3, need reset";
    assert_eq!(ill(&log(&[line])), told);
}

#[test]
fn what_a_driver_got_over_is_possible_at_most() {
    for (who, message) in [
        ("nvme3", "nvme nvme3: I/O 12 QID 3 timeout, aborting"),
        ("0000:03:00.0", "ixgbe 0000:03:00.0 enp3s0: Detected Tx Unit Hang"),
        ("0000:03:00.0", "bnxt_en 0000:03:00.0 eth0: Error (timeout: 500015) msg {0x23 0x1f43} len:0"),
        ("0000:03:00.0", "iwlwifi 0000:03:00.0: Microcode SW error detected. Restarting 0x0."),
        ("0000:03:00.0", "ath10k_pci 0000:03:00.0: failed to wake target for read32 at 0x00036044: -110"),
    ] {
        assert_eq!(
            ill(&log(&[message])),
            [format!("{who} device-firmware possible device-slow")],
            "{message}"
        );
    }
    let reset = ["nvme3 device-firmware likely device-failed"];
    let timeout = "nvme nvme3: I/O 12 QID 3 timeout, ";
    assert_eq!(ill(&log(&[&format!("{timeout}aborting"), &format!("{timeout}reset controller")])), reset);
}

#[test]
fn controllers_are_joined_to_the_functions_that_their_driver_named() {
    let two = [
        "mpt3sas 0000:3b:00.0: enabling device (0000 -> 0002)",
        "mpt3sas_cm0: 64 BIT PCI BUS DMA ADDRESSING SUPPORTED, total mem (131072000 kB)",
        "mpt3sas 0000:5e:00.0: enabling device (0000 -> 0002)",
        "mpt3sas_cm1: 64 BIT PCI BUS DMA ADDRESSING SUPPORTED, total mem (131072000 kB)",
        "mpt3sas_cm0: fault_state(0x2667)!",
        "mpt3sas_cm1: SAS host is non-operational !!!!",
    ];
    let expected = [
        "0000:3b:00.0 device-firmware likely device-failed",
        "0000:5e:00.0 fallen-off-bus likely off-the-bus-by-log",
    ];
    assert_eq!(ill(&log(&two)), expected);
    // A later line tells as well.
    let later =
        ["nvme nvme1: I/O 12 QID 3 timeout, reset controller", "nvme nvme1: pci function 0000:65:00.0"];
    assert_eq!(ill(&log(&later)), ["0000:65:00.0 device-firmware likely device-failed"]);
    // Without any such line nobody knows.
    assert_eq!(ill(&log(&two[4..5])), ["mpt3sas_cm0 device-firmware likely device-failed"]);
    let answer =
        answer_to(&log(&["nvme nvme3: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff"]));
    let advice = answer.devices[0].will_not_help.iter().map(|a| a.what.as_str()).collect::<String>();
    assert!(!advice.contains("devices/nvme3"), "{advice}");
    assert!(
        advice.contains("look up ADDRESS first") && advice.contains("/sys/class/nvme/nvme3/device"),
        "{advice}"
    );
}

#[test]
fn all_ones_in_a_register_that_nobody_knows_are_possible_and_beat_nothing() {
    let ones = "foo 0000:0a:00.0 eth0: status register 0xffffffff";
    let found = "pci 0000:0a:00.0: [8086:1592] type 00 class 0x020000";
    let possible = ["0000:0a:00.0 fallen-off-bus possible registers-read-all-ones"];
    assert_eq!(ill(&log(&[ones])), possible);
    assert!(ill(&log(&[ones, found])).is_empty(), "found again");
    let pointer = "snd_hda_intel 0000:0a:00.0: CORB reset timeout#2, CORBRP = 65535";
    assert_eq!(ill(&log(&[pointer])), possible);
    let better = "pcieport 0000:00:01.0: pciehp: Slot(5): Card not present";
    let bridge = "pci 0000:00:01.0: PCI bridge to [bus 0a]";
    let removed = ["0000:0a:00.0 surprise-removed likely taken-out"];
    assert_eq!(ill(&log(&[bridge, found, better, ones])), removed);
    for harmless in
        ["DMA mask 0xffffffff", "bus address [mem 0xf0000000-0xffffffff]", "cookie ffffffffffffffff"]
    {
        assert!(ill(&log(&[&format!("foo 0000:0a:00.0: {harmless}")])).is_empty(), "{harmless}");
    }
}

#[test]
fn trouble_in_words_that_no_catalogue_has_is_not_told_healthy() {
    let found = "pci 0000:0a:00.0: [8086:1592] type 00 class 0x020000";
    let alarm = "foo 0000:0a:00.0: mailbox is not responding";
    assert_eq!(ill(&log(&[found, alarm])), ["0000:0a:00.0 unknown possible trouble-not-understood"]);
    assert_eq!(answer_to(&log(&[found, alarm])).verdict, Verdict::Unknown);
    // What merely failed is counted and named.
    let failed = ["foo 0000:0a:00.0: ring init failed: -5", "foo 0000:0a:00.0: queue setup failed: -5"];
    let answer = answer_to(&log(&[found, failed[0], failed[1]]));
    assert_eq!(answer.verdict, Verdict::Healthy);
    let [note] = answer.notes.as_slice() else { panic!("{:?}", answer.notes) };
    assert_eq!(
        note,
        "2 lines about 0000:0a:00.0 sound like trouble and are not in the catalogue, the first at line 2: foo 0000:0a:00.0: ring \
         init failed: -5"
    );
    // A boot without any is quiet.
    let quiet = "iwlwifi 0000:0a:00.0: Direct firmware load for iwlwifi-89.ucode failed with error -2";
    assert!(answer_to(&log(&[found, quiet])).notes.is_empty());
    // An error of the kernel's own mark, whatever its words.
    let marked = format!("<3>{}", log(&["foo 0000:0a:00.0: ring 3 is odd"]));
    assert!(answer_to(&(log(&[found]) + &marked)).notes[0].starts_with("1 line about 0000:0a:00.0 sounds"));
}

#[test]
fn a_log_of_which_nothing_was_understood_is_not_healthy() {
    let other = ["usb 1-1: new high-speed USB device number 2", "EXT4-fs (sda1): mounted filesystem"];
    let answer = answer_to(&log(&other));
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert_eq!(
        answer.notes,
        [
            "2 lines were read, at least 2 of them the kernel's, and none was understood as one about PCI, its devices or their drivers: \
             nothing is known of any device"
        ]
    );
    // Nor is one in which somebody only complains.
    assert_eq!(answer_to(&log(&["foo 0000:0a:00.0: ring init failed: -5"])).verdict, Verdict::Unknown);
    assert_eq!(
        answer_to(&log(&["pci 0000:0a:00.0: [8086:1592] type 00 class 0x020000"])).verdict,
        Verdict::Healthy
    );
}

#[test]
fn a_silent_processor_before_a_loss_is_no_first_cause() {
    let silent = "NVRM: Xid (PCI:0000:81:00): 119, pid=1, name=x, Timeout after 6s of waiting for RPC response from GPU0 GSP! \
                  Expected function 76 (GSP_RM_CONTROL) (0x20802a02 0x8).";
    let lost = "NVRM: Xid (PCI:0000:81:00): 79, pid=1, name=x, GPU has fallen off the bus.";
    for order in [[silent, lost], [lost, silent]] {
        let text = log(&order);
        assert_eq!(ill(&text), ["0000:81:00.0 fallen-off-bus likely off-the-bus-after-silence"]);
        let answer = answer_to(&text);
        let cause = answer.devices[0].first_cause.as_ref().unwrap();
        assert_eq!(cause.sign, "driver-reads-all-ones");
        assert!(answer.devices[0].because.unwrap().contains("early sign or a consequence"));
    }
}

#[test]
fn without_time_stamps_the_order_of_lines_is_the_order_of_time() {
    let bridge = "pci 0000:80:01.1: PCI bridge to [bus 81]\n";
    let lost = "NVRM: Xid (PCI:0000:81:00): 79, pid=1, name=x, GPU has fallen off the bus.\n";
    let out = "pcieport 0000:80:01.1: pciehp: Slot(3): Card not present\n";
    for stamp in ["", "[  +0.000012] ", "[Nov11 23:25] "] {
        let log = |lines: [&str; 3]| lines.map(|line| format!("{stamp}{line}")).concat();
        let fell = ["0000:81:00.0 fallen-off-bus likely off-the-bus-then-taken-out"];
        assert_eq!(ill(&log([bridge, lost, out])), fell, "{stamp}");
        assert_eq!(
            ill(&log([bridge, out, lost])),
            ["0000:81:00.0 surprise-removed likely taken-out"],
            "{stamp}"
        );
    }
}

#[test]
fn errors_of_the_only_port_that_reports_any_are_guessed_to_be_of_the_device_that_was_lost() {
    let error =
        "pcieport 0000:c0:01.1: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)";
    let bits = [
        "pcieport 0000:c0:01.1:   device [1022:14ab] error status/mask=00000001/00006000",
        "pcieport 0000:c0:01.1:    [ 0] RxErr                  (First)",
    ];
    let lost = "NVRM: Xid (PCI:0000:c1:00): 79, pid=1, name=x, GPU has fallen off the bus.";
    let text = log(&[error, bits[0], bits[1], lost]);
    let found = ill(&text);
    assert!(
        found.contains(&"0000:c1:00.0 fallen-off-bus possible off-the-bus-after-bad-signal".to_owned()),
        "{found:?}"
    );
    let answer = answer_to(&text);
    let device = answer.devices.iter().find(|d| d.address.as_deref() == Some("0000:c1:00.0")).unwrap();
    assert!(device.not_known.iter().any(|n| n.what.contains("which port is above")), "a guess is named");
    // Two ports, or two devices, and nobody knows which.
    let another = error.replace("c0:01.1", "c0:03.1");
    let second = lost.replace("c1:00", "c2:00");
    for more in [&another, &second] {
        let text = log(&[error, bits[0], bits[1], more, lost]);
        let found = ill(&text);
        assert!(
            found.contains(&"0000:c1:00.0 fallen-off-bus likely off-the-bus-by-log".to_owned()),
            "{found:?}"
        );
    }
}

#[test]
fn every_style_of_log_is_read_or_unknown() {
    let gone = "NVRM: Xid (PCI:0000:81:00): 79, pid=1, name=x, GPU has fallen off the bus.";
    for style in [
        "<6>[  100.300000] [T1@cpu0] {}",
        "<6>[  100.300000][  T123] {}",
        "[  100.300000] [    C0] {}",
        "kern:     err: [2024-01-15T19:37:30.689914441Z]: {}",
        "172.20.0.2: kern:     err: [2024-01-15T19:37:30.689914441Z]: {}",
        "[  100.300000] {}\r",
        "<3>1 2025-07-06T20:36:20Z host kernel - - - [  100.300000] {}",
        "<3>1 2025-07-06T20:36:20Z host kernel - - [meta sequenceId=\"3\"] {}",
        "Mar  3 10:00:01 gpu-node7.example.org kernel: {}",
    ] {
        let text = format!("{}\n", style.replace("{}", gone));
        assert_eq!(ill(&text), ["0000:81:00.0 fallen-off-bus likely off-the-bus-by-log"], "{style}");
    }
    for style in [
        "I1213 11:02:03.347660       1 log_monitor.go:160] New status generated: &{Events:[{Message:{}}]}",
        "Warning  XIDError  3m  kernel-monitor, node1  {}",
        "user: warning: [2024-01-15T19:37:30.689914441Z]: [talos] {}",
    ] {
        let text = format!("{}\n", style.replace("{}", gone));
        assert_eq!(answer_to(&text).verdict, Verdict::Unknown, "{style}");
    }
}

#[test]
fn a_subject_is_named_as_people_name_it() {
    assert_eq!(Subject::Named("nvme0".into()).to_string(), "nvme0");
    assert_eq!(Subject::Function("0000:81:00.0".parse().unwrap()).to_string(), "0000:81:00.0");
}

#[test]
fn an_error_that_began_with_its_message_is_seen_where_it_began() {
    // The clock was set between the two lines of one report.
    let text = "Mar  1 03:12:00 host kernel: pcieport 0000:00:01.0: AER: Corrected error received: 0000:00:01.0\n\
        2026-03-15T03:12:14.123456+0100 host kernel: pci 0000:02:00.0: AER: PCIe Bus Error: severity=Uncorrectable (Fatal), \
        type=Inaccessible, (Unregistered Agent ID)\n\
        Mar  2 03:12:01 host kernel: igb 0000:02:00.0 enp2s0: PCIe link lost\n";
    let answer = answer_to(text);
    let device = answer.devices.iter().find(|d| d.address.as_deref() == Some("0000:02:00.0")).unwrap();
    let cause = device.first_cause.as_ref().unwrap();
    assert!(!cause.proofs.is_empty(), "{cause:?}");
}
