//! Takes away what nothing can refer to any more. An object born before the watermark that the state does not know can
//! never be introduced again, whatever happens: so anybody may remove it, also one who slept since finding that out.

use std::time::Duration;

use api::generation::Generation;

use super::Log;
use super::read::number;
use crate::extent::ObjectId;
use crate::file_system::FsError;
use crate::state::State;
use crate::volume::Volume;

/// After so many names were taken away others have their turn for so long.
const AT_ONCE: usize = 16;
const PAUSE: Duration = Duration::from_millis(2);

/// What a look at one directory came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    pub(crate) removed: usize,
    /// What nothing refers to, and something might yet, until the watermark has passed it.
    pub(crate) waiting: usize,
}

impl Log {
    /// Which of the 256 directories of objects the space has on a volume.
    pub(crate) async fn object_directories(&self, volume: &Volume) -> Result<Vec<u8>, FsError> {
        match volume.fs.list(&self.layout.all_objects()).await {
            Ok(names) => Ok(names.iter().filter_map(|name| u8::from_str_radix(name, 16).ok()).collect()),
            Err(FsError::NotFound) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Takes away objects in one of the 256 directories that the space has on a volume.
    pub(crate) async fn collect_objects(
        &self,
        volume: &Volume,
        state: &State,
        directory: u8,
    ) -> Result<Collected, FsError> {
        self.collect(volume, &self.layout.object_directory(directory), |name| {
            // One that is known on any volume stays on all: no mistake about which volume this is can cost anything.
            let known = |object: ObjectId| state.volumes.indices().any(|on| state.objects.knows(on, object));
            let object = object(name).filter(|object| !known(*object))?;
            Some(object.born < state.low)
        })
        .await
    }

    /// Takes away entries and states that never got a place, and never will: by now their place is taken or gone.
    pub(crate) async fn collect_temporaries(&self, state: &State) -> Result<Collected, FsError> {
        let dead = |name: &str| temporary(name).map(|known| known < state.low);
        self.collect(&self.volume, &self.layout.temporaries(), dead).await
    }

    /// Takes away what is said to be dead; `None` is said of what is to stay.
    async fn collect(
        &self,
        volume: &Volume,
        directory: &str,
        is_dead: impl Fn(&str) -> Option<bool>,
    ) -> Result<Collected, FsError> {
        let names = match volume.fs.list(directory).await {
            Ok(names) => names,
            Err(FsError::NotFound) => return Ok(Collected::default()),
            Err(error) => return Err(error),
        };
        let mut collected = Collected::default();
        for name in names {
            match is_dead(&name) {
                None => {}
                Some(false) => collected.waiting += 1,
                Some(true) => {
                    match volume.fs.unlink(&format!("{directory}/{name}")).await {
                        Ok(()) | Err(FsError::NotFound) => {}
                        Err(error) => return Err(error),
                    }
                    collected.removed += 1;
                    if collected.removed % AT_ONCE == 0 {
                        self.host.sleep(PAUSE).await;
                    }
                }
            }
        }
        Ok(collected)
    }
}

/// The object of a file. What has another name is not of this program, and stays.
fn object(name: &str) -> Option<ObjectId> {
    let (born, random) = name.split_once('-')?;
    let object = ObjectId { born: Generation(number(born)?), random: u64::from_str_radix(random, 16).ok()? };
    (object.to_string() == name).then_some(object)
}

/// What was known by whoever made a file in `tmp/`.
fn temporary(name: &str) -> Option<Generation> {
    let (known, random) = name.split_once('-')?;
    let ours = random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
    number(known).filter(|_| ours).map(Generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_are_understood() {
        let id = ObjectId { born: Generation(7), random: 0xab };
        assert_eq!(object("7-00000000000000ab"), Some(id));
        for name in ["07-00000000000000ab", "7-ab", "7-00000000000000AB", "7", "-7-00000000000000ab", "x"] {
            assert_eq!(object(name), None, "{name}");
        }
        assert_eq!(temporary("7-000000000000000000000000000000ab"), Some(Generation(7)));
        for name in ["000000000000000000000000000000ab", "7-ab", "7-000000000000000000000000000000ag"] {
            assert_eq!(temporary(name), None, "{name}");
        }
    }
}
