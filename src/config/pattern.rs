//! Patterns that select experiments of a sweep by their ids.

/// Whether `id` matches `pattern`, in which `*` matches any characters.
pub(crate) fn matches(pattern: &str, id: &str) -> bool {
    let Some((first, others)) = pattern.split_once('*') else { return pattern == id };
    let Some(mut rest) = id.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = others.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}
