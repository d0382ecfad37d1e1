//! The nearest known name to a misspelt one, for error messages.

/// `did you mean …?` with the nearest of the `known` names, or a list of them where none is near.
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    // Jaro-Winkler above 0.7: a letter or two apart; below, a guess would confuse more than it helps.
    const NEAR: f64 = 0.7;
    let known: Vec<&str> = known.into_iter().collect();
    let similarity = |candidate: &&&str| strsim::jaro_winkler(name, candidate);
    match known.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b))) {
        Some(nearest) if similarity(&nearest) > NEAR => format!("did you mean `{nearest}`?"),
        _ if known.is_empty() => "there are none".to_owned(),
        _ => format!("known: {}", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_gets_its_neighbour_and_nonsense_gets_the_list() {
        assert_eq!(suggestion("epoks", ["batch", "epochs"]), "did you mean `epochs`?");
        assert_eq!(suggestion("zzz", ["batch", "epochs"]), "known: `batch`, `epochs`");
        assert_eq!(suggestion("zzz", []), "there are none");
    }
}
