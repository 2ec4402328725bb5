//! Words and layout: one output format a file. Nothing here reads anything.

pub mod json;
pub mod registers_page;
pub mod style;
pub mod text;
