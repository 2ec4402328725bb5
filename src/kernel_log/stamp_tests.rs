use super::*;

const TEXT: &str = "pcieport 0000:00:1c.5: AER: enabled with IRQ 124";

/// Takes a line apart and gives seconds since start, the clock's text, and whether its time is known.
fn parts(line: &str) -> (Option<u64>, Option<String>, bool) {
    let head = head(line);
    assert_eq!(head.text, TEXT, "{line}");
    assert!(!head.foreign, "{line}");
    let known = head.when.clock.as_ref().is_some_and(|c| c.microseconds.is_some());
    (head.when.microseconds, head.when.clock.map(|c| c.text), known)
}

#[test]
fn every_style_leaves_the_message() {
    let monotonic = Some(12_345_678);
    for line in [
        "[   12.345678] {}",
        "     [   12.345678] {}",
        "> [   12.345678] {}",
        "[   12.345678][ T2808] {}",
        "[   12.345678] [    C3] {}",
        "[   12.345678][    T1] {}",
        "<6>[   12.345678] [T1@cpu0] {}",
        "<6>[   12.345678][T123/C4] {}",
        "<4>[   12.345678] {}",
        "kern  :warn  : [   12.345678] {}",
        "[   12.345678 <    0.000001>] {}",
        "[   12.345678] host kernel: {}",
        "[   12.345678 <    0.000001>] host kernel: {}",
    ] {
        assert_eq!(parts(&line.replace("{}", TEXT)), (monotonic, None, false), "{line}");
    }
    for (line, clock) in [
        ("[Tue Nov 11 23:25:43 2025] {}", "Tue Nov 11 23:25:43 2025"),
        ("[di. 11 nov. 23:25:43 2025] {}", "di. 11 nov. 23:25:43 2025"),
        ("2025-11-11T23:25:43,123456+01:00 {}", "2025-11-11T23:25:43,123456+01:00"),
        ("2025-07-06T20:36:20.838304-04:00 host kernel: {}", "2025-07-06T20:36:20.838304-04:00"),
        ("2025-07-06T20:36:20-0400 host kernel: {}", "2025-07-06T20:36:20-0400"),
        ("2025-07-06T20:36:20Z host kernel: {}", "2025-07-06T20:36:20Z"),
        ("2025-07-06 20:36:20.123 host kernel: {}", "2025-07-06 20:36:20.123"),
        ("<6>1 2025-07-06T20:36:20.838304-04:00 host kernel - - - {}", "2025-07-06T20:36:20.838304-04:00"),
        ("kern:    info: [2024-01-15T19:37:30.689914441Z]: {}", "2024-01-15T19:37:30.689914441Z"),
        ("172.20.0.2: kern: warning: [2024-01-15T19:37:30.689Z]: {}", "2024-01-15T19:37:30.689Z"),
        ("node-1.example: kern:     err: [2024-01-15T19:37:30Z]: {}", "2024-01-15T19:37:30Z"),
        ("<6>1 2025-07-06T20:36:20Z host kernel 0 - [meta seq=\"1\"] {}", "2025-07-06T20:36:20Z"),
        ("<6>1 2025-07-06T20:36:20Z host kernel - - -  {}", "2025-07-06T20:36:20Z"),
        ("Jul 07 18:36:09 host kernel: {}", "Jul 07 18:36:09"),
        ("Jul  7 18:36:09 host kernel: {}", "Jul  7 18:36:09"),
        ("<6>Jul  7 18:36:09 host kernel: {}", "Jul  7 18:36:09"),
        ("Jul 07 18:36:09.123456 host kernel: {}", "Jul 07 18:36:09.123456"),
        ("Jul 07 18:36:09 kernel: {}", "Jul 07 18:36:09"),
        ("juil. 07 18:36:09 host kernel: {}", "juil. 07 18:36:09"),
        ("Dez 07 18:36:09 host kernel: {}", "Dez 07 18:36:09"),
        ("7月 07 18:36:09 host kernel: {}", "7月 07 18:36:09"),
        ("Mon 2025-07-07 18:36:09 EDT host kernel: {}", "Mon 2025-07-07 18:36:09 EDT"),
        ("1751910000.123456 host kernel: {}", "1751910000.123456"),
    ] {
        assert_eq!(parts(&line.replace("{}", TEXT)), (None, Some(clock.to_owned()), true), "{line}");
    }
    let both = parts(&format!("Jul 22 16:12:18 host kernel: [   12.345678] {TEXT}"));
    assert_eq!(both, (monotonic, Some("Jul 22 16:12:18".into()), true));
    for line in ["{}", "[Nov11 23:25] {}", "[  +0.000012] {}"] {
        assert_eq!(parts(&line.replace("{}", TEXT)), (None, None, false), "{line}");
    }
    let unknown = parts(&format!("xyz 07 18:36:09 host kernel: {TEXT}"));
    assert_eq!(unknown, (None, Some("xyz 07 18:36:09".into()), false));
}

#[test]
fn severity_comes_from_either_form() {
    assert_eq!(head("<3>[    1.000000] x").severity, Some(3));
    assert_eq!(head("<30>Jul  7 18:36:09 host kernel: x").severity, Some(6));
    assert_eq!(head("kern  :err   : [    1.000000] x").severity, Some(3));
    assert_eq!(head("[    1.000000] x").severity, None);
}

#[test]
fn other_speakers_are_told() {
    for line in [
        "Jul 07 16:57:41 host nvidia-persistenced[1561]: device 0000:01:00.0 - registered",
        "2025-07-06T20:36:20.838304-04:00 host gpud: NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.",
        "Jul 07 16:57:44 host /usr/libexec/gdm-x-session[1950]: (==) NVIDIA(0): x",
    ] {
        assert!(head(line).foreign, "{line}");
    }
}

#[test]
fn messages_in_brackets_stay_messages() {
    for text in [
        "[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring sdma0 timeout, signaled seq=6047, emitted seq=6049",
        "[Hardware Error]: section_type: PCIe error",
        "[ 0] RxErr",
        "{1}[Hardware Error]: x",
    ] {
        assert_eq!(head(text).text, text);
        assert_eq!(head(&format!("[    1.000000] {text}")).text, text);
    }
}

#[test]
fn stamps_of_consoles_and_small_systems_leave_the_kernels_own() {
    let monotonic = Some(1_000_000_000);
    for line in [
        "Nov 22 08:00:01 host kern.err kernel: [ 1000.000000] {}",
        "Sun Nov 22 08:00:01 2026 kern.err kernel: [ 1000.000000] {}",
        "2026-11-22T08:00:01.123456Z [ 1000.000000] {}",
        "Nov 22 08:00:01 [ 1000.000000] {}",
    ] {
        let (microseconds, clock, known) = parts(&line.replace("{}", TEXT));
        assert_eq!((microseconds, clock.is_some(), known), (monotonic, true, true), "{line}");
    }
    assert!(head("Nov 22 08:00:01 host daemon.info dnsmasq[1]: started").foreign);
}

#[test]
fn what_web_servers_write_is_not_the_kernels() {
    for line in [
        "[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied by server configuration: /htdocs/test",
        "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187] File does not exist",
        "[Fri Sep 09 10:42:29.902022 2011] something",
        "[Wed Oct 11 14:32:52 2000] [ssl:warn] [pid 12] AH01909: x",
        "[Wed Oct 11 14:32:52 2000] [trace3] x",
    ] {
        assert!(head(line).foreign, "{line}");
    }
    // Nothing tells who wrote these: they are no kernel log by themselves.
    for line in [
        "[Wed Oct 11 14:32:52 2000] 127.0.0.1:53412 [200]: GET /index.html",
        "[Wed Oct 11 14:32:52 2000] something",
        "[1700000000.123456] something",
        "something",
    ] {
        assert!(!head(line).foreign && !is_kernels(&head(line)), "{line}");
    }
    assert!(!is_kernels(&head("2026-11-22T08:00:01,123 INFO started the thing")));
    for line in [
        "[Tue Nov 11 23:25:43 2025] usb 1-1: new high-speed USB device number 5 using xhci_hcd",
        "[di. 11 nov. 23:25:43 2025] Linux version 6.8.0",
        "[Tue Nov 11 23:25:43 2025] mydriver 0000:01:00.0: something",
        "[Tue Nov 11 23:25:43 2025] [Hardware Error]: something",
        "[  +0.000012] something",
        "[   12.345678] something",
        "2025-11-11T23:25:43,123456+01:00 something",
        "Linux version 6.8.0",
    ] {
        assert!(is_kernels(&head(line)), "{line}");
    }
}
