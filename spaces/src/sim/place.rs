//! The paths of a volume, each known by a number: what is there is looked up in flat tables.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use api::ids::SpaceId;

use super::second::DIRECTORY;

/// A path of the volume; what is above has a lower number.
pub(super) type PathId = u32;

pub(super) const ROOT: PathId = 0;

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Entry {
        space: SpaceId,
        generation: u64,
    },
    Start {
        space: SpaceId,
        block: u64,
    },
    Gone,
    Object {
        space: SpaceId,
    },
    Temporary {
        space: SpaceId,
    },
    /// The directory of a block.
    Block,
    /// A directory of objects.
    Objects,
    /// The directories above, and what is in none of them.
    Other,
}

impl Purpose {
    fn of(path: &str) -> Self {
        let path = path.strip_prefix(DIRECTORY).map_or(path, |below| below.trim_start_matches('/'));
        let mut parts = path.split('/');
        let (Some("spaces"), Some(_), Some(space)) = (parts.next(), parts.next(), parts.next()) else {
            return Self::Other;
        };
        let Ok(space) = space.parse() else { return Self::Other };
        match (parts.next(), parts.next(), parts.next()) {
            (Some("tmp"), Some(_), None) => Self::Temporary { space },
            (Some("objects"), Some(_), None) => Self::Objects,
            (Some("objects"), Some(_), Some(_)) => Self::Object { space },
            (Some("log"), Some(_), None) => Self::Block,
            (Some("log"), Some(_), Some("gone")) => Self::Gone,
            (Some("log"), Some(block), Some(name)) => match (block.parse(), name.parse()) {
                (Ok(block), Err(_)) if name == "start" => Self::Start { space, block },
                (Ok(_), Ok(generation)) => Self::Entry { space, generation },
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

struct Known {
    text: Arc<str>,
    above: PathId,
    purpose: Purpose,
}

pub(super) struct Paths {
    numbers: HashMap<Arc<str>, PathId, BuildHasherDefault<Quick>>,
    known: Vec<Known>,
}

impl Paths {
    pub(super) fn new() -> Self {
        let mut paths = Self { numbers: HashMap::default(), known: Vec::new() };
        let text: Arc<str> = "".into();
        paths.numbers.insert(text.clone(), ROOT);
        paths.known.push(Known { text, above: ROOT, purpose: Purpose::Other });
        paths
    }

    pub(super) fn number(&mut self, path: &str) -> PathId {
        if let Some(number) = self.numbers.get(path) {
            return *number;
        }
        let above = self.number(path.rsplit_once('/').map_or("", |(above, _)| above));
        let number = PathId::try_from(self.known.len()).unwrap();
        let text: Arc<str> = path.into();
        self.known.push(Known { text: text.clone(), above, purpose: Purpose::of(path) });
        self.numbers.insert(text, number);
        number
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn text(&self, path: PathId) -> &str {
        &self.known[path as usize].text
    }

    pub(super) fn name(&self, path: PathId) -> &str {
        let text = self.text(path);
        text.rsplit_once('/').map_or(text, |(_, name)| name)
    }

    /// A path without what is the same in all; of the space only its first digits.
    pub(super) fn short(&self, path: PathId) -> String {
        let text = self.text(path);
        let (volume, text) = text.split_at(if self.is_second(path) { DIRECTORY.len() + 1 } else { 0 });
        match (text.strip_prefix("spaces/"), text.get(46..)) {
            (Some(rest), Some(below)) => format!("{volume}{}:{}", rest.get(3..7).unwrap_or(rest), below),
            _ => format!("{volume}{text}"),
        }
    }

    /// Whether it is something on the second volume.
    pub(super) fn is_second(&self, path: PathId) -> bool {
        self.text(path).strip_prefix(DIRECTORY).is_some_and(|below| below.starts_with('/'))
    }

    pub(super) fn above(&self, path: PathId) -> PathId {
        self.known[path as usize].above
    }

    pub(super) fn purpose(&self, path: PathId) -> Purpose {
        self.known[path as usize].purpose
    }
}

/// A hash that is good enough for paths, and the same in every run.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.write_u64(u64::from_le_bytes(word.try_into().unwrap()));
        }
        let rest = words.remainder().iter().fold(1, |rest, byte| (rest << 8) | u64::from(*byte));
        self.write_u64(rest);
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 29;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_paths_are_for() {
        let space: SpaceId = "76eef131-e3b7-43aa-9b26-2d6371565f7f".parse().unwrap();
        let root = format!("spaces/76/{space}");
        let mut paths = Paths::new();
        for (below, purpose) in [
            ("log/1/17", Purpose::Entry { space, generation: 17 }),
            ("log/1/start", Purpose::Start { space, block: 1 }),
            ("log/1/gone", Purpose::Gone),
            ("log/1", Purpose::Block),
            ("tmp/ab", Purpose::Temporary { space }),
            ("objects/ab", Purpose::Objects),
            ("objects/ab/7-ab", Purpose::Object { space }),
            ("objects", Purpose::Other),
        ] {
            let number = paths.number(&format!("{root}/{below}"));
            assert_eq!(paths.purpose(number), purpose, "{below}");
            assert_eq!(paths.short(number), format!("76ee:/{below}"));
            assert!(paths.above(number) < number);
        }
        let number = paths.number(&format!("second/{root}/objects/ab/7-ab"));
        assert_eq!(paths.purpose(number), Purpose::Object { space }, "on the second volume");
        assert!(paths.is_second(number) && paths.short(number) == "second/76ee:/objects/ab/7-ab");
        assert_eq!(paths.number("internet-disk.json"), paths.number("internet-disk.json"));
    }
}
