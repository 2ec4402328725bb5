//! Capabilities on the standard list, one file each. Those that are only named are in [`super::catalogue`].

pub mod msix;
