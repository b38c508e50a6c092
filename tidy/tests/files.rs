//! A file is about one thing; names say what it is.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test: all of it

const LONGEST: usize = 600;
const MEDIAN: usize = 200;

fn is_source(file: &str) -> bool {
    [".rs", ".ts", ".tsx", ".go"].iter().any(|ending| file.ends_with(ending))
}

fn is_test(file: &str) -> bool {
    file.contains("/tests/")
        || file.contains("/test/")
        || file.ends_with("/tests.rs")
        || file.ends_with("_test.go")
        || file.contains(".test.")
        || file.starts_with("e2e/tests")
}

/// Lines before the module of unit tests, which does not count.
fn length(file: &str) -> usize {
    let text = std::fs::read_to_string(tidy::root().join(file)).unwrap_or_default();
    text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count()
}

#[test]
fn no_file_is_longer_than_it_may_be() {
    let long: Vec<String> = tidy::files()
        .unwrap()
        .into_iter()
        .filter(|file| is_source(file) && !is_test(file))
        .map(|file| (length(&file), file))
        .filter(|(lines, _)| *lines > LONGEST)
        .map(|(lines, file)| format!("{file} has {lines} lines: what are the two things it is about?"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn most_files_are_short() {
    let mut lengths: Vec<usize> = tidy::files()
        .unwrap()
        .iter()
        .filter(|file| file.ends_with(".rs") && !is_test(file))
        .map(|file| length(file))
        .collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN, "the median file has {median} lines; {MEDIAN} is the most");
}

#[test]
fn nothing_has_a_name_that_says_nothing() {
    for file in tidy::files().unwrap() {
        for part in file.split('/') {
            let stem = part.split('.').next().unwrap_or_default();
            assert!(
                !["utils", "util", "common", "helpers", "helper", "manager", "misc"].contains(&stem),
                "{file}: name the thing it is about"
            );
        }
    }
}

#[test]
fn main_holds_no_logic() {
    for file in tidy::files().unwrap().iter().filter(|file| file.ends_with("src/main.rs")) {
        assert!(length(file) <= 30, "{file}: move it to the library");
    }
}
