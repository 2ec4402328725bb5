//! Small logs, each about one question of order, time and meaning, and what comes of them.

use pciscope::diagnosis::{Sources, Subject, diagnose};
use pciscope::inspect::diagnose::{Diagnose, diagnose as answer};
use pciscope::kernel_log::source::events_of;
use pciscope::names::Names;

/// What each log begins with: a port, a GPU below it, a drive and a network card.
const FOUND: &str = "\
[    1.000000] pci 0000:60:03.1: PCI bridge to [bus 64]
[    1.000100] pci 0000:64:00.0: [10de:2330] type 00 class 0x030200
[    1.000200] pci 0000:60:04.1: PCI bridge to [bus 65]
[    1.000300] pci 0000:65:00.0: [144d:a808] type 00 class 0x010802
[    1.500000] nvme nvme2: pci function 0000:65:00.0
[    1.600000] pci 0000:17:00.0: [8086:1592] type 00 class 0x020000
";

/// Devices that are not healthy, with verdict and rule: `0000:64:00.0 link-down slot-lost-its-link`.
fn ill(text: &str) -> Vec<String> {
    super::ill(&format!("{FOUND}{text}"))
}

fn expect(text: &str, expected: &[&str]) {
    assert_eq!(ill(text), expected, "{text}");
}

const CONTAINED: &str = "\
[  100.000000] pcieport 0000:60:04.1: DPC: containment event, status:0x1f01 source:0x0000
[  100.000100] pcieport 0000:60:04.1: DPC: unmasked uncorrectable error detected
";

#[test]
fn containment_ends_when_what_is_below_was_recovered() {
    expect(
        CONTAINED,
        &["0000:60:04.1 contained-by-dpc contained", "0000:65:00.0 contained-by-dpc contained"],
    );
    let over = ["0000:60:04.1 error-storm contained-and-over", "0000:65:00.0 error-storm contained-and-over"];
    for line in [
        "pcieport 0000:60:04.1: AER: device recovery successful",
        "nvme nvme2: 32/0/0 default/read/poll queues",
        "pci 0000:65:00.0: [144d:a808] type 00 class 0x010802",
    ] {
        expect(&format!("{CONTAINED}[  101.000000] {line}\n"), &over);
    }
    // Recovered before says nothing of later.
    expect(
        &format!("[   99.000000] pcieport 0000:60:04.1: AER: device recovery successful\n{CONTAINED}"),
        &["0000:60:04.1 contained-by-dpc contained", "0000:65:00.0 contained-by-dpc contained"],
    );
    // Surprise Down of a drive that was exchanged is what containment is for.
    let exchanged = "\
[  100.100000] pcieport 0000:60:04.1: pciehp: Slot(5): Card not present
[  300.000000] pcieport 0000:60:04.1: pciehp: Slot(5): Card present
[  300.100000] pcieport 0000:60:04.1: pciehp: Slot(5): Link Up
[  300.500000] pci 0000:65:00.0: [144d:a80a] type 00 class 0x010802
";
    expect(&format!("{CONTAINED}{exchanged}"), &[]);
}

#[test]
fn the_last_recovery_action_that_the_driver_asks_for_holds() {
    let changed = |second: u32, to: &str| {
        let line =
            format!("Xid (PCI:0000:64:00): 154, GPU recovery action changed from 0x3 (Drain P2P) to {to}");
        format!("[  {second}.000000] NVRM: {line}\n")
    };
    let (none, reset) = ("0x0 (None)", "0x1 (GPU Reset Required)");
    let wanted = ["0000:64:00.0 driver-wedged recovery-asked-for"];
    expect(&changed(100, none), &[]);
    expect(&changed(100, reset), &wanted);
    expect(&format!("{}{}", changed(100, none), changed(200, "0x2 (Node Reboot Required)")), &wanted);
    expect(&format!("{}{}", changed(100, reset), changed(200, none)), &[]);
    expect(&format!("{}{}{}", changed(100, reset), changed(200, none), changed(300, reset)), &wanted);
}

#[test]
fn a_reset_without_return_ends_when_the_device_was_started() {
    let reset = "[  100.000000] vfio-pci 0000:65:00.0: not ready 65535ms after FLR; giving up\n";
    expect(reset, &["0000:65:00.0 reset-failed reset-without-return"]);
    expect(&format!("{reset}[  300.000000] nvme nvme2: 32/0/0 default/read/poll queues\n"), &[]);
    // vfio writes addresses back after a reset: nothing failed.
    expect("[  10.000000] vfio-pci 0000:17:00.0: vfio_bar_restore: reset recovery - restoring BARs\n", &[]);
}

#[test]
fn a_narrow_slot_does_not_hide_a_link_that_went_down() {
    let narrow = "[    1.700000] pci 0000:64:00.0: 252.048 Gb/s available PCIe bandwidth, limited by 16.0 GT/s PCIe x16 link \
                  at 0000:60:03.1 (capable of 504.112 Gb/s with 32.0 GT/s PCIe x16 link)\n";
    let lost = "[  100.100000] NVRM: Xid (PCI:0000:64:00): 79, pid=55, name=x, GPU has fallen off the bus.\n";
    for (cause, rule) in [("Link Down", "slot-lost-its-link"), ("No link", "card-without-link")] {
        let down = format!("[  100.000000] pcieport 0000:60:03.1: pciehp: Slot(5): {cause}\n");
        let expected = format!("0000:64:00.0 link-down {rule}");
        expect(&format!("{narrow}{down}{lost}"), &[expected.as_str()]);
    }
}

/// A fatal error of a GPU that nobody could recover, at that second.
fn fatal(second: u64) -> String {
    format!(
        "[{second}.000000] pcieport 0000:60:03.1: AER: Uncorrectable (Fatal) error message received from 0000:64:00.0\n\
         [{second}.000100] nvidia 0000:64:00.0: PCIe Bus Error: severity=Uncorrectable (Fatal), type=Inaccessible, \
         (Unregistered Agent ID)\n\
         [{second}.100000] pcieport 0000:60:03.1: AER: device recovery failed\n"
    )
}

/// A program's page fault, at that second.
fn page_fault(second: u64) -> String {
    format!(
        "[{second}.000000] NVRM: Xid (PCI:0000:64:00): 31, pid=55, name=x, Ch 00000008, intr 0. MMU Fault\n"
    )
}

#[test]
fn what_happened_long_ago_explains_nothing_today() {
    let program = ["0000:64:00.0 application-fault program-failed"];
    let bus = ["0000:64:00.0 error-storm errors-first"];
    expect(&(page_fault(600_000) + &fatal(600_002)), &program);
    expect(&(page_fault(8_640) + &fatal(604_800)), &bus);
    // The first error followed from the program, the second days later did not.
    expect(&(page_fault(100) + &fatal(102) + &fatal(604_800)), &bus);
    // A program that fails again and again, and an error that follows none of it.
    expect(&(page_fault(100) + &fatal(50_000) + &page_fault(90_000)), &bus);
}

#[test]
fn a_drive_that_was_started_again_is_over() {
    let timeout = "[  100.000000] nvme nvme2: I/O 12 QID 3 timeout, reset controller\n";
    let started = "[  101.000000] nvme nvme2: 32/0/0 default/read/poll queues\n";
    let error = "\
[  900.000000] pcieport 0000:60:04.1: AER: Uncorrectable (Non-Fatal) error message received from 0000:65:00.0
[  900.000100] nvme 0000:65:00.0: PCIe Bus Error: severity=Uncorrectable (Non-Fatal), type=Transaction Layer, (Receiver ID)
[  900.000200] nvme 0000:65:00.0:   device [144d:a808] error status/mask=00001000/00000000
[  900.000300] nvme 0000:65:00.0:    [12] TLP                    (First)
";
    expect(&format!("{timeout}{error}"), &["0000:65:00.0 device-firmware device-failed"]);
    expect(&format!("{timeout}{started}{error}"), &["0000:65:00.0 error-storm errors-first"]);
}

/// What firmware handled first, of one section.
fn firmware(severity: &str, section: &str) -> String {
    [
        "Hardware error from APEI Generic Hardware Error Source: 5".to_owned(),
        format!("event severity: {severity}"),
        format!(" Error 0, type: {severity}"),
        format!("  section_type: {section}"),
    ]
    .map(|line| format!("[  50.000000] {{1}}[Hardware Error]: {line}\n"))
    .concat()
}

#[test]
fn memory_and_processors_are_not_on_the_bus() {
    for severity in ["corrected", "recoverable", "fatal"] {
        for section in ["memory error", "general processor error", "ARM processor error"] {
            expect(&firmware(severity, section), &[]);
        }
    }
    let address = "[  50.000000] {1}[Hardware Error]:   device_id: 0000:17:00.0\n";
    let bus = firmware("fatal", "PCIe error") + address;
    expect(&bus, &["0000:17:00.0 error-storm errors-first"]);
    // A report of two sections is two errors.
    let more = "[  50.000000] {1}[Hardware Error]:  Error 1, type: corrected\n\
                [  50.000000] {1}[Hardware Error]:   section_type: memory error\n";
    expect(&(bus + more), &["0000:17:00.0 error-storm errors-first"]);
}

#[test]
fn what_firmware_corrected_is_not_uncorrected() {
    let named = |second: u64, bits: &str, more: &str| {
        format!(
            "[{second}.000000] ice 0000:17:00.0: aer_status: 0x00000001, aer_mask: 0x0000e000\n\
             [{second}.000100] ice 0000:17:00.0:    {bits}\n\
             [{second}.000200] ice 0000:17:00.0: aer_layer=Physical Layer, aer_agent=Receiver ID\n{more}"
        )
    };
    let (corrected, uncorrected) =
        ("[ 0] RxErr                  (First)", "[14] CmpltTO                (First)");
    let often = named(100, corrected, "") + &named(200, corrected, "");
    expect(&often, &["0000:17:00.0 error-storm corrected-errors"]);
    let severity = "[100.000300] ice 0000:17:00.0: aer_uncor_severity: 0x004ef010\n";
    for log in [named(100, uncorrected, ""), named(100, uncorrected, severity)] {
        expect(&log, &["0000:17:00.0 error-storm errors-first"]);
    }
}

#[test]
fn overlapping_reservations_are_harmless() {
    expect(
        "[    1.800000] pnp 00:05: disabling [mem 0xfed00000-0xfed003ff] because it overlaps 0000:17:00.0 BAR 0 [mem \
         0xfed00000-0xfed000ff 64bit]\n",
        &[],
    );
    let taken =
        "[    2.000000] ice 0000:17:00.0: BAR 0: can't reserve [mem 0xe0000000-0xe1ffffff 64bit pref]\n";
    expect(taken, &[]);
    expect(
        &format!("{taken}[    2.100000] ice 0000:17:00.0: probe with driver ice failed with error -16\n"),
        &["0000:17:00.0 misconfigured addresses-taken"],
    );
}

#[test]
fn status_in_configuration_space_tells_a_dead_bus_from_a_dead_drive() {
    let down = |status: &str| {
        format!(
            "[  100.000000] nvme nvme2: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS{status}\n"
        )
    };
    for status in ["=0xffff", " read failed (134)"] {
        expect(&down(status), &["0000:65:00.0 fallen-off-bus off-the-bus-by-log"]);
    }
    expect(&down("=0x10"), &["0000:65:00.0 device-firmware memory-silent"]);
    // First its memory was gone, then all of it.
    let then =
        "[  160.000000] nvme nvme2: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff\n";
    expect(&(down("=0x10") + then), &["0000:65:00.0 fallen-off-bus off-the-bus-by-log"]);
}

#[test]
fn an_unexplained_number_is_unknown() {
    let xid = |number: u32| {
        format!("[  100.000000] NVRM: Xid (PCI:0000:64:00): {number}, pid=1, name=x, something\n")
    };
    for number in [999, 141, 142, 44] {
        expect(&xid(number), &["0000:64:00.0 unknown number-unexplained"]);
    }
    expect(&xid(39), &["0000:64:00.0 application-fault program-suspected"]);
    expect(&xid(45), &["0000:64:00.0 application-fault program-cleaned-up"]);
    expect(&xid(31), &["0000:64:00.0 application-fault program-failed"]);
    expect(&xid(79), &["0000:64:00.0 fallen-off-bus off-the-bus-by-log"]);
    expect(&xid(48), &["0000:64:00.0 memory-fault memory-errors"]);
}

#[test]
fn one_corrected_error_in_hours_is_no_storm() {
    let error = |second: u64| {
        format!(
            "[{second}.000000] pcieport 0000:60:03.1: AER: Corrected error message received from 0000:64:00.0\n\
             [{second}.000100] nvidia 0000:64:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)\n\
             [{second}.000200] nvidia 0000:64:00.0:   device [10de:2330] error status/mask=00000001/0000e000\n\
             [{second}.000300] nvidia 0000:64:00.0:    [ 0] RxErr                  (First)\n"
        )
    };
    let storm = ["0000:64:00.0 error-storm corrected-errors"];
    expect(&error(7_200), &[]);
    expect(&(error(7_200) + &error(300_000)), &[]);
    expect(&(error(7_200) + &error(7_230)), &storm);
    // In a piece of a log nobody knows how many others there were.
    expect(&error(2), &storm);
    // A burst in a long log is a burst.
    let many: String = (0..100).map(|n| error(500_000 + n)).collect();
    expect(&(many + "[900000.000000] nvme nvme2: 32/0/0 default/read/poll queues\n"), &storm);
}

#[test]
fn an_injected_error_is_a_test_where_it_was_injected() {
    let corrected = |device: &str| {
        format!(
            "[7200.000000] pcieport 0000:60:03.1: AER: Corrected error message received from {device}\n\
             [7200.000100] nvidia {device}: PCIe Bus Error: severity=Uncorrectable (Non-Fatal), type=Transaction Layer, \
             (Requester ID)\n[7200.000200] nvidia {device}:    [14] CmpltTO                (First)\n"
        )
    };
    let injected = "[7199.900000] pcieport 0000:60:03.1: aer_inject: Injecting errors 00000000/00004000 into device \
                    0000:64:00.0\n";
    expect(&format!("{injected}{}", corrected("0000:64:00.0")), &[]);
    expect(&format!("{injected}{}", corrected("0000:17:00.0")), &["0000:17:00.0 error-storm errors-first"]);
}

fn answered(text: &str) -> Diagnose {
    let log = events_of(&mut format!("{FOUND}{text}").as_bytes()).unwrap();
    let sources = Sources::new(Some(&log), None);
    answer(&sources, &diagnose(&sources), &Names::embedded(), false, Vec::new())
}

#[test]
fn a_card_with_too_little_power_is_not_taken_for_dead() {
    let little = "[ 9000.000000] mlx5_core 0000:17:00.0: mlx5_pcie_event:301:(pid 296): Detected insufficient power on the PCIe \
                  slot (25W).\n";
    let fault = "[ 9000.000000] pcieport 0000:60:03.1: pciehp: Slot(5): Power fault\n\
                 [ 9000.100000] NVRM: Xid (PCI:0000:64:00): 79, pid=55, name=x, GPU has fallen off the bus.\n";
    for (text, device, useless) in [(little, "0000:17:00.0", 0), (fault, "0000:64:00.0", 2)] {
        let answer = answered(text);
        let device = answer.devices.iter().find(|d| d.address.as_deref() == Some(device)).unwrap();
        assert_eq!((device.verdict.name(), device.will_not_help.len()), ("slot-power", useless), "{text}");
        assert!(!device.to_do.is_empty() && !device.ask.is_empty());
    }
}

#[test]
fn of_verdicts_that_are_as_bad_the_first_one_names_the_whole() {
    let memory =
        "[  105.000000] NVRM: Xid (PCI:0000:17:00): 48, pid=1, name=y, DBE (double bit error) ECC Error\n";
    let answer = answered(&(memory.to_owned() + &page_fault(100)));
    let all: Vec<&str> =
        answer.devices.iter().map(|d| d.verdict.name()).filter(|v| *v != "healthy").collect();
    assert_eq!(all, ["memory-fault", "application-fault"]);
    assert_eq!(answer.verdict.name(), "memory-fault");
}

#[test]
fn of_several_boots_it_is_told_which_is_meant() {
    let lost = "[  100.000000] NVRM: Xid (PCI:0000:64:00): 79, pid=55, name=x, GPU has fallen off the bus.\n";
    assert!(answered(lost).devices.iter().all(|device| device.boot.is_none()));
    let later = "[    0.000000] Linux version 6.8.0-45-generic (x) #45 SMP\n\
                 [    0.500000] pci 0000:64:00.0: [10de:2330] type 00 class 0x030200\n";
    let answer = answered(&format!("{lost}{later}"));
    let device = answer.devices.iter().find(|d| d.verdict.name() == "fallen-off-bus").unwrap();
    let boot = device.boot.as_ref().unwrap();
    assert_eq!((boot.number, boot.of, boot.first_line), (1, 2, 1));
    let answer = answered(&format!("{later}{lost}"));
    let device = answer.devices.iter().find(|d| d.verdict.name() == "fallen-off-bus").unwrap();
    let boot = device.boot.as_ref().unwrap();
    assert_eq!((boot.number, boot.of, boot.first_line), (2, 2, 7));
    assert!(boot.kernel.as_deref().is_some_and(|kernel| kernel.starts_with("Linux version 6.8.0")));
}

/// A controller whose firmware hangs answers on the bus; only who read all-ones knows that nobody does.
#[test]
fn what_hangs_is_not_gone() {
    let xhci = "[  100.000000] xhci_hcd 0000:64:00.2: xHCI host controller not responding, assume dead\n";
    let ill_of = ill;
    let ill = ill_of(xhci);
    assert_eq!(ill.len(), 1, "{ill:?}");
    assert!(ill[0].starts_with("0000:64:00.2 device-firmware "), "{ill:?}");
    let line = |code: u8| {
        format!(
            "[  100.000000] mlx5_core 0000:17:00.0: poll_health:825:(pid 0): Fatal error {code} detected\n"
        )
    };
    // health.c: 1 and 2 are the bus, 3 to 5 the device.
    for (code, verdict) in
        [(1, "fallen-off-bus"), (2, "fallen-off-bus"), (3, "device-firmware"), (5, "device-firmware")]
    {
        let ill = ill_of(&line(code));
        assert!(ill.len() == 1 && ill[0].starts_with(&format!("0000:17:00.0 {verdict} ")), "{code}: {ill:?}");
    }
}

/// Since 6.8 the driver, its device and the interface stand before the message.
#[test]
fn a_queue_that_stands_still_is_told_in_both_wordings() {
    for line in [
        "NETDEV WATCHDOG: ens1 (ice): transmit queue 3 timed out 5000 ms",
        "ice 0000:17:00.0 ens1: NETDEV WATCHDOG: CPU: 3: transmit queue 3 timed out 5000 ms",
    ] {
        let text = format!(
            "[   90.000000] ice 0000:17:00.0: The DDP package was successfully loaded\n[  100.000000] {line}\n"
        );
        let ill = ill(&text);
        assert!(ill.len() == 1 && ill[0].ends_with(" device-firmware device-slow"), "{line}: {ill:?}");
    }
}

/// As [`expect`], of a log that says nothing of what is below which port.
fn expect_alone(text: &str, expected: &[&str]) {
    let log = events_of(&mut text.as_bytes()).unwrap();
    let sources = Sources::new(Some(&log), None);
    let found = diagnose(&sources);
    let ill = found.iter().filter(|d| d.verdict.name() != "healthy");
    let ill = ill.map(|d| match &d.subject {
        Subject::Function(address) => format!("{address} {} {}", d.verdict.name(), d.confidence.name()),
        Subject::Named(name) => name.clone(),
    });
    assert_eq!(ill.collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn stopped_channels_and_bad_registers_are_a_loss_only_where_nobody_answers() {
    let stopped = |number: u32| {
        format!(
            "[  100.000000] NVRM: Xid (PCI:0000:64:00): {number}, pid=1, name=x, something\n\
             [  100.100000] NVRM: _kgspRcAndNotifyAllChannels: RC all channels for critical error {number}.\n"
        )
    };
    for (number, verdict) in [
        (48, "memory-fault memory-errors"),
        (62, "device-firmware device-failed"),
        (120, "device-firmware device-failed"),
        (79, "fallen-off-bus off-the-bus-by-log"),
    ] {
        expect(&stopped(number), &[format!("0000:64:00.0 {verdict}").as_str()]);
    }
    let read = |value: &str| {
        format!(
            "[  100.000000] NVRM: GPU 0000:64:00.0: GPU serial number is 1.\n\
             [  100.100000] NVRM: GPU0 gpuHandleSanityCheckRegReadError_GH100: Possible bad register read: addr: 0x110804,  \
             regvalue: {value},  error code: Unknown SYS_PRI_ERROR_CODE\n"
        )
    };
    expect(&read("0xbadf5620"), &[]);
    expect(&read("0xffffffff"), &["0000:64:00.0 fallen-off-bus off-the-bus-by-log"]);
}

#[test]
fn ports_of_one_device_number_have_a_slot_each() {
    expect(
        "[    2.000000] pci 0000:00:1c.0: PCI bridge to [bus 03]\n\
         [    2.000100] pci 0000:00:1c.4: PCI bridge to [bus 04]\n\
         [    2.000200] pci 0000:04:00.0: [144d:a808] type 00 class 0x010802\n\
         [  100.000000] pcieport 0000:00:1c.0: pciehp: Slot(8): Card not present\n\
         [  101.000000] nvme nvme0: pci function 0000:04:00.0\n",
        &["0000:00:1c.0 surprise-removed taken-out"],
    );
}

#[test]
fn a_port_is_guessed_only_where_one_device_was_in_trouble_at_that_time() {
    let empty = "[  100.000000] pcieport 0000:00:1c.0: pciehp: Slot(8): Card not present\n";
    let lost = |second: u64| {
        format!("[{second:>5}.000000] NVRM: Xid (PCI:0000:01:00): 79, pid=1, GPU has fallen off the bus.\n")
    };
    let port = "0000:00:1c.0 surprise-removed likely";
    expect_alone(&format!("{empty}{}", lost(101)), &["0000:01:00.0 surprise-removed possible"]);
    // Hours apart; or something else that can be in the slot.
    expect_alone(&format!("{empty}{}", lost(5000)), &[port, "0000:01:00.0 fallen-off-bus likely"]);
    let other = "[   90.000000] pci 0000:03:00.0: [10ec:522a] type 00 class 0xff0000\n";
    expect_alone(&format!("{other}{empty}{}", lost(101)), &[port, "0000:01:00.0 fallen-off-bus likely"]);
}

#[test]
fn a_card_that_was_lost_long_before_it_was_taken_out_fell_off_the_bus() {
    let lost = |second: u64| {
        format!(
            "[{second}.000000] NVRM: Xid (PCI:0000:64:00): 79, pid=1, name=x, GPU has fallen off the bus.\n"
        )
    };
    let slot = |second: u64, what: &str| {
        format!("[{second}.000000] pcieport 0000:60:03.1: pciehp: Slot(1): {what}\n")
    };
    let own = |text: &str| ill(text).into_iter().find(|line| line.starts_with("0000:64:00.0")).unwrap();
    let fell = "0000:64:00.0 fallen-off-bus off-the-bus-then-taken-out";
    assert_eq!(own(&(lost(90_000) + &slot(99_000, "Card not present"))), fell);
    let taken = "0000:64:00.0 surprise-removed taken-out";
    assert_eq!(own(&(lost(98_998) + &slot(99_000, "Card not present"))), taken);
    assert_eq!(own(&(slot(99_000, "Card not present") + &lost(99_001))), taken);
    // Exchanged, lost, and taken out again: the first time is over.
    let exchanged = slot(100, "Card not present")
        + &slot(110, "Card present")
        + "[111.000000] pci 0000:64:00.0: [10de:2330] type 00 class 0x030200\n";
    assert_eq!(own(&(exchanged + &lost(90_000) + &slot(99_000, "Card not present"))), fell);
}

#[test]
fn what_was_refused_and_came_later_is_over() {
    let nvme = "[   31.100000] nvme nvme2: 16/0/0 default/read/poll queues\n";
    let gpu = "[   31.000000] [drm] Initialized nvidia-drm 0.0.0 20160202 for 0000:64:00.0 on minor 1\n";
    let found = "[   30.000000] pci 0000:64:00.0: [10de:2330] type 00 class 0x030200\n";
    for (line, verdict, later) in [
        (
            "nvme 0000:65:00.0: can't enable device: BAR 0 [mem 0x00000000-0x00003fff 64bit] not claimed",
            "0000:65:00.0 bar-not-assigned no-address",
            nvme,
        ),
        (
            "NVRM: GPU 0000:64:00.0: Failed to enable MSI-X.",
            "0000:64:00.0 interrupts-unavailable interrupts-refused",
            gpu,
        ),
        (
            "pcieport 0000:60:03.1: pciehp: Slot(1): Power fault",
            "0000:64:00.0 slot-power slot-without-power",
            found,
        ),
    ] {
        let line = format!("[    3.000000] {line}\n");
        expect(&line, &[verdict]);
        expect(&format!("{line}{later}"), &[]);
    }
}

#[test]
fn what_fell_off_first_is_not_hidden_by_who_took_it_out() {
    let lost = "[  100.000000] NVRM: Xid (PCI:0000:64:00): 79, pid=1, name=x, GPU has fallen off the bus.\n";
    let out = "[ 3700.000000] pcieport 0000:60:03.1: pciehp: Slot(5): Card not present\n";
    expect(&format!("{lost}{out}"), &["0000:64:00.0 fallen-off-bus off-the-bus-then-taken-out"]);
    let answer = answered(&format!("{lost}{out}"));
    let gpu = answer.devices.iter().find(|d| d.address.as_deref() == Some("0000:64:00.0")).unwrap();
    assert_eq!(gpu.followed.len(), 1, "that it was taken out belongs to the story: {:?}", gpu.followed);
    assert!(gpu.followed[0].message.contains("Card not present"));
    // Nothing tells what is below the port: only one device can be.
    expect_alone(&format!("{lost}{out}"), &["0000:64:00.0 fallen-off-bus possible"]);
    // Several can be: both are told, and the one that came first leads.
    let other = "[    1.000000] pci 0000:03:00.0: [10ec:522a] type 00 class 0xff0000\n";
    let bare = out.replace("0000:60:03.1", "0000:00:01.0");
    let log = events_of(&mut format!("{other}{lost}{bare}").as_bytes()).unwrap();
    let sources = Sources::new(Some(&log), None);
    let answer = answer_of(&sources);
    assert_eq!(answer.verdict.name(), "fallen-off-bus");
    assert_eq!(answer.devices.iter().filter(|d| d.verdict.name() == "surprise-removed").count(), 1);
    let text = pciscope::render::text::diagnose::diagnose(
        &answer,
        false,
        pciscope::render::style::Style { color: false, width: None },
    );
    assert!(text.starts_with("0000:64:00.0  fallen-off-bus"), "{text}");
}

fn answer_of(sources: &Sources<'_>) -> Diagnose {
    answer(sources, &diagnose(sources), &Names::embedded(), false, Vec::new())
}

/// The first cause of a device as it is told: line, time in seconds, how often.
fn cause(text: &str, device: &str) -> (&'static str, u64, u64, u64, String) {
    let answer = answered(text);
    let device = answer.devices.iter().find(|d| d.address.as_deref() == Some(device)).unwrap();
    let cause = device.first_cause.as_ref().unwrap();
    let seconds = cause.when.as_ref().unwrap().microseconds.unwrap() / 1_000_000;
    (cause.sign, cause.line.unwrap(), seconds, cause.count, cause.proofs[0].decoded.clone())
}

#[test]
fn time_and_line_of_a_first_cause_are_of_what_counts() {
    // What was taken back and came again.
    let failed = |second: u64, status: &str| {
        format!("[{second}.000000] NVRM: GPU 0000:64:00.0: RmInitAdapter failed! ({status}:0x56:742)\n")
    };
    let started = "[200.000000] [drm] Initialized nvidia-drm 0.0.0 20160202 for 0000:64:00.0 on minor 1\n";
    let (sign, line, seconds, count, text) =
        cause(&(failed(100, "0x22") + started + &failed(5_000, "0x22")), "0000:64:00.0");
    assert_eq!((sign, line, seconds, count), ("identity-unreadable", 9, 5_000, 1));
    assert!(text.contains("[5000.000000]"), "{text}");
    // What came days before, and again just before: the last time is why.
    let (sign, line, seconds, count, text) =
        cause(&(page_fault(8_640) + &page_fault(604_799) + &fatal(604_800)), "0000:64:00.0");
    assert_eq!(
        (sign, line, seconds, count),
        ("program-failed", 7, 8_640, 2),
        "no rule asks for what came before: {text}"
    );
    let errors = |second: u64| {
        format!(
            "[{second}.000000] nvidia 0000:64:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)\n\
             [{second}.000100] nvidia 0000:64:00.0:    [ 0] RxErr                  (First)\n"
        )
    };
    let lost = "[604800.000000] NVRM: Xid (PCI:0000:64:00): 79, pid=1, name=x, GPU has fallen off the bus.\n";
    let (sign, line, seconds, count, text) =
        cause(&(errors(8_640) + &errors(604_700) + lost), "0000:64:00.0");
    assert_eq!((sign, line, seconds, count), ("signal-errors", 9, 604_700, 1));
    assert!(text.contains("[604700.000000]"), "{text}");
    // All of it can be why: then it began with the first.
    let (_, line, seconds, count, _) = cause(&(errors(600_000) + &errors(604_700) + lost), "0000:64:00.0");
    assert_eq!((line, seconds, count), (7, 600_000, 2));
}

#[test]
fn errors_of_nvswitch_that_are_not_fatal_break_nothing() {
    let error = |number: u32, severity: &str| {
        format!(
            "[  100.000000] nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): {number}, {severity}, Link 46 something\n\
             [  100.000100] nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): {number}, Severity 0 Engine instance 46 Sub-engine instance 00\n\
             [  100.000200] nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): {number}, Data {{0x00140004, 0x00100000}}\n"
        )
    };
    for number in [22013, 20001, 19065] {
        expect(&error(number, "Non-fatal"), &[]);
    }
    let failed = ["0000:c1:00.0 device-firmware device-failed"];
    for (number, severity) in [(20034, "Fatal"), (12028, "Non-fatal"), (29999, "Fatal")] {
        expect(&error(number, severity), &failed);
    }
    let log = events_of(&mut error(20034, "Fatal").as_bytes()).unwrap();
    assert_eq!((log.events.len(), log.events[0].count, log.events[0].evidence.len()), (1, 1, 3));
}
