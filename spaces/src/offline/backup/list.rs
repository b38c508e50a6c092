//! The list of all files of a backup, with what each must be: as `b3sum` writes it, with the length between.

use std::collections::BTreeMap;
use std::fmt::Write;

use blake3::Hash;

/// What a file must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) hash: Hash,
    pub(super) length: u64,
}

/// Files by their path below the point.
pub(super) type List = BTreeMap<String, Sum>;

/// A line, with its end.
pub(super) fn line(path: &str, Sum { hash, length }: &Sum) -> String {
    format!("{hash}  {length}  {path}\n")
}

/// The content of the file.
pub(super) fn write(list: &List) -> Vec<u8> {
    let mut text = String::new();
    for (path, sum) in list {
        // Writing into a text never fails.
        let _ = text.write_str(&line(path, sum));
    }
    text.into_bytes()
}

/// Reads the content of the file. A last line without an end was not written whole, and does not count.
pub(super) fn read(file: &[u8]) -> Result<List, String> {
    let text = std::str::from_utf8(file).map_err(|error| error.to_string())?;
    let mut list = List::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let Some(line) = line.strip_suffix('\n') else { break };
        let (path, sum) = parse(line).ok_or_else(|| format!("line {} is none of a list", number + 1))?;
        list.insert(path.to_owned(), sum);
    }
    Ok(list)
}

fn parse(line: &str) -> Option<(&str, Sum)> {
    let mut parts = line.splitn(3, "  ");
    let hash = Hash::from_hex(parts.next()?).ok()?;
    let length = parts.next()?.parse().ok()?;
    let path = parts.next().filter(|path| is_inside(path))?;
    Some((path, Sum { hash, length }))
}

/// Whether a path stays where it belongs, whoever wrote the list.
fn is_inside(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    path.split('/').all(|name| !name.is_empty() && !matches!(name, "." | "..") && name.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(of: &[u8]) -> Sum {
        Sum { hash: blake3::hash(of), length: of.len() as u64 }
    }

    #[test]
    fn a_list_comes_back() {
        let list = List::from([("volumes/a/b-1".to_owned(), sum(b"x")), ("c.json".to_owned(), sum(b""))]);
        assert_eq!(read(&write(&list)), Ok(list));
    }

    #[test]
    fn half_a_line_does_not_count() {
        let whole = write(&List::from([("a".to_owned(), sum(b"1")), ("b".to_owned(), sum(b"2"))]));
        let cut = &whole[..whole.len() - 1];
        assert_eq!(read(cut).unwrap().into_keys().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let hash = blake3::hash(b"");
        for path in ["../a", "/etc/passwd", "a//b", "a/../b", "a/.", "", "a b", "a\0"] {
            let text = format!("{hash}  0  {path}\n");
            assert!(read(text.as_bytes()).is_err(), "{path:?}");
        }
        for text in ["x  0  a\n", "\n", &format!("{hash}  -1  a\n"), &format!("{hash} 0 a\n")] {
            assert!(read(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
