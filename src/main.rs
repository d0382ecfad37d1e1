//! The command line. Words, progress bars and exit codes; everything that counts is in the library.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
