//! The examples, by what the capabilities are for.

pub mod access;
pub mod conventional;
pub mod errors;
pub mod example;
pub mod flits;
pub mod links;
pub mod services;
pub mod virtual_channels;

use example::Example;

/// All of them.
pub fn examples() -> impl Iterator<Item = &'static Example> {
    let tables = [
        access::EXAMPLES,
        conventional::EXAMPLES,
        errors::EXAMPLES,
        flits::EXAMPLES,
        links::EXAMPLES,
        services::EXAMPLES,
        virtual_channels::EXAMPLES,
    ];
    tables.into_iter().flatten()
}
