//! Words and layout: one output format a file. Nothing here reads anything.

pub mod checks_page;
pub mod diagnosis_page;
pub mod json;
pub mod junit;
pub mod ocptv;
pub mod prometheus;
pub mod registers_page;
pub mod report;
pub mod style;
pub mod text;
