//! What several checks of one function look at: read and worked out once.

use std::cell::OnceCell;

use crate::machine::aer::{Aer, aer};
use crate::machine::vectors::{self, Unreadable, VectorTable};
use crate::pci::bars::{Bar, Resource, bars, whole_resources};

use super::finding::Skip;
use super::subject::Subject;

/// What was gathered so far.
#[derive(Default)]
pub(super) struct Gathered {
    aer: OnceCell<Aer>,
    resources: OnceCell<Result<Vec<Resource>, Skip>>,
    bars: OnceCell<Vec<Bar>>,
    vectors: OnceCell<Option<Result<VectorTable, Unreadable>>>,
}

impl Subject<'_> {
    /// What is known of its errors and of who handles them.
    pub(super) fn aer(&self) -> &Aer {
        let around = &self.around;
        let of = || aer(around.machine, self.function, around.platform, around.interrupts);
        self.gathered.aer.get_or_init(of)
    }

    /// The lines of `resource`; unknown if one of them is missing.
    pub(super) fn resources(&self) -> Result<&[Resource], Skip> {
        let read = || whole_resources(self.text("resource")?).map_err(Skip::unknown);
        let read = self.gathered.resources.get_or_init(read);
        read.as_deref().map_err(Skip::clone)
    }

    /// Its BARs; not applicable to virtual functions.
    pub(super) fn bars(&self) -> Result<&[Bar], Skip> {
        if self.function.is_virtual() {
            return Err(Skip::not_applicable("the BARs of a virtual function are in its physical function"));
        }
        let resources = self.resources()?;
        let found = || {
            let lines: Vec<Option<Resource>> = resources.iter().copied().map(Some).collect();
            bars(self.function.space(), Some(&lines))
        };
        Ok(self.gathered.bars.get_or_init(found))
    }

    /// Its MSI-X table, or why that could not be read; `None` without MSI-X.
    pub(super) fn vectors(&self) -> Option<Result<&VectorTable, &Unreadable>> {
        let around = &self.around;
        let read = || vectors::read(around.tree, around.live, self.function, around.platform, around.mmio);
        self.gathered.vectors.get_or_init(read).as_ref().map(Result::as_ref)
    }
}
