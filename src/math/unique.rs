//! The distinct items of a list, in the order of their first appearance.

/// The distinct `items`, in the order of their first appearance.
///
/// Every item is compared with those found before, so it is meant for few distinct items.
pub fn unique<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for item in items {
        if !found.contains(&item) {
            found.push(item);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_kept_where_it_appears_first() {
        assert_eq!(unique(["b", "a", "b", "c", "a"]), ["b", "a", "c"]);
        assert_eq!(unique(Vec::<i32>::new()), Vec::<i32>::new());
    }
}
