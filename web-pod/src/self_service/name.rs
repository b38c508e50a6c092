//! Names of groups that members make: the beginning is from what they call it, the end is the API server's, so that
//! nobody can take a name.

/// The longest beginning; a name has 63 characters at most, and the server adds five.
const LONGEST: usize = 40;

/// A `generateName` for a group that is called so.
pub(super) fn prefix(display_name: &str) -> String {
    let mut prefix = String::new();
    for letter in display_name.chars() {
        if prefix.len() == LONGEST {
            break;
        }
        let letter = letter.to_ascii_lowercase();
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() {
            prefix.push(letter);
        } else if !prefix.is_empty() && !prefix.ends_with('-') {
            prefix.push('-');
        }
    }
    let trimmed = prefix.trim_end_matches('-');
    format!("{}-", if trimmed.is_empty() { "group" } else { trimmed })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_made_of_what_the_group_is_called() {
        for (called, prefix_) in [
            ("Design team", "design-team-"),
            ("  2026: Trip to Jeju!  ", "2026-trip-to-jeju-"),
            ("디자인", "group-"),
            ("---", "group-"),
            ("a/b/../c", "a-b-c-"),
        ] {
            assert_eq!(prefix(called), prefix_);
        }
    }

    proptest! {
        #[test]
        fn every_name_is_one_of_kubernetes(called in "\\PC{0,200}") {
            let prefix = prefix(&called);
            prop_assert!(prefix.ends_with('-'));
            let name = format!("{prefix}x7k2p");
            prop_assert!(name.len() <= 63 && name.parse::<api::ids::GroupName>().is_ok(), "{}", name);
        }
    }
}
