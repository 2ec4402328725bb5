use super::*;
use crate::kernel_log::source::events_of;

fn log(text: &str) -> Log {
    events_of(&mut text.as_bytes()).unwrap()
}

fn device(text: &str) -> Option<Bdf> {
    text.parse().ok()
}

#[test]
fn an_error_is_one_event_in_every_dialect() {
    let blocks = [
        // 4.14
        "pcieport 0000:00:1c.5: AER: Corrected error received: id=00e5\n\
         pcieport 0000:00:1c.5: PCIe Bus Error: severity=Corrected, type=Physical Layer, id=00e5(Receiver ID)\n\
         pcieport 0000:00:1c.5:   device [8086:9d15] error status/mask=00000001/00002000\n\
         pcieport 0000:00:1c.5:    [ 0] Receiver Error         (First)\n",
        // 5.4
        "pcieport 0000:00:1c.5: AER: Corrected error received: 0000:00:1c.5\n\
         pcieport 0000:00:1c.5: AER: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)\n\
         pcieport 0000:00:1c.5: AER:   device [8086:9d15] error status/mask=00000001/00002000\n\
         pcieport 0000:00:1c.5: AER:    [ 0] RxErr                  (First)\n",
        // 6.12
        "pcieport 0000:00:1c.5: AER: Correctable error message received from 0000:00:1c.5\n\
         pcieport 0000:00:1c.5: PCIe Bus Error: severity=Correctable, type=Physical Layer, (Receiver ID)\n\
         pcieport 0000:00:1c.5:   device [8086:9d15] error status/mask=00000001/00002000\n\
         pcieport 0000:00:1c.5:    [ 0] RxErr                  (First)\n",
    ];
    for block in blocks {
        let found = log(block);
        assert_eq!(found.events.len(), 1, "{block}{:#?}", found.events);
        let event = &found.events[0];
        assert_eq!((event.kind.id, event.count, event.evidence.len()), ("aer.error", 1, 4));
        assert_eq!(event.device, device("0000:00:1c.5"));
        assert_eq!(event.text("reporter"), Some("0000:00:1c.5"));
        assert_eq!(event.text("layer"), Some("Physical Layer"));
        assert_eq!((event.number("status"), event.number("mask")), (Some(1), Some(0x2000)));
        let Some(Value::List(errors)) = event.fields.get("errors") else { panic!("{event:?}") };
        assert_eq!(errors.len(), 1);
        assert!(errors[0] == "RxErr" || errors[0] == "Receiver Error", "{errors:?}");
    }
}

#[test]
fn one_message_can_bring_errors_of_two_devices() {
    let found = log(
        "pcieport 0000:00:1d.0: AER: Multiple Uncorrected (Non-Fatal) error received: 0000:00:1d.0\n\
         pcieport 0000:00:1d.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, (Requester ID)\n\
         pcieport 0000:00:1d.0:   device [8086:7ab0] error status/mask=00100000/00004000\n\
         pcieport 0000:00:1d.0:    [20] UnsupReq               (First)\n\
         pcieport 0000:00:1d.0: AER:   TLP Header: 34000000 0a000052 00000000 00000000\n\
         pcieport 0000:00:1d.0: AER:   Error of this Agent is reported first\n\
         pcieport 0000:04:01.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, (Requester ID)\n\
         pcieport 0000:04:01.0:   device [8086:1136] error status/mask=00300000/00000000\n\
         pcieport 0000:04:01.0:    [20] UnsupReq               (First)\n\
         pcieport 0000:04:01.0:    [21] ACSViol\n\
         thunderbolt 0000:05:00.0: AER: can't recover (no error_detected callback)\n",
    );
    let seen: Vec<_> = found.events.iter().map(|e| (e.kind.id, e.device, e.evidence.len())).collect();
    assert_eq!(
        seen,
        [
            ("aer.error", device("0000:00:1d.0"), 6),
            ("aer.error", device("0000:04:01.0"), 4),
            ("aer.cannot-recover", device("0000:05:00.0"), 1),
        ]
    );
    assert!(found.events[0].fields["tlp"].has("0a000052"));
    let both = Value::List(vec!["UnsupReq".into(), "ACSViol".into()]);
    assert_eq!(found.events[1].fields["errors"], both);
}

#[test]
fn a_storm_is_one_event_with_a_count() {
    let mut text = String::new();
    for second in 0..500 {
        text.push_str(&format!(
            "[  {second}.000001] pcieport 0000:00:1c.5: AER: PCIe Bus Error: severity=Corrected, type=Data Link Layer, (Transmitter ID)\n\
             [  {second}.000002] pcieport 0000:00:1c.5: AER:   device [8086:9d15] error status/mask=00001000/00002000\n\
             [  {second}.000003] pcieport 0000:00:1c.5: AER:    [12] Timeout               \n"
        ));
    }
    let found = log(&text);
    assert_eq!(found.events.len(), 1);
    let event = &found.events[0];
    assert_eq!((event.count, event.evidence.len(), event.last_line), (500, 3, 1498));
    assert_eq!((event.first.microseconds, event.last.microseconds), (Some(1), Some(499_000_001)));
}

#[test]
fn three_lines_of_a_dead_gpu_are_one_event() {
    let found = log(
        "NVRM: The NVIDIA GPU 0000:82:00.0\nNVRM: (PCI ID: 10de:2331) installed in this system has\n\
         NVRM: fallen off the bus and is not responding to commands.\n\
         nvidia 0000:82:00.0: probe with driver nvidia failed with error -1\n\
         NVRM: The NVIDIA probe routine failed for 1 device(s).\nNVRM: None of the NVIDIA devices were initialized.\n",
    );
    let seen: Vec<_> = found.events.iter().map(|e| (e.kind.id, e.device, e.evidence.len())).collect();
    let gpu = device("0000:82:00.0");
    assert_eq!(
        seen,
        [("nvidia.probe-fallen-off", gpu, 3), ("pci.probe-failed", gpu, 1), ("nvidia.none-started", gpu, 2),]
    );
    assert_eq!(found.events[0].number("device_id"), Some(0x2331));
}

#[test]
fn lines_without_an_address_belong_to_the_nearest_before_or_the_next_of_the_message() {
    let found =
        log("nvidia 0000:82:00.0: enabling device (0000 -> 0003)\nnvidia 0000:c1:00.0: vgaarb: changed\n\
         NVRM: RmInitAdapter failed! (0x22:0x56:742)\n");
    let last = found.events.last().unwrap();
    assert_eq!((last.device, last.known_from), (device("0000:c1:00.0"), Some(KnownFrom::Before)));
    assert_eq!((last.number("init_status"), last.number("source_line")), (Some(0x22), Some(742)));

    let burst = log("NVRM: osInitNvMapping: *** Cannot attach gpu\n\
         NVRM: RmInitAdapter: osInitNvMapping failed, bailing out of RmInitAdapter\n\
         NVRM: GPU 0000:82:00.0: RmInitAdapter failed! (0x22:0x56:742)\n");
    let seen: Vec<_> = burst.events.iter().map(|e| (e.device, e.known_from)).collect();
    let gpu = device("0000:82:00.0");
    assert_eq!(
        seen,
        [(gpu, Some(KnownFrom::After)), (gpu, Some(KnownFrom::After)), (gpu, Some(KnownFrom::Line))]
    );

    let late = log(&format!(
        "NVRM: RmInitAdapter failed! (0x25:0x40:1)\n{}NVRM: GPU 0000:82:00.0: GPU has fallen off the bus.\n",
        "x\n".repeat(9)
    ));
    assert_eq!(late.events[0].device, None);

    let disk = log("nvme nvme2: pci function 0000:17:00.0\nnvme nvme1: pci function 0000:18:00.0\n\
         nvme nvme2: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff\n");
    let down = disk.events.last().unwrap();
    assert_eq!((down.device, down.known_from), (device("0000:17:00.0"), Some(KnownFrom::Name)));
    assert_eq!(down.number("controller_status"), Some(0xffff_ffff));

    let kmsg =
        log("3,1,5,-;nvidia-thing: x\n3,2,6,-;irq 16: nobody cared (try)\n DEVICE=+pci:0000:00:1f.0\n");
    assert_eq!(
        (kmsg.events[0].device, kmsg.events[0].known_from),
        (device("0000:00:1f.0"), Some(KnownFrom::Record))
    );
}

#[test]
fn containment_and_old_dmar_faults_are_one_event_each() {
    let found = log("pcieport 0000:00:1b.0: DPC: containment event, status:0x1f01 source:0x0000\n\
         pcieport 0000:00:1b.0: DPC: unmasked uncorrectable error detected\n\
         DMAR:[DMA Write] Request device [82:00.0] fault addr fee00000 \n\
         DMAR:[fault reason 02] Present bit in context entry is clear\n");
    let seen: Vec<_> = found.events.iter().map(|e| (e.kind.id, e.text("reason").unwrap())).collect();
    assert_eq!(
        seen,
        [
            ("dpc.containment", "unmasked uncorrectable error"),
            ("iommu.fault", "Present bit in context entry is clear"),
        ]
    );
    assert_eq!(found.events[1].device, device("0000:82:00.0"));
}

#[test]
fn boots_do_not_mix() {
    let found = log(
        "[    0.000000] Linux version 6.8\n[    9.000000] NVRM: GPU 0000:82:00.0: GPU has fallen off the bus.\n\
         [    0.000000] Linux version 6.8\n[    1.000000] NVRM: RmInitAdapter failed! (0x25:0x40:1238)\n",
    );
    let seen: Vec<_> = found.events.iter().map(|e| (e.boot, e.kind.id, e.device)).collect();
    assert_eq!(
        seen,
        [
            (0, "kernel.start", None),
            (0, "nvidia.fallen-off-the-bus", device("0000:82:00.0")),
            (1, "kernel.start", None),
            (1, "nvidia.rm-init-failed", None),
        ]
    );
}

/// `GPU1` is not the GPU that was named last because it is the only one so far; a line with both teaches the number.
#[test]
fn numbered_gpus_are_told_apart() {
    let found = log("[    1.000000] NVRM: GPU 0000:41:00.0: Failed to enable MSI-X.\n\
         [    5.000000] NVRM: GPU0 nvAssertFailedNoLog: Assertion failed: GPU_IS_LOST x\n\
         [    6.000000] NVRM: GPU1 nvAssertFailedNoLog: Assertion failed: GPU_IS_LOST x\n\
         [   60.000000] NVRM: GPU1 Xid (PCI:0000:82:00): 79, pid=1, name=x, GPU has fallen off the bus.\n\
         [   61.000000] NVRM: GPU1 nvAssertFailedNoLog: Assertion failed: GPU_IS_LOST x\n\
         [   62.000000] NVRM: GPU2 nvAssertFailedNoLog: Assertion failed: GPU_IS_LOST x\n\
         [   63.000000] NVRM: GPU1 Xid (PCI:0000:82:00): 79, pid=1, name=x, GPU has fallen off the bus.\n\
         [   64.000000] NVRM: GPU0 nvAssertFailedNoLog: Assertion failed: GPU_IS_LOST x\n");
    let lost: Vec<_> = found
        .events
        .iter()
        .filter(|e| e.fields.contains_key("gpu_index") && e.kind.id != "nvidia.xid")
        .map(|e| (e.number("gpu_index"), e.device, e.known_from, e.count))
        .collect();
    assert_eq!(
        lost,
        [
            (Some(0), device("0000:41:00.0"), Some(KnownFrom::Before), 1),
            // Named by the line behind it, then by its number.
            (Some(1), device("0000:82:00.0"), Some(KnownFrom::After), 2),
            // The line behind it is about another.
            (Some(2), None, None, 1),
            // The driver named two by now, and never said which is GPU0.
            (Some(0), None, None, 1),
        ]
    );
}

/// Messages of two ports whose errors are printed behind both.
#[test]
fn each_message_goes_with_its_own_error() {
    let found = log("pcieport 0000:00:1c.0: AER: Correctable error message received from 0000:01:00.0\n\
         pcieport 0000:00:1d.0: AER: Correctable error message received from 0000:02:00.0\n\
         nvme 0000:01:00.0: PCIe Bus Error: severity=Correctable, type=Physical Layer, (Receiver ID)\n\
         nvme 0000:01:00.0:   device [8086:9d15] error status/mask=00000001/00002000\n\
         nvme 0000:02:00.0: PCIe Bus Error: severity=Correctable, type=Data Link Layer, (Receiver ID)\n\
         nvme 0000:02:00.0:   device [8086:9d15] error status/mask=00000040/00002000\n");
    let pairs: Vec<_> = found.events.iter().map(|e| (e.device, e.text("reporter"))).collect();
    assert_eq!(
        pairs,
        [(device("0000:01:00.0"), Some("0000:00:1c.0")), (device("0000:02:00.0"), Some("0000:00:1d.0")),]
    );
}
