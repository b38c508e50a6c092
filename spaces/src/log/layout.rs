//! Where the files of a space are. Names that members give never appear here.

use api::generation::Generation;
use api::ids::SpaceId;

use crate::extent::ObjectId;

/// So many entries are in a block. Fewer in tests, so that they come to the end of one.
pub(crate) const BLOCK: u64 = if cfg!(test) { 16 } else { 1_000 };

/// The paths of a space.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    above: String,
    root: String,
}

/// Which block the entry of a generation is in.
pub(crate) fn block_of(generation: Generation) -> u64 {
    generation.0.saturating_sub(1) / BLOCK
}

/// Whether a block ends with the entry of a generation.
pub(crate) fn is_block_end(generation: Generation) -> bool {
    generation > Generation::ZERO && generation.0.is_multiple_of(BLOCK)
}

impl Layout {
    pub(crate) fn of(space: SpaceId) -> Self {
        let above = format!("spaces/{:02x}", space.0.as_bytes()[0]);
        let root = format!("{above}/{space}");
        Self { above, root }
    }

    /// Everything that is made with a space, in the order of making.
    pub(crate) fn directories(&self) -> [String; 6] {
        let Self { above, root } = self;
        let below = |name: &str| format!("{root}/{name}");
        ["spaces".to_owned(), above.clone(), root.clone(), below("tmp"), below("objects"), below("log")]
    }

    /// The directory of the space.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The last state of a space that was removed.
    pub(crate) fn removed(&self) -> String {
        format!("{}/removed", self.root)
    }

    pub(crate) fn log(&self) -> String {
        format!("{}/log", self.root)
    }

    pub(crate) fn block(&self, generation: Generation) -> String {
        self.numbered_block(block_of(generation))
    }

    pub(crate) fn numbered_block(&self, block: u64) -> String {
        format!("{}/log/{block}", self.root)
    }

    pub(crate) fn entry(&self, generation: Generation) -> String {
        format!("{}/{generation}", self.block(generation))
    }

    pub(crate) fn gone(&self, block: u64) -> String {
        format!("{}/gone", self.numbered_block(block))
    }

    pub(crate) fn start(&self, block: u64) -> String {
        format!("{}/start", self.numbered_block(block))
    }

    /// A name for what has no place yet: what its maker knew, so that it shows when nothing can come of it any more,
    /// and chance.
    pub(crate) fn temporary(&self, known: Generation, high: u64, low: u64) -> String {
        format!("{}/tmp/{known}-{high:016x}{low:016x}", self.root)
    }

    pub(crate) fn temporaries(&self) -> String {
        format!("{}/tmp", self.root)
    }

    /// Where the directories of objects are.
    pub(crate) fn all_objects(&self) -> String {
        format!("{}/objects", self.root)
    }

    pub(crate) fn object_directory(&self, number: u8) -> String {
        format!("{}/objects/{number:02x}", self.root)
    }

    /// Everything above an object, in the order of making. On a volume other than the home volume a space has no more.
    pub(crate) fn object_directories(&self, object: ObjectId) -> [String; 5] {
        let Self { above, root } = self;
        let objects = format!("{root}/objects");
        ["spaces".to_owned(), above.clone(), root.clone(), objects, self.objects(object)]
    }

    /// The directory of an object.
    pub(crate) fn objects(&self, object: ObjectId) -> String {
        format!("{}/objects/{:02x}", self.root, object.random.to_be_bytes()[0])
    }

    pub(crate) fn object(&self, object: ObjectId) -> String {
        format!("{}/{object}", self.objects(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_of_a_block() {
        for (generation, block) in
            [(1, 0), (2, 0), (BLOCK, 0), (BLOCK + 1, 1), (2 * BLOCK, 1), (2 * BLOCK + 1, 2)]
        {
            assert_eq!(block_of(Generation(generation)), block, "{generation}");
        }
    }

    #[test]
    fn paths() {
        let layout = Layout::of("76eef131-e3b7-43aa-9b26-2d6371565f7f".parse().unwrap());
        let root = "spaces/76/76eef131-e3b7-43aa-9b26-2d6371565f7f";
        assert_eq!(layout.entry(Generation(BLOCK + 2)), format!("{root}/log/1/{}", BLOCK + 2));
        assert_eq!(layout.gone(0), format!("{root}/log/0/gone"));
        assert_eq!(
            layout.temporary(Generation(3), 1, 2),
            format!("{root}/tmp/3-00000000000000010000000000000002")
        );
        let object = ObjectId { born: Generation(7), random: 0xab00_0000_0000_0001 };
        assert_eq!(layout.object(object), format!("{root}/objects/ab/7-ab00000000000001"));
    }
}
