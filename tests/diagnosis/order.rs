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
    let log = events_of(&mut format!("{FOUND}{text}").as_bytes()).unwrap();
    let sources = Sources::new(Some(&log), None);
    let found = diagnose(&sources);
    let ill = found.iter().filter(|d| d.verdict.name() != "healthy");
    ill.map(|d| {
        let who = match &d.subject {
            Subject::Function(address) => address.to_string(),
            Subject::Named(name) => name.clone(),
        };
        format!("{who} {} {}", d.verdict.name(), d.rule.map_or("-", |rule| rule.id))
    })
    .collect()
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
        assert!(ill.len() == 1 && ill[0].contains(" driver-wedged "), "{line}: {ill:?}");
    }
}
