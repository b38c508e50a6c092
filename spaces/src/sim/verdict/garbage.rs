//! Whether anything is left that nothing refers to, once it was collected.

use super::super::coverage::Met;
use super::super::place::Purpose;
use super::Judge;
use super::bytes::object_of;
use crate::state::State;

impl Judge<'_> {
    pub(super) fn hold_garbage(&self, state: &State) {
        if self.told.removed {
            return self.hold_removed();
        }
        if !self.told.collected {
            return;
        }
        let (paths, space) = (&self.disk.paths, self.history.space);
        // One that is known on any volume stays on all.
        let knows = |object| state.volumes.indices().any(|on| state.objects.knows(on, object));
        let known = |name: &str| object_of(name).is_some_and(knows);
        for (path, _) in self.disk.files() {
            let name = paths.name(path);
            match paths.purpose(path) {
                Purpose::Object { space: of } if of == space && !known(name) => {
                    self.wrong(format!("4: nobody takes the object {name} away, which nothing knows"));
                }
                Purpose::Temporary { space: of } if of == space => {
                    self.wrong(format!("4: nobody takes {name} in tmp/ away"));
                }
                _ => {}
            }
        }
        self.world.meet(Met::Collected);
    }

    /// Of a space that was removed nothing is left but what says so.
    fn hold_removed(&self) {
        for (path, _) in self.disk.files() {
            let of = match self.disk.paths.purpose(path) {
                Purpose::Object { space }
                | Purpose::Temporary { space }
                | Purpose::Entry { space, .. }
                | Purpose::Start { space, .. } => space,
                _ => continue,
            };
            if of == self.history.space {
                let left = self.disk.paths.text(path);
                self.wrong(format!("4: {left} is left of a space that was removed"));
            }
        }
    }
}
