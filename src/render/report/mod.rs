//! `report` for people: one page of HTML, or Markdown that fits into a ticket.

pub mod html;
pub mod markdown;
pub mod path_picture;
pub mod timeline_picture;
pub mod words;
