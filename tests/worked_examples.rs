//! Capabilities that lspci 3.9 does not decode, or not to their end, worked out by hand from the pictures of their
//! registers: what the bytes are, and what each field is then.
//!
//! Each example is decoded, and compared with every field of it; and it is put together again by writing its fields
//! through the register tables, and compared with every byte of it. `docs/parity.md` lists what is proved how.

#![allow(clippy::panic, reason = "a test")]

use std::collections::BTreeMap;

#[path = "worked_examples/mod.rs"]
mod tables;

use tables::example::set_fields;
use tables::examples;

#[test]
fn examples_are_decoded_as_worked_out() {
    let mut differences = Vec::new();
    for example in examples() {
        let decoded = set_fields(&example.decode(&example.bytes()));
        let expected: BTreeMap<String, u64> =
            example.fields.iter().map(|(path, value)| ((*path).to_owned(), *value)).collect();
        assert_eq!(expected.len(), example.fields.len(), "{}: a field is there twice", example.key);
        let wrong: Vec<_> =
            decoded.iter().filter(|(path, value)| expected.get(*path) != Some(value)).collect();
        let missing: Vec<_> = expected.keys().filter(|path| !decoded.contains_key(*path)).collect();
        if !wrong.is_empty() || !missing.is_empty() {
            differences.push(format!("{}: decoded {wrong:x?}, not decoded {missing:?}", example.key));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn fields_put_together_are_the_bytes_again() {
    for example in examples() {
        let (encoded, bytes) = (example.encode(), example.bytes());
        let different = (0..bytes.len()).find(|at| encoded[*at] != bytes[*at]);
        assert_eq!(different.map(|at| format!("{at:#x}")), None, "{} ({})", example.key, example.picture);
    }
}
