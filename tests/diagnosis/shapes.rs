//! Logs in the shape in which people post them, written for these tests: what an operator should be told of each, decided before they
//! were run.

use super::ill;

#[test]
fn a_drive_whose_memory_and_then_all_of_it_was_gone_fell_off() {
    let log = "[    2.1] x\n[    2.100000] nvme nvme0: pci function 0000:01:00.0\n\
        [40211.700000] nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0x10\n\
        [40211.800000] nvme 0000:01:00.0: Unable to change power state from D3cold to D0, device inaccessible\n\
        [40211.800100] nvme nvme0: Disabling device after reset failure: -19\n";
    assert_eq!(ill(log), ["0000:01:00.0 fallen-off-bus off-the-bus-after-hang"]);
}

#[test]
fn a_port_that_saw_surprise_down_is_not_ill_beside_its_device() {
    let log = "[    3.000000] pci 0000:00:03.0: PCI bridge to [bus 04]\n\
        [91000.000000] pcieport 0000:00:03.0: AER: Uncorrected (Fatal) error received: 0000:00:03.0\n\
        [91000.000050] pcieport 0000:00:03.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Data Link Layer, (Receiver ID)\n\
        [91000.000060] pcieport 0000:00:03.0:   device [8086:6f08] error status/mask=00000020/00000000\n\
        [91000.000070] pcieport 0000:00:03.0:    [ 5] SDES                   (First)\n\
        [91000.100000] ixgbe 0000:04:00.0: Adapter removed\n\
        [91002.300000] pcieport 0000:00:03.0: AER: device recovery failed\n";
    assert_eq!(ill(log), ["0000:04:00.0 fallen-off-bus off-the-bus-after-error"]);
    // Any other error is the port's own.
    let other = log.replace("00000020/", "00000010/").replace("[ 5] SDES ", "[ 4] DLP  ");
    assert!(ill(&other).iter().any(|line| line.starts_with("0000:00:03.0 error-storm")), "{:?}", ill(&other));
}

/// A link that goes down under a card that stays, at that second, and comes back.
fn flap(second: u64) -> String {
    [
        (0, "pcieport 0000:00:1d.0: pciehp: Slot(12): Link Down"),
        (900_000, "pcieport 0000:00:1d.0: pciehp: Slot(12): Card present"),
        (950_000, "pcieport 0000:00:1d.0: pciehp: Slot(12): Link Up"),
        (990_000, "pci 0000:03:00.0: [15b7:5011] type 00 class 0x010802 PCIe Endpoint"),
    ]
    .map(|(micro, text)| format!("[{second}.{micro:06}] {text}\n"))
    .concat()
}

#[test]
fn a_link_that_goes_down_again_and_again_is_a_bad_one() {
    let bridge = "[    1.000000] pci 0000:00:1d.0: PCI bridge to [bus 03]\n";
    let flaps = |seconds: &[u64]| seconds.iter().map(|second| flap(*second)).collect::<String>();
    let often = format!("{bridge}{}", flaps(&[3000, 3060, 3120, 3180]));
    assert_eq!(ill(&often), ["0000:03:00.0 degraded-link link-flaps"]);
    // Twice may be somebody who tries; cards that are exchanged leave their slots.
    assert!(ill(&format!("{bridge}{}", flaps(&[3000, 3060]))).is_empty());
    let pulled = often.replace(
        "Link Down\n",
        "Link Down\n[3000.000100] pcieport 0000:00:1d.0: pciehp: Slot(12): Card not present\n",
    );
    assert!(ill(&pulled).is_empty(), "{:?}", ill(&pulled));
}

#[test]
fn what_was_behind_a_cable_went_with_it() {
    let cable = "[  900.000000] thunderbolt 0-1: device disconnected\n";
    let dead = |second: u64| {
        format!(
            "[ {second}.080000] xhci_hcd 0000:3a:00.0: xHCI host controller not responding, assume dead\n"
        )
    };
    let gpu = "[  900.070000] amdgpu 0000:07:00.0: amdgpu: device lost from bus!\n";
    assert_eq!(
        ill(&format!("{cable}{gpu}{}", dead(905))),
        [
            "0000:07:00.0 surprise-removed cable-pulled",
            "0000:3a:00.0 surprise-removed cable-pulled-under-controller"
        ]
    );
    // Hours later is another story.
    assert_eq!(ill(&format!("{cable}{}", dead(9905))), ["0000:3a:00.0 device-firmware device-failed"]);
}

#[test]
fn a_gpu_that_reads_all_ones_after_a_hang_is_gone() {
    for prefix in ["amdgpu: ", ""] {
        let log = format!(
            "[ 2000.000000] amdgpu 0000:03:00.0: {prefix}ring gfx_0.0.0 timeout, signaled seq=1, emitted seq=3\n\
             [ 2005.000000] amdgpu 0000:03:00.0: {prefix}device lost from bus!\n"
        );
        assert_eq!(ill(&log), ["0000:03:00.0 fallen-off-bus off-the-bus-after-trouble"]);
    }
}

#[test]
fn an_interface_is_its_device_wherever_that_is_said() {
    let watchdog = "[7005.000000] NETDEV WATCHDOG: eno1 (i40e): transmit queue 12 timed out 5120 ms\n";
    let names = "[7005.000100] i40e 0000:3d:00.0 eno1: tx_timeout recovery level 1, txqueue 12\n";
    let expected = ["0000:3d:00.0 device-firmware device-slow"];
    assert_eq!(ill(&format!("{watchdog}{names}")), expected);
    let before = "[  30.000000] i40e 0000:3d:00.0 eno1: NIC Link is Up, 25 Gbps Full Duplex\n";
    assert_eq!(ill(&format!("{before}{watchdog}")), expected);
    // Another interface is another device's.
    let other = names.replace("eno1", "eno2");
    assert_eq!(ill(&format!("{watchdog}{other}")), ["eno1 device-firmware device-slow"]);
}

#[test]
fn bits_that_never_change_are_trouble_only_where_several_do_not() {
    let stuck = |name: &str, value: u8, micro: u32| {
        format!(
            "[ 700.{micro:06}] r8169 0000:03:00.0 enp3s0: rtl_{name}_cond == {value} (loop: 100, delay: 100).\n"
        )
    };
    let names = ["eriar", "ephyar", "csiar", "chipcmd"];
    let all: String = names.iter().enumerate().map(|(at, name)| stuck(name, 1, at as u32 * 20_000)).collect();
    assert_eq!(ill(&all), ["0000:03:00.0 device-firmware registers-stuck"]);
    assert!(ill(&stuck("eriar", 1, 0)).is_empty());
    // Sound adapters say this when their link goes down.
    let empty: String = (0..5).map(|at| stuck("rxtx_empty", 0, at * 20_000)).collect();
    assert!(ill(&empty).is_empty());
}

#[test]
fn what_was_told_rightly_stays_so() {
    let cases = [
        (
            "2026-03-02T04:11:02+0000 gpu07 kernel: NVRM: Xid (PCI:0000:19:00): 119, pid=41822, name=python3, Timeout after 45s of \
             waiting for RPC response from GPU0 GSP! Expected function 76 (GSP_RM_CONTROL) (0x20800a4c 0x4).\n\
             2026-03-02T04:12:32+0000 gpu07 kernel: NVRM: Xid (PCI:0000:19:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 \
             (GPU Reset Required)\n",
            "0000:19:00.0 device-firmware device-failed",
        ),
        (
            "[86400.100000] mlx5_core 0000:5e:00.0: poll_health:825:(pid 0): device's health compromised - reached miss count\n",
            "0000:5e:00.0 device-firmware device-failed",
        ),
        (
            "Jul 30 11:50:07 desk kernel: igc 0000:0a:00.0 eno1: PCIe link lost, device now detached\n",
            "0000:0a:00.0 fallen-off-bus off-the-bus-by-log",
        ),
        (
            "[   12.000010] DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0xbd7f2000 [fault reason 0x06] PTE Read access \
             is not set\n[   74.000000] megaraid_sas 0000:03:00.0: FW in FAULT state!! Fault code:0x10000 subcode:0x0 \
             func:megasas_transition_to_ready\n",
            "0000:03:00.0 dma-fault memory-access-refused",
        ),
        (
            "[  410.000000] vfio-pci 0000:0b:00.0: not ready 1023ms after FLR; waiting\n\
             [  476.000000] vfio-pci 0000:0b:00.0: not ready 65535ms after FLR; giving up\n\
             [  476.500000] vfio-pci 0000:0b:00.0: Unable to change power state from D0 to D3hot, device inaccessible\n",
            "0000:0b:00.0 reset-failed reset-without-return",
        ),
        (
            "[Tue Sep 19 06:01:41 2017] pciehp 0000:02:05.0:pcie24: slot(6): Link Down event\n",
            "0000:02:05.0 link-down slot-lost-its-link",
        ),
    ];
    for (log, expected) in cases {
        assert_eq!(ill(log), [expected], "{log}");
    }
}

#[test]
fn an_adapter_whose_doorbell_reads_all_ones_fell_off() {
    let log = "[    4.100000] mpt3sas 0000:3b:00.0: enabling device (0000 -> 0002)\n\
        [88101.500000] mpt3sas_cm0: SAS host is non-operational !!!!\n\
        [88102.500000] mpt3sas_cm0: SAS host is non-operational !!!!\n";
    let ill = ill(log);
    assert!(ill.len() == 1 && ill[0].contains(" fallen-off-bus "), "{ill:?}");
}

#[test]
fn a_device_that_was_in_trouble_before_it_was_lost_is_said_to_have_been() {
    for (before, id) in
        [("48, pid=77, DBE (double bit error)", "memory"), ("62, 2f0b(4f3c) 00000000", "hang")]
    {
        let log = format!(
            "[ 5000.000000] NVRM: Xid (PCI:0000:41:00): {before}\n\
             [ 5002.000000] NVRM: Xid (PCI:0000:41:00): 79, pid=0, GPU has fallen off the bus.\n"
        );
        assert_eq!(ill(&log), ["0000:41:00.0 fallen-off-bus off-the-bus-after-trouble"], "{id}");
    }
}

#[test]
fn a_device_that_stays_in_d0_is_not_stuck() {
    let log = "[    0.400000] pci 0000:00:1c.0: [8086:a110] type 01 class 0x060400 PCIe Root Port\n\
        [ 4011.200000] pcieport 0000:00:1c.0: Refused to change power state from D0 to D3hot\n";
    assert_eq!(ill(log), [""; 0]);
    let log = log.replace("from D0 to D3hot", "from D3hot to D0");
    assert_eq!(ill(&log), ["0000:00:1c.0 power-state-stuck wakes-no-more"]);
}

#[test]
fn a_program_that_misses_memory_stops_its_engine() {
    let log = "[    3.100000] amdgpu 0000:03:00.0: enabling device (0006 -> 0007)\n\
        [ 1200.000100] amdgpu 0000:03:00.0: amdgpu: [gfxhub] page fault (src_id:0 ring:24 vmid:3 pasid:32780, for process viewer pid 4100 thread viewer:cs0 pid 4102)\n\
        [ 1210.300000] [drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring gfx_0.0.0 timeout, signaled seq=120, emitted seq=122\n\
        [ 1211.000000] amdgpu 0000:03:00.0: amdgpu: GPU reset begin!\n\
        [ 1212.000000] amdgpu 0000:03:00.0: amdgpu: GPU reset(2) succeeded!\n";
    assert_eq!(ill(log), ["0000:03:00.0 application-fault program-stopped-the-engine"]);
    // Without the fault it stays open who was why; what came back is no certain failure.
    let log: String =
        log.lines().filter(|line| !line.contains("page fault")).map(|l| format!("{l}\n")).collect();
    assert_eq!(ill(&log), ["0000:03:00.0 device-firmware device-failed-and-came-back"]);
    let log: String =
        log.lines().filter(|line| !line.contains("succeeded")).map(|l| format!("{l}\n")).collect();
    assert_eq!(ill(&log), ["0000:03:00.0 device-firmware device-failed"]);
}

#[test]
fn once_late_is_no_proof_and_several_times_is() {
    let found = "[    2.100000] nvme nvme0: pci function 0000:01:00.0\n";
    let late =
        |second: u32| format!("[{second:>5}.000000] nvme nvme0: I/O 12 QID 4 timeout, completion polled\n");
    assert_eq!(
        ill(&format!("{found}{}", late(5000))),
        ["0000:01:00.0 interrupts-unavailable interrupt-late"]
    );
    let log = format!("{found}{}{}{}{}", late(5000), late(5030), late(5060), late(5090));
    assert_eq!(ill(&log), ["0000:01:00.0 interrupts-unavailable interrupts-lost"]);
}

#[test]
fn a_watchdog_of_the_network_is_no_wedged_driver() {
    let log = "[    2.100000] i40e 0000:3b:00.0 eno1: NIC Link is Up, 10 Gbps Full Duplex\n\
        [ 9000.000000] NETDEV WATCHDOG: eno1 (i40e): transmit queue 3 timed out\n\
        [ 9001.000000] i40e 0000:3b:00.0 eno1: NIC Link is Up, 10 Gbps Full Duplex\n";
    assert_eq!(ill(log), ["0000:3b:00.0 device-firmware device-slow"]);
}
