//! The command line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    pciscope::cli::run()
}
