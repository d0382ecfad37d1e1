//! The declared parameters of an estimator, data set or measure as flags: `bin_width` becomes `--bin-width`.

use crate::parameter::{Kind, Parameter, ParameterError, Parameters, Value, capitalised};
use clap::{Arg, ArgAction, ArgMatches, Command};

/// Adds a flag for every declared parameter.
pub(super) fn add(command: Command, declared: &'static [Parameter]) -> Command {
    command.args(declared.iter().map(|parameter| {
        let default = match parameter.default {
            "" => String::new(),
            default => format!(" [default: {default}]"),
        };
        let words = match parameter.kind {
            Kind::Choice(words) => format!(" [possible values: {}]", words.join(", ")),
            _ => String::new(),
        };
        let help = format!("{}{default}{words}", capitalised(parameter.doc));
        let arg = Arg::new(parameter.name).long(parameter.name.replace('_', "-")).help(help);
        // The name in other programs.
        let arg = if parameter.name == "n_bins" { arg.visible_alias("bins") } else { arg };
        match parameter.kind {
            Kind::Flag => arg.action(ArgAction::SetTrue),
            // Rows of numbers may begin with a minus sign.
            Kind::Rows => arg.value_name("ROWS").allow_hyphen_values(true),
            _ => arg.value_name("VALUE").allow_negative_numbers(true),
        }
    }))
}

/// The parameters given on the command line, checked.
pub(super) fn read(matches: &ArgMatches, declared: &'static [Parameter]) -> Result<Parameters, ParameterError> {
    let last = |(name, mut values): (String, Vec<Value>)| Some((name, values.pop()?));
    Parameters::new(declared, given(matches, declared, |word| vec![Value::parse(word)]).into_iter().filter_map(last))
}

/// The parameters given on the command line, each with one or several values.
pub(super) fn read_lists(matches: &ArgMatches, declared: Vec<Parameter>) -> Vec<(String, Vec<Value>)> {
    given(matches, &declared, Value::parse_list)
}

fn given(matches: &ArgMatches, declared: &[Parameter], parse: fn(&str) -> Vec<Value>) -> Vec<(String, Vec<Value>)> {
    let given = |parameter: &Parameter| {
        let values = match parameter.kind {
            Kind::Flag => matches.get_flag(parameter.name).then(|| vec![Value::Flag(true)])?,
            _ => parse(matches.get_one::<String>(parameter.name)?),
        };
        Some((parameter.name.to_owned(), values))
    };
    declared.iter().filter_map(given).collect()
}
