use proptest::prelude::*;

use super::*;

/// A resource with its tag and length in front.
fn large(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag], &(body.len() as u16).to_le_bytes()[..], body].concat()
}

fn field(keyword: &str, data: &[u8]) -> Vec<u8> {
    [keyword.as_bytes(), &[data.len() as u8], data].concat()
}

/// The example of PCI Local Bus 3.0, appendix I, in spirit: a name, part and serial number, a checksum, an asset tag.
fn example() -> Vec<u8> {
    let mut bytes = large(IDENTIFIER, b"ABCD Super-Fast Widget Controller");
    let mut read_only = [
        field("PN", b"6181682A"),
        field("EC", b"4950262536"),
        field("SN", b"00000194"),
        field("MN", b"1037"),
        field("RV", &[0, 0xff, 0xff]),
    ]
    .concat();
    let checksum_at = bytes.len() + 3 + read_only.len() - 3;
    bytes.extend(large(READ_ONLY, &std::mem::take(&mut read_only)));
    let sum = bytes[..=checksum_at].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    bytes[checksum_at] = sum.wrapping_neg();
    bytes.extend(large(READ_WRITE, &[field("YA", b"RACK 7\0\0"), field("RW", &[0; 8])].concat()));
    bytes.push(0x78);
    bytes
}

#[test]
fn a_good_one() {
    let bytes = example();
    let data = parse(&bytes);
    assert_eq!(data.problems, []);
    assert_eq!(data.identifier.and_then(text).as_deref(), Some("ABCD Super-Fast Widget Controller"));
    let keywords: Vec<_> = data.fields.iter().map(|f| std::str::from_utf8(&f.keyword).unwrap()).collect();
    assert_eq!(keywords, ["PN", "EC", "SN", "MN", "RV", "YA", "RW"]);
    assert_eq!(data.fields[2].text().as_deref(), Some("00000194"));
    assert_eq!(keyword_name(data.fields[2].keyword), Some("serial number"));
    assert_eq!(data.fields[4].checksum_good, Some(true));
    assert_eq!((data.fields[4].text(), data.fields[4].data.len()), (None, 3));
    assert_eq!((data.fields[5].area, data.fields[5].text().as_deref()), (Area::ReadWrite, Some("RACK 7")));
    assert_eq!(data.end, Some(bytes.len()));
    assert_eq!(length(&bytes), Some(bytes.len()));
}

#[test]
fn what_follows_the_end_is_not_part_of_it() {
    let mut bytes = example();
    let end = bytes.len();
    bytes.extend([0xff; 100]);
    assert_eq!((parse(&bytes).end, length(&bytes)), (Some(end), Some(end)));
    assert_eq!(length(&bytes[..end - 1]), None, "the end tag is yet to come");
    assert_eq!(length(&[]), None);
}

#[test]
fn a_wrong_checksum_is_said() {
    let mut bytes = example();
    bytes[5] ^= 0x10;
    let data = parse(&bytes);
    assert_eq!(data.fields[4].checksum_good, Some(false));
    assert!(matches!(data.problems[..], [Problem::Checksum { sum }] if sum != 0));
}

#[test]
fn a_missing_checksum_is_said() {
    let mut bytes = large(READ_ONLY, &field("SN", b"1"));
    bytes.push(0x78);
    assert_eq!(parse(&bytes).problems, [Problem::NoChecksum]);
    let mut bytes = large(READ_ONLY, &field("RV", b""));
    bytes.push(0x78);
    assert_eq!(parse(&bytes).problems, [Problem::NoChecksum], "an empty one is none");
}

#[test]
fn noise_ends() {
    assert_eq!(parse(&[]).problems, [Problem::Empty]);
    let zeros = parse(&[0; 4096]);
    assert_eq!(zeros.problems, [Problem::UnknownTag { offset: 0, tag: 0 }]);
    assert_eq!(length(&[0; 4]), Some(1), "nothing is read behind a tag that makes no sense");
    let ones = parse(&[0xff; 4096]);
    assert_eq!(ones.problems, [Problem::UnknownTag { offset: 0, tag: 0xff }]);
    assert_eq!(length(&[0xff; 4]), Some(8));
    assert_eq!(length(&[0xa0, 0xff, 0xff]), Some(LIMIT));
    let unknown: Vec<u8> = [0xa0, 0, 0].repeat(10_000);
    let data = parse(&unknown);
    assert_eq!(data.problems.len(), MOST_PROBLEMS + 1);
    assert_eq!(data.problems[MOST_PROBLEMS], Problem::More);
}

#[test]
fn what_is_cut_is_given_as_far_as_it_goes() {
    let bytes = example();
    let cut = parse(&bytes[..50]);
    assert_eq!(cut.identifier.map(<[u8]>::len), Some(33));
    assert_eq!((cut.fields.len(), cut.fields[0].data), (1, &b"6181682A"[..]));
    assert_eq!(cut.problems, [Problem::ResourceCut { offset: 36, end: 87, length: 50 }]);
    let name = parse(&bytes[..10]);
    assert_eq!(name.identifier, Some(&b"ABCD Su"[..]));
    let field = large(READ_ONLY, b"SN\x20short");
    assert_eq!(parse(&field).problems[0], Problem::FieldCut { offset: 3, end: 38, resource_end: 11 });
    assert_eq!(parse(&field).fields[0].data, b"short");
    assert_eq!(parse(&[0x82, 1]).problems, [Problem::ResourceCut { offset: 0, end: 3, length: 2 }]);
}

#[test]
fn keywords_with_a_free_letter() {
    assert_eq!(keyword_name(*b"V7"), Some("specific to the manufacturer"));
    assert_eq!(keyword_name(*b"Y0"), Some("specific to the system"));
    assert_eq!(keyword_name(*b"ZZ"), Some("specific to the product"));
    assert_eq!(keyword_name([0xff, 0]), None);
}

#[test]
fn text_is_what_can_be_printed() {
    assert_eq!(text(b"ok  \0\0").as_deref(), Some("ok"));
    assert_eq!(text(b"\x1b[31m"), None);
    assert_eq!(text(b"a\0b"), None);
    assert_eq!(text("é".as_bytes()), None);
    assert_eq!(text(b"").as_deref(), Some(""));
}

proptest! {
    #[test]
    fn any_bytes_parse(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        check(&bytes);
    }

    /// Good data with a few wrong bytes gets further into the parser than noise does.
    #[test]
    fn damaged_data_parses(damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8)) {
        let mut bytes = example();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        check(&bytes);
    }
}

fn check(bytes: &[u8]) {
    let data = parse(bytes);
    let fields: usize = data.fields.iter().map(|f| f.data.len() + 3).sum();
    assert!(fields <= bytes.len() + data.problems.len() * 3, "no byte belongs to two fields");
    assert!(data.problems.len() <= MOST_PROBLEMS + 1 + 2);
    assert!(data.end.is_none_or(|end| end <= bytes.len()));
    if let (Some(end), Some(length)) = (data.end, length(bytes)) {
        assert_eq!(end, length.min(bytes.len()));
    }
}
