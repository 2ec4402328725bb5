//! Configuration space: addresses, registers, the header, both capability lists.
//!
//! Nothing here does input or output and nothing makes text: bytes come in through [`space::ConfigBytes`], numbers
//! and tables go out. Read in this order: [`address`], [`register`], [`space`], [`header`], [`walk`], [`decode`],
//! [`catalogue`], then one file a capability in [`capability`] and [`extended`]. [`tlp`] and [`vpd`] are formats of their own.

pub mod address;
pub mod bars;
pub mod capability;
pub mod catalogue;
pub mod class;
pub mod decode;
pub mod expansion_rom;
pub mod extended;
pub mod header;
pub mod left_out;
pub mod quantity;
pub mod register;
pub mod reserved;
pub mod select;
pub mod space;
pub mod tlp;
pub mod vpd;
pub mod walk;

pub use address::{Bdf, PartialBdf};
pub use space::ConfigSpace;
