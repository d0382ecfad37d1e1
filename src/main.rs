//! The program `infoplane`.

use std::process::ExitCode;

fn main() -> ExitCode {
    infoplane::cli::main()
}
