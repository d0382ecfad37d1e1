//! The parameters of a registry's entry as flags: `bin_width` becomes `--bin-width`.

use clap::{Arg, ArgMatches, Command};
use infoplane::parameter::{Parameter, ParameterError, Parameters, Value};

/// Adds a flag for every declared parameter.
pub(super) fn add(command: Command, declared: &'static [Parameter]) -> Command {
    command.args(declared.iter().map(|parameter| {
        Arg::new(parameter.name)
            .long(parameter.name.replace('_', "-"))
            .value_name("VALUE")
            .help(parameter.doc)
            .allow_negative_numbers(true)
    }))
}

/// The given ones, checked.
pub(super) fn read(matches: &ArgMatches, declared: &'static [Parameter]) -> Result<Parameters, ParameterError> {
    let given = declared.iter().filter_map(|parameter| {
        let word = matches.get_one::<String>(parameter.name)?;
        Some((parameter.name.to_owned(), Value::parse(word)))
    });
    Parameters::new(declared, given)
}
