//! The referee is journalctl itself: `tests/logs/journal` holds what systemd 252 printed of one journal in each style.

use proptest::prelude::*;

use super::super::reader::read;
use super::super::record::Reading;

/// Boot, microseconds, text and device of every record.
type Seen = (usize, Option<u64>, String, Option<String>);

fn records(log: &[u8]) -> (Vec<Seen>, Reading) {
    let mut seen = Vec::new();
    let mut stream = log;
    let reading = read(&mut stream, "", None, &|_| true, &mut |r| {
        // What stands between and around entries is no message.
        if !["", "]", "}"].contains(&r.text) {
            seen.push((r.boot, r.when.microseconds, r.text.to_owned(), r.device.map(str::to_owned)));
        }
    });
    (seen, reading.unwrap())
}

macro_rules! printed {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../tests/logs/journal/", $name)).as_slice())
    };
}

#[test]
fn every_style_of_journalctl_says_the_same() {
    let (expected, reading) = records(printed!("json.txt").1);
    assert_eq!((expected.len(), reading.boots.len()), (10, 2), "{expected:#?}");
    assert_eq!(reading.boots[1].name, "fedcba9876543210fedcba9876543210");
    let gone = &expected[8];
    assert_eq!((gone.0, gone.1), (1, Some(3_600_000_000)));
    assert!(gone.2.ends_with("79, pid=1, name=x, GPU has fallen off the bus."), "{}", gone.2);
    assert_eq!(expected[9].3.as_deref(), Some("+pci:0000:65:00.0"));
    assert_eq!(
        (expected[2].2.as_str(), expected[3].2.as_str()),
        ("vgaarb: loaded", "second line of the message")
    );
    for (name, log) in [
        printed!("verbose.txt"),
        printed!("export.bin"),
        printed!("json-pretty.txt"),
        printed!("json-seq.txt"),
        printed!("json-sse.txt"),
    ] {
        let (seen, with) = records(log);
        assert_eq!(seen, expected, "{name}");
        assert!(with.recognized, "{name}");
        assert_eq!(with.boots[1].name, reading.boots[1].name, "{name}");
    }
    // These have no devices, and times of another kind or none.
    let texts = |seen: &[Seen]| seen.iter().map(|s| (s.0, s.2.clone())).collect::<Vec<_>>();
    for (name, log) in [
        printed!("short-precise.txt"),
        printed!("short-monotonic.txt"),
        printed!("short-delta.txt"),
        printed!("short-unix.txt"),
        printed!("with-unit.txt"),
    ] {
        let (seen, reading) = records(log);
        assert_eq!(texts(&seen), texts(&expected), "{name}");
        assert!(reading.recognized, "{name}");
    }
    // Without stamps nobody knows who wrote a line.
    let (seen, reading) = records(printed!("cat.txt").1);
    assert_eq!((seen.len(), reading.recognized), (11, true));
}

#[test]
fn what_was_printed_and_where_is_the_message() {
    let mut raw = Vec::new();
    let (_, log) = printed!("verbose.txt");
    read(&mut &log[..], "", None, &|line| line.starts_with(b"NVRM: Xid"), &mut |r| {
        raw.push((r.line, r.offset, r.raw.to_owned(), r.when.clock.clone().map(|c| c.text)));
    })
    .unwrap();
    assert_eq!(raw.len(), 2, "{raw:?}");
    let (line, offset, text, clock) = &raw[1];
    assert!(text.starts_with("[ 3600.000000] NVRM: Xid (PCI:0000:64:00): 79"), "{text}");
    assert_eq!(clock.as_deref(), Some("Mon 2025-07-07 23:51:09.000000 UTC"));
    let message = log.split(|b| *b == b'\n').nth(*line as usize - 1).unwrap();
    assert!(message.starts_with(b"    MESSAGE=NVRM: Xid (PCI:0000:64:00): 79"));
    assert!(log[*offset as usize..].starts_with(message));
}

#[test]
fn dmesg_as_json_has_one_field_a_line() {
    // util-linux 2.38.1.
    let text = "{\n   \"dmesg\": [\n      {\n         \"pri\": 6,\n         \"time\":     0.000000,\n         \"msg\": \"Linux version 6.1.0\"\n      },{\n\
                \x20        \"pri\": 3,\n         \"time\":     3.000001,\n         \"msg\": \"NVRM: \\\"x\\\"\"\n      }\n   ]\n}\n";
    let (seen, reading) = records(text.as_bytes());
    let expected =
        [(0, Some(0), "Linux version 6.1.0".into(), None), (0, Some(3_000_001), "NVRM: \"x\"".into(), None)];
    assert_eq!(seen, expected);
    assert!(reading.recognized);
}

/// An entry whose message is not text, as journalctl -o export writes it.
fn export(message: &[u8]) -> Vec<u8> {
    let mut entry = b"__CURSOR=s=1\n_TRANSPORT=kernel\nMESSAGE\n".to_vec();
    entry.extend((message.len() as u64).to_le_bytes());
    entry.extend(message);
    entry.extend(b"\n_BOOT_ID=aa\n\n");
    entry
}

#[test]
fn others_are_left_out_and_nothing_is_lost_behind_them() {
    let service = "__CURSOR=s=1\n_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=gpud\nMESSAGE=NVRM: Xid\n\n";
    assert_eq!(records(service.as_bytes()).0, []);
    assert!(!records(service.as_bytes()).1.recognized);
    // Who wrote it is not known: it may be read, and makes no kernel log.
    let nobody = "Mon 2025-07-07 22:36:09.000000 UTC [s=1;b=aa;m=10]\n    MESSAGE=NVRM: Xid\n";
    let (seen, reading) = records(nobody.as_bytes());
    assert_eq!(seen, [(0, Some(16), "NVRM: Xid".to_owned(), None)]);
    assert!(!reading.recognized);
    let then = format!("{nobody}[    1.000000] plain\n{{\nno json\n[    2.000000] plain too\n");
    assert_eq!(records(then.as_bytes()).0.len(), 4);
}

proptest! {
    #[test]
    fn messages_of_any_bytes_are_read_to_their_end(
        lines in proptest::collection::vec("[a-z\\r]{0,20}", 1..140), rest in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        // Lengths of which a byte is a line end or a carriage return among them.
        let mut message = lines.join("\n").into_bytes();
        message.push(b'x');
        message.extend(rest.iter().filter(|b| **b != b'\n' && **b != 0x1b && **b != b'^'));
        let mut log = export(&message);
        log.extend(export(b"next\n"));
        let (seen, _) = records(&log);
        let last = seen.last().map(|s| s.2.clone());
        prop_assert_eq!(last.as_deref(), Some("next"));
        let wanted: Vec<String> = crate::tree::printable(message).lines().filter(|l| !l.is_empty()).map(str::to_owned).collect();
        let texts: Vec<String> = seen[..seen.len() - 1].iter().map(|s| s.2.clone()).collect();
        prop_assert_eq!(texts, wanted);
    }

    #[test]
    fn any_arrangement_of_their_pieces_ends(pieces in proptest::collection::vec(0usize..14, 0..60)) {
        const PIECES: [&str; 14] = [
            "__CURSOR=x\n", "MESSAGE\n", "\n\0\0\0\0\0\0\0abc", "MESSAGE=a\n", "\n", "{\n", "},{\n", "}\n", "\"MESSAGE\" : [\n", "78,\n",
            "Mon 2025-07-07 22:36:09.000000 UTC [s=1;b=aa;m=10]\n", "    MESSAGE=b\n", "        more\n", "[    1.000000] x\n",
        ];
        let text: String = pieces.iter().map(|p| PIECES[*p]).collect();
        let (_, reading) = records(text.as_bytes());
        prop_assert!(!reading.boots.is_empty());
    }
}
