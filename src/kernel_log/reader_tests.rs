use proptest::prelude::*;

use super::*;

/// Boot, microseconds, text, device and line of every record.
type Seen = (usize, Option<u64>, String, Option<String>, u64);

fn read_all(text: &[u8]) -> (Vec<Seen>, Reading) {
    let mut seen = Vec::new();
    let mut stream = text;
    let reading = read(&mut stream, "", None, &|_| true, &mut |r| {
        let device = r.device.map(str::to_owned);
        seen.push((r.boot, r.when.microseconds, r.text.to_owned(), device, r.line));
    });
    (seen, reading.unwrap())
}

#[test]
fn records_of_kmsg_know_their_device() {
    let text = b"6,339,5140900,-;NET: Registered\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:01.0\n\
        4,340,5690716,-,caller=T1;next\n3,341,5690717,c;last \\x1b[0m\n DEVICE=c1:3\n";
    let (seen, reading) = read_all(text);
    assert_eq!(
        seen,
        [
            (0, Some(5_140_900), "NET: Registered".into(), Some("+pci:0000:00:01.0".into()), 1),
            (0, Some(5_690_716), "next".into(), None, 4),
            (0, Some(5_690_717), "last \\x1b[0m".into(), Some("c1:3".into()), 5),
        ]
    );
    assert_eq!((reading.lines, reading.boots.len()), (6, 1));
}

#[test]
fn boots_are_kept_apart() {
    let by_banner = "[    0.000000] Linux version 6.8.0\n[   10.0] x\n[   10.000000] a\n\
        [    0.000000] Linux version 6.9.0\n[    1.000000] b\n";
    let (seen, reading) = read_all(by_banner.as_bytes());
    assert_eq!(seen.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 0, 0, 1, 1]);
    assert_eq!(reading.boots[1].kernel.as_deref(), Some("Linux version 6.9.0"));
    assert_eq!(reading.boots[1].first_line, 4);

    let by_time = "Jul 22 16:17:35 h kernel: [  323.192026] a\nJul 22 16:29:32 h kernel: [    2.203285] b\n";
    let (seen, _) = read_all(by_time.as_bytes());
    assert_eq!(seen.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 1]);

    let by_marker = "-- Logs begin at Mon 2025-07-07 18:36:09 EDT. --\n-- Boot aa --\nJul 07 18:36:09 h kernel: a\n\
        -- Boot bb --\nJul 07 18:40:09 h kernel: b\n";
    let (seen, reading) = read_all(by_marker.as_bytes());
    assert_eq!(seen.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(reading.boots[1].name, "Boot bb");

    let by_id = "{\"_BOOT_ID\":\"aa\",\"MESSAGE\":\"a\"}\n{\"_BOOT_ID\":\"bb\",\"MESSAGE\":\"b\"}\n";
    let (seen, reading) = read_all(by_id.as_bytes());
    assert_eq!(seen.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(reading.boots.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), ["aa", "bb"]);

    let a_little_back = "[ 1485.009989] a\n[ 1484.742859] b\n";
    assert_eq!(read_all(a_little_back.as_bytes()).1.boots.len(), 1);
}

#[test]
fn in_a_bug_report_only_the_logs_are_read() {
    let rule = "____________________________________________";
    let text = format!(
        "{rule}\n\nStart of NVIDIA bug report log file.\n\n{rule}\n\nlspci -vvv\n\npcieport 0000:00:01.0: no log\n\n\
         {rule}\n\nScanning kernel log files for NVIDIA kernel messages:\n\n  /var/log/kern.log:\n\
         Jul 07 18:36:09 h kernel: NVRM: old\n\n  journalctl -b -1:\nJul 07 19:36:09 h kernel: NVRM: before\n\
         {rule}\n\ndmesg:\n\n[    1.000000] NVRM: now\n{rule}\n\n/usr/bin/lscpu\n[    1.000000] not now\n"
    );
    let (seen, reading) = read_all(text.as_bytes());
    let texts: Vec<&str> = seen.iter().map(|s| s.2.as_str()).filter(|t| !t.is_empty()).collect();
    assert_eq!(texts, ["NVRM: old", "NVRM: before", "NVRM: now"]);
    let boots: Vec<(&str, Option<i32>)> =
        reading.boots.iter().map(|b| (b.name.as_str(), b.relative)).collect();
    assert_eq!(boots, [("/var/log/kern.log", None), ("journalctl -b -1", Some(-1)), ("dmesg", Some(0))]);
}

#[test]
fn repeats_and_further_lines_of_a_message() {
    let mut counts = Vec::new();
    let text = b"Jul 06 20:36:20 h kernel: message repeated 3 times: [ [drm] x]\n     second line\n";
    read(&mut &text[..], "", None, &|_| true, &mut |r| {
        counts.push((r.text.to_owned(), r.repeated, r.when.clock.is_some()));
    })
    .unwrap();
    assert_eq!(counts, [("[drm] x".to_owned(), 3, true), ("second line".to_owned(), 1, true)]);
}

#[test]
fn other_speakers_and_bad_bytes() {
    let text = b"Jul 07 16:57:41 h gpud[1]: NVRM: Xid\nJul 07 16:57:41 h kernel: a \xff\x1b b\n";
    let (seen, _) = read_all(text);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].2, "a \u{fffd}\u{fffd} b");
}

proptest! {
    #[test]
    fn any_bytes_end_and_every_line_is_counted(bytes in proptest::collection::vec(any::<u8>(), 0..4000)) {
        let (seen, reading) = read_all(&bytes);
        let lines = bytes.split(|b| *b == b'\n').count() - usize::from(bytes.last().is_none_or(|b| *b == b'\n'));
        prop_assert_eq!(reading.lines, lines as u64);
        prop_assert_eq!(reading.bytes, bytes.len() as u64);
        for (boot, _, _, _, line) in seen {
            prop_assert!(boot < reading.boots.len() && line >= 1 && line <= reading.lines);
        }
    }

    #[test]
    fn any_arrangement_of_known_pieces_ends(pieces in proptest::collection::vec(0usize..12, 0..40)) {
        const PIECES: [&str; 12] = [
            "[   12.345678] ", "6,339,5140900,-;", "\n", " DEVICE=+pci:0000:00:01.0\n", "Jul 07 18:36:09 h kernel: ",
            "{\"MESSAGE\":\"a\\nb\"}\n", "____________________________________________\n", "dmesg:\n", "-- Boot x --\n",
            "Linux version 6\n", "message repeated 2 times: [ a]", "<3>",
        ];
        let text: String = pieces.iter().map(|p| PIECES[*p]).collect();
        let (_, reading) = read_all(text.as_bytes());
        prop_assert!(!reading.boots.is_empty());
    }
}

/// The device of a record that nobody wants is not that of the record before it, and a record has one device.
#[test]
fn a_device_belongs_to_the_record_in_front_of_it() {
    let text = b"6,1,1000,-;wanted\n6,2,2000,-;other\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:01.0\n\
        6,3,3000,-;wanted too\n DEVICE=+pci:0000:00:02.0\n DEVICE=+pci:0000:00:03.0\n";
    let mut seen = Vec::new();
    let wanted = |line: &[u8]| line.windows(6).any(|w| w == b"wanted");
    read(&mut &text[..], "", None, &wanted, &mut |r| {
        seen.push((r.text.to_owned(), r.device.map(str::to_owned)));
    })
    .unwrap();
    let second = Some("+pci:0000:00:02.0".to_owned());
    assert_eq!(seen, [("wanted".to_owned(), None), ("wanted too".to_owned(), second)]);
}

#[test]
fn missing_records_are_told() {
    let (_, reading) = read_all(b"6,0,1,-;a\n6,1,2,-;b\n");
    assert!(reading.notes.is_empty() && reading.recognized);
    let (_, reading) = read_all(b"6,12,1,-;a\n6,13,2,-;b\n SUBSYSTEM=pci\n6,20,3,-;c\n");
    assert_eq!((reading.missing_before, reading.notes.len()), (12, 1), "{:?}", reading.notes);
    assert!(reading.notes[0].starts_with("6 records"));
}

#[test]
fn what_is_no_log_is_not_taken_for_one() {
    for text in ["", "hello\nworld\n", "\0\x01\x02\n", "{\"a\": 1}\n", "1,2\n", "# pciscope\n- list\n"] {
        assert!(!read_all(text.as_bytes()).1.recognized, "{text:?}");
    }
    for text in [
        "[    1.000000] x\n",
        "[Tue Nov 11 23:25:43 2025] pci 0000:01:00.0: x\n",
        "Jul 22 16:17:35 h kernel: x\n",
        "2025-07-22T16:17:35.123456+02:00 h kernel: x\n",
        "6,0,1,-;x\n",
        "{\"_BOOT_ID\":\"aa\",\"__REALTIME_TIMESTAMP\":\"1\",\"MESSAGE\":\"a\"}\n",
    ] {
        assert!(read_all(text.as_bytes()).1.recognized, "{text:?}");
    }
}

#[test]
fn boots_without_end_are_bounded() {
    let text: String = (0..BOOTS_LIMIT + 7).map(|n| format!("-- Boot {n} --\n[    1.000000] x\n")).collect();
    let (seen, reading) = read_all(text.as_bytes());
    assert_eq!((reading.boots.len(), seen.len()), (BOOTS_LIMIT, BOOTS_LIMIT + 7));
    assert!(reading.notes.iter().any(|note| note.starts_with("7 boots beyond")), "{:?}", reading.notes);
}

#[test]
fn the_largest_time_that_can_stand_there_is_counted_with() {
    let text = "[18446744073709.551615] a\n[18446744073709.551610] b\n[    1.000000] c\n";
    let (seen, reading) = read_all(text.as_bytes());
    assert_eq!((seen.len(), reading.boots.len()), (3, 2));
}

#[test]
fn what_others_wrote_is_no_kernel_log() {
    for text in [
        "Nov 22 08:00:01 host sshd[1]: Accepted publickey for root\nNov 22 08:00:02 host cron[2]: x\n",
        "2026-11-22 08:00:01 INFO started the thing\n",
        "2026-11-22 08:00:01,123 INFO started the thing\n",
        "{\"MESSAGE\":\"x\",\"SYSLOG_IDENTIFIER\":\"sshd\"}\n",
        "{\"level\":30,\"time\":1531171074631,\"msg\":\"hello\"}\n",
        "1,2,3,4\n",
        "Sun 2026-11-22 08:00:01.123456 UTC [s=abc;i=1]\n    MESSAGE=x\n",
    ] {
        assert!(!read_all(text.as_bytes()).1.recognized, "{text}");
    }
    for text in [
        "Nov 22 08:00:01 host sshd[1]: x\nNov 22 08:00:02 host kernel: x\n",
        "2026-11-22T08:00:01.123456Z [ 1000.000000] x\n",
        "6,339,5140900,-;x\n",
        "[    1.000000] x\n",
        "{\"pri\":6,\"time\":1.5,\"msg\":\"x\"}\n",
    ] {
        assert!(read_all(text.as_bytes()).1.recognized, "{text}");
    }
}
