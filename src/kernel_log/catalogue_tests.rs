use super::*;

#[test]
fn every_wording_compiles_and_speaks_the_vocabulary() {
    for kind in kinds() {
        for wording in kind.wordings {
            let regex = compile(wording.is).unwrap_or_else(|e| panic!("{}: {e}", kind.id));
            for name in regex.capture_names().flatten() {
                let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
                let known = matches!(name, "driver" | "device") || vocabulary(plain).is_some();
                assert!(known, "{}: field {name} is not in the vocabulary", kind.id);
            }
        }
    }
    assert!(TABLE.pieces.is_some());
}

#[test]
fn identifiers_are_one_of_a_kind_and_well_formed() {
    let mut ids: Vec<&str> = kinds().map(|kind| kind.id).collect();
    for id in &ids {
        let (speaker, event) = id.split_once('.').unwrap();
        let plain =
            |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        assert!(plain(speaker) && plain(event), "{id}");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn kinds_say_what_they_mean_and_where_that_is_from() {
    for kind in kinds() {
        assert!(kind.means.ends_with('.') && kind.means.len() > 10, "{}", kind.id);
        let words_alone = kind.id.starts_with("driver.");
        assert!(!kind.source.is_empty() && kind.wordings.is_empty() == words_alone, "{}", kind.id);
    }
}

#[derive(serde::Deserialize)]
struct Pattern {
    samples: Vec<String>,
}

#[test]
fn no_known_line_is_two_kinds_and_each_passes_the_filter() {
    let text = include_str!("../../tests/kernel-log-patterns.json");
    let patterns: Vec<Pattern> = serde_json::from_str(text).unwrap();
    for sample in patterns.iter().flat_map(|p| &p.samples) {
        assert_eq!(fitting(sample).len(), 1, "{sample}: {:?}", fitting(sample));
        assert!(may_matter(sample.as_bytes()) && parse(sample).is_some(), "{sample}");
    }
}
