use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::tree::{Cause, Tree, read};

/// The bytes of a function up to the first one that is missing.
fn config(dump: &Dump, address: &str) -> Vec<u8> {
    let path = path(address.parse().unwrap());
    match dump.tree.open(&path).unwrap().pieces() {
        Some(pieces) => pieces.runs[0].1.clone(),
        None => read(&dump.tree, &path, 4096).unwrap(),
    }
}

fn texts(dump: &Dump) -> Vec<String> {
    dump.notes.iter().map(ToString::to_string).collect()
}

/// Bytes that are all different within a row and between rows.
fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 16) as u8 | ((i / 16) as u8) << 4).collect()
}

fn rows(bytes: &[u8]) -> Vec<String> {
    let row = |(index, bytes): (usize, &[u8])| {
        let mut row = format!("{:02x}:", index * 16);
        bytes.iter().for_each(|byte| write!(row, " {byte:02x}").unwrap());
        row
    };
    bytes.chunks(16).enumerate().map(row).collect()
}

fn text(address: &str, bytes: &[u8]) -> String {
    format!("{address} Host bridge: Example\n{}\n\n", rows(bytes).join("\n"))
}

#[test]
fn every_function_has_its_bytes_and_nothing_else() {
    let dump = parse((text("00:00.0", &sample(64)) + &text("0001:82:1f.7", &sample(4096))).as_bytes());
    assert_eq!(dump.functions, 2);
    assert_eq!(dump.notes, []);
    assert_eq!(config(&dump, "0000:00:00.0"), sample(64));
    assert_eq!(config(&dump, "0001:82:1f.7"), sample(4096));
    assert_eq!(dump.tree.list("sys/bus/pci/devices").unwrap(), ["0000:00:00.0", "0001:82:1f.7"]);
    let missing = dump.tree.open("sys/bus/pci/devices/0000:00:00.0/vendor").err().unwrap();
    assert_eq!(missing.cause, Cause::NotCaptured);
}

#[test]
fn lines_may_be_long_quoted_decoded_with_crlf_or_without_an_end() {
    let head = format!("82:00.0 3D controller: {}", "x".repeat(10_000));
    let plain = rows(&sample(256)).join("\n");
    for text in [
        format!("{head}\n{plain}"),
        format!("{head}\n{plain}\n").replace('\n', "\r\n"),
        format!("Hello,\n\nhere is\n\n{head}\n{plain}\n\n-- \nA\n").replace('\n', "\n> > "),
        format!("{head}\n{plain}").replace('\n', "\n    "),
        format!("{head}\n\tControl: I/O- Mem+\n\tCapabilities: [40] x\n\t\tde ad\n{plain}\n"),
        format!("Slot:\t{head}\nClass:\tHost bridge\n{plain}\n").replace("controller: ", ""),
        format!("\u{feff}{head}\n\tDouble spaced\n{plain}\n").replace('\n', "\n\n"),
        format!("{head}\n{plain}\n").to_uppercase(),
        format!("{head}\n{plain}\n\nEDID:\n00: 00 ff ff ff ff ff ff 00\n100: 00 01\n"),
    ] {
        let dump = parse(text.as_bytes());
        assert_eq!(dump.functions, 1, "{text}");
        assert_eq!(config(&dump, "0000:82:00.0"), sample(256), "{text}");
    }
}

#[test]
fn domains_have_four_to_eight_digits() {
    for domain in ["0001", "10000", "abcdef", "1234567", "feedbeef"] {
        let address = format!("{domain}:02:1f.3");
        let dump = parse(text(&address, &sample(64)).as_bytes());
        assert_eq!(config(&dump, &address), sample(64));
    }
    for address in ["001:02:1f.3", "123456789:02:1f.3", "g000:00:00.0", "2:00.0", "02:00.00", "02:00.0:"] {
        let dump = parse(text(address, &sample(64)).as_bytes());
        assert_eq!(dump.functions, 0, "{address}");
        assert_eq!(
            texts(&dump),
            ["line 2: hex rows without an address line before them are passed over"],
            "{address}"
        );
    }
}

#[test]
fn an_impossible_address_does_not_give_its_bytes_to_another_function() {
    let text = text("00:01.0", &sample(64)).trim_end().to_owned() + "\n" + &text("00:20.0", &sample(256));
    let dump = parse(text.as_bytes());
    assert_eq!(config(&dump, "0000:00:01.0"), sample(64));
    assert_eq!(texts(&dump)[0], "line 6: 00:20.0 cannot be the address of a function");
}

#[test]
fn nothing_is_invented_behind_a_hole() {
    let mut lines = rows(&sample(256));
    lines.remove(5);
    let dump = parse(format!("00:01.0 x\n{}\n", lines.join("\n")).as_bytes());
    assert_eq!(config(&dump, "0000:00:01.0"), sample(0x50));
    assert_eq!(texts(&dump), ["line 1: 0000:00:01.0: bytes 0x50 to 0x60 are missing and stay unknown"]);
    let file = dump.tree.open(&path("00:01.0".parse().unwrap())).unwrap();
    assert_eq!(file.size(), 256);
    assert_eq!(file.pieces().unwrap().runs[1], (0x60, sample(256)[0x60..].to_vec()), "what follows is kept");
    assert!(file.read_at(0x50, &mut [0]).is_err());

    let dump = parse(format!("00:01.0 x\n{}\n", rows(&sample(256))[1..].join("\n")).as_bytes());
    assert_eq!(dump.functions, 0);
    assert!(texts(&dump)[0].contains("the row at 0x0 is missing"), "{dump:?}");

    let dump = parse(b"00:01.0 x\n00: 01 02 03\n10: 04\n");
    assert_eq!(config(&dump, "0000:00:01.0"), [1, 2, 3]);
}

#[test]
fn short_ends_are_kept_as_far_as_they_go() {
    let dump = parse(text("00:01.0", &sample(0x58)).trim_end().as_bytes());
    assert_eq!(config(&dump, "0000:00:01.0"), sample(0x58));
    assert_eq!(texts(&dump), ["line 1: 0000:00:01.0: the rows end at 0x58, in the middle of the space"]);
    // A byte that was cut in half: what it was is not known, and neither is whether the rest of the row is right.
    let dump = parse(b"00:01.0 x\n00: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n10: 10 11 1");
    assert_eq!(config(&dump, "0000:00:01.0"), sample(16));
    assert!(texts(&dump)[0].starts_with("line 3: 0000:00:01.0: row 0x10 is not hex"), "{dump:?}");
}

#[test]
fn rows_may_come_in_any_order_and_the_first_of_two_counts() {
    let mut lines = rows(&sample(64));
    lines.swap(1, 3);
    lines.push("10: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff".to_owned());
    lines.push("08: ff ff ff ff ff ff ff ff".to_owned());
    let dump = parse(format!("00:01.0 x\n{}\n", lines.join("\n")).as_bytes());
    assert_eq!(config(&dump, "0000:00:01.0"), sample(64));
    assert_eq!(
        texts(&dump),
        [
            "line 7: 0000:00:01.0: no row starts at 0x8; it is left out",
            "line 6: 0000:00:01.0: 1 rows, the first at 0x10, are repeated; what came first is kept",
        ]
    );
}

#[test]
fn the_first_of_two_functions_with_one_address_counts() {
    let dump = parse((text("00:01.0", &sample(64)) + &text("0000:00:01.0", &[0; 256])).as_bytes());
    assert_eq!(config(&dump, "0000:00:01.0"), sample(64));
    assert_eq!(dump.functions, 1);
    assert_eq!(
        texts(&dump),
        ["line 7: 0000:00:01.0 comes a second time, here with 256 bytes; the first is kept"]
    );
}

#[test]
fn addresses_without_rows_are_counted_once() {
    let list = "00:01.0 a\n00:02.0 b\n00:00.0 c\n\n".to_owned();
    let dump = parse((list + &text("00:01.0", &sample(64))).as_bytes());
    assert_eq!(dump.functions, 1);
    let expected = "line 2: no hex rows follow 0000:00:02.0 and 1 more addresses; `lspci -xxxx` prints them";
    assert_eq!(texts(&dump), [expected]);
}

/// A row cut in two by a message, as when lspci writes both streams into one file: at every place, with every message,
/// the bytes are right or missing. (Of a message that is nothing but bytes, that cannot be promised.)
#[test]
fn rows_cut_in_two_are_joined_or_left_out() {
    let bytes = sample(0x110);
    let lines = rows(&bytes);
    let one_line = ["pcilib: sysfs_read_vpd: read failed: No such device", "lspci: x"];
    let two_lines = "lspci: x\nanother one";
    for noise in one_line.iter().chain(&[
        two_lines,
        "00 11 oops",
        " 00 11 oops",
        "be ad to",
        "f0: 00 00 z",
        "de z",
        "0z",
    ]) {
        for (index, row) in lines.iter().enumerate() {
            for cut in 0..=row.len() {
                let mut lines = lines.clone();
                lines[index] = format!("{}{noise}\n{}", &row[..cut], &row[cut..]);
                let text = format!("00:01.0 x\n{}\n", lines.join("\n"));
                for prefix in ["", "> ", "\t"] {
                    let text = format!("{prefix}{}", text.replace('\n', &format!("\n{prefix}")));
                    let dump = parse(text.as_bytes());
                    let read = match dump.functions {
                        0 => Vec::new(),
                        _ => config(&dump, "0000:00:01.0"),
                    };
                    assert_eq!(read, &bytes[..read.len()], "{text}");
                    if one_line.contains(noise) || *noise == two_lines && cut > "100: 00".len() {
                        assert_eq!(read.len(), bytes.len(), "{text}");
                    }
                    // A last row that was cut before its first byte was whole leaves no trace: 256 bytes are a size.
                    let shows = index + 1 < lines.len() || cut > "100: 00".len();
                    assert!(read.len() == bytes.len() || !shows || !dump.notes.is_empty(), "{text}");
                }
            }
        }
    }
}

#[test]
fn rows_too_wide_or_with_letters_behind_them() {
    let row = "00: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f";
    let dump = parse(format!("00:01.0 x\n{row} 10\n").as_bytes());
    assert_eq!(dump.functions, 0);
    let dump = parse(format!("00:01.0 x\n{row}  |................|\n").as_bytes());
    assert_eq!(config(&dump, "0000:00:01.0"), sample(16));
    assert!(texts(&dump)[0].ends_with("text behind 1 rows, the first at 0x0, is passed over"));
}

#[test]
fn limits_hold() {
    let mut text = String::new();
    for number in 0..FUNCTION_LIMIT + 2 {
        let (domain, rest) = (number >> 16, number & 0xffff);
        let (bus, device, function) = (rest >> 8, rest >> 3 & 31, rest & 7);
        writeln!(text, "{domain:04x}:{bus:02x}:{device:02x}.{function} x\n00: 01 02 03 04").unwrap();
    }
    let dump = parse(text.as_bytes());
    assert_eq!(dump.functions, FUNCTION_LIMIT);
    assert_eq!(dump.notes.len(), NOTE_LIMIT + 1);

    let text = self::text("00:01.0", &sample(64));
    let dump = parse_up_to(text.as_bytes(), text.len() - 4);
    assert_eq!(config(&dump, "0000:00:01.0"), sample(48));
    assert!(texts(&dump)[0].contains("longer than"));
}

#[test]
fn raw_copies_have_a_size_and_a_header_type() {
    let header = |length: usize, header_type| {
        let mut bytes = vec![0; length];
        bytes[0x0e] = header_type;
        raw(&bytes)
    };
    for length in [64, 128, 256, 4096] {
        let dump = header(length, 0x81).unwrap();
        assert_eq!(config(&dump, "0000:00:00.0").len(), length);
        assert!(texts(&dump)[0].ends_with("0000:00:00.0 is made up"));
    }
    assert!(header(255, 0).is_none() && header(256, 3).is_none());
    assert!(raw(&[0xff; 256]).is_some() && raw(&[]).is_none());
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "([0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]( .*)?".prop_map(String::into_bytes),
        "[0-9a-f]{1,4}:( [0-9a-f]{2}){0,17}( |\r)?".prop_map(String::into_bytes),
        "[0-9a-f]0:( [0-9a-f]{2}){16}".prop_map(String::into_bytes),
        "[0-9a-f]0:( [0-9a-f]{2}){1,16}.{0,20}".prop_map(String::into_bytes),
        "( ?[0-9a-f]{2}){1,16}".prop_map(String::into_bytes),
        "[ \t>]{0,3}.{0,30}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40),
        Just(Vec::new()),
    ]
}

fn check(dump: &Dump) -> Result<(), TestCaseError> {
    prop_assert!(dump.notes.len() <= NOTE_LIMIT + 1);
    prop_assert!(dump.notes.iter().all(|note| !note.text.contains(char::is_control)));
    let names = dump.tree.list("sys/bus/pci/devices").unwrap_or_default();
    prop_assert_eq!(names.len(), dump.functions);
    for name in names {
        prop_assert!(name.parse::<Bdf>().is_ok_and(|address| address.to_string() == name));
        prop_assert!((1..=4096).contains(&config(dump, &name).len()));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_end_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        check(&parse(&bytes))?;
        raw(&bytes);
    }

    #[test]
    fn any_mix_of_plausible_lines_ends_without_panic(lines in prop::collection::vec(line(), 0..80)) {
        check(&parse(&lines.join(&b'\n')))?;
    }

    #[test]
    fn what_lspci_prints_reads_back(
        functions in prop::collection::btree_map(
            (any::<u32>(), any::<u8>(), 0u8..32, 0u8..8),
            prop::sample::select(vec![64usize, 128, 256, 4096])
                .prop_flat_map(|length| prop::collection::vec(any::<u8>(), length)),
            1..4,
        ),
        crlf: bool,
        with_domain: bool,
        decoded: bool,
        last_line_ends: bool,
    ) {
        let mut text = String::new();
        let mut expected = Vec::new();
        for ((domain, bus, device, function), bytes) in &functions {
            let domain = if with_domain { *domain } else { 0 };
            let address = Bdf { domain, bus: *bus, device: *device, function: *function };
            if expected.iter().any(|(known, _)| *known == address) {
                continue;
            }
            let name = address.to_string();
            let name = if with_domain { &name } else { name.trim_start_matches("0000:") };
            let decode = if decoded { "\tControl: I/O+ Mem+\n\t\tDevCap:\tMaxPayload 256 bytes\n" } else { "" };
            write!(text, "{name} Class [0604]: x\n{decode}{}\n\n", rows(bytes).join("\n")).unwrap();
            expected.push((address, bytes));
        }
        let text = if last_line_ends { &text } else { text.trim_end() };
        let text = if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
        let dump = parse(text.as_bytes());
        prop_assert_eq!(&dump.notes, &[]);
        prop_assert_eq!(dump.functions, expected.len());
        for (address, bytes) in expected {
            prop_assert_eq!(&config(&dump, &address.to_string()), bytes);
        }
    }
}
