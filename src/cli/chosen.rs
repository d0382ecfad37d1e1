//! Estimators and their parameters as chosen by `--estimator` and `--set`, for commands that need no recording.

use anyhow::bail;
use clap::{Arg, ArgAction, ArgMatches};

use crate::estimators::{self, ESTIMATORS, Spec};
use crate::parameter::{Parameters, Value};

/// The option for parameters of the estimators.
pub(super) fn set_arg() -> Arg {
    Arg::new("set")
        .long("set")
        .value_name("PARAMETER=VALUES")
        .help("A parameter of the estimators with one or several values, for example k=1,3; give the option once for each parameter. `infoplane estimate <estimator> --help` lists the parameters")
        .action(ArgAction::Append)
}

/// The estimators with these `names` (`all`: every estimator) and the sets of their parameters. Each parameter must belong to at
/// least one of them.
///
/// # Errors
/// A name is unknown or repeated, or a parameter is unknown, repeated or out of range.
pub(super) fn chosen(names: &[String], matches: &ArgMatches) -> anyhow::Result<Vec<(&'static Spec, Vec<Parameters>)>> {
    let specs: Vec<&'static Spec> = match names.iter().any(|name| name == "all") {
        true => ESTIMATORS.to_vec(),
        false => names.iter().map(|name| estimators::find(name)).collect::<Result<_, _>>()?,
    };
    if let Some(name) = repeated(specs.iter().map(|spec| spec.name)) {
        bail!("the estimator `{name}` is named twice; name every estimator once");
    }
    let given = given(matches)?;
    let declares = |spec: &Spec, name: &str| spec.parameters.iter().any(|parameter| parameter.name == name);
    if let Some((name, _)) = given.iter().find(|(name, _)| !specs.iter().any(|spec| declares(spec, name))) {
        let parameters: Vec<&str> =
            specs.iter().flat_map(|spec| spec.parameters).map(|parameter| parameter.name).collect();
        let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
        bail!("no parameter `{name}` in {}; parameters: {}", names.join(", "), parameters.join(", "));
    }
    let sets = |spec: &'static Spec| {
        let own = given.iter().filter(|(name, _)| declares(spec, name)).cloned().collect();
        Ok((spec, spec.sets(own)?))
    };
    specs.into_iter().map(sets).collect()
}

/// Parameters of the form `k=1,3`.
fn given(matches: &ArgMatches) -> anyhow::Result<Vec<(String, Vec<Value>)>> {
    let texts: Vec<&String> = matches.get_many("set").map_or_else(Vec::new, Iterator::collect);
    let pair = |text: &&String| match text.split_once('=') {
        Some((name, values)) => Ok((name.replace('-', "_"), Value::parse_list(values))),
        None => bail!("`--set {text}` must have the form PARAMETER=VALUES, for example k=1,3"),
    };
    let given: Vec<(String, Vec<Value>)> = texts.iter().map(pair).collect::<anyhow::Result<_>>()?;
    match repeated(given.iter().map(|(name, _)| name.as_str())) {
        Some(name) => bail!("`--set` names `{name}` twice; give several values as `{name}=1,2`"),
        None => Ok(given),
    }
}

fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}
