//! The README, the documentation and the goldens in `tests/commands/`: every `console` block is run and compared.
//!
//! `TRYCMD=overwrite cargo test --test commands` writes what the program prints into them.

#[test]
fn documentation_and_goldens() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .env("PCISCOPE_IDS", "embedded")
        .case("README.md")
        .case("docs/*.md")
        .case("tests/commands/*.md");
}
