//! Memory that was freed goes back to the system. By itself glibc keeps it: after many uploads at once a pod that does
//! nothing would for ever be as large as it was then.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;

/// So often it is looked whether there may be something to give back.
const INTERVAL: Duration = Duration::from_secs(2);
/// When bytes are on their way it is done more seldom, for what is free then is soon needed again.
const BUSY: u32 = 15;
/// Less is not worth it, in bytes.
const WORTH: usize = 8 << 20;

/// Gives back what is free whenever that has grown; runs until dropped.
pub(crate) async fn give_back(app: App) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // What is free and was given back is still counted as free.
    let (mut given, mut waited) = (0, 0);
    loop {
        ticks.tick().await;
        let free = glibc::free();
        given = free.min(given);
        waited += 1;
        if free < given + WORTH || (app.load.bytes() > 0 && waited < BUSY) {
            continue;
        }
        (given, waited) = (free, 0);
        // It takes the locks of the allocator one after the other, for some milliseconds.
        let _ = tokio::task::spawn_blocking(glibc::trim).await;
    }
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the allocator has no other interface")]
mod glibc {
    use std::ffi::c_int;

    /// As mallinfo(3) has it.
    #[repr(C)]
    struct Mallinfo2 {
        before: [usize; 8],
        /// Bytes in free pieces (`fordblks`).
        free: usize,
        releasable: usize,
    }

    unsafe extern "C" {
        // SAFETY: malloc_trim(3) and mallinfo(3) say that glibc has them, with these signatures. They take no pointers, and
        // touch free memory alone, under the locks that malloc itself takes: any thread can call them at any time.
        safe fn malloc_trim(pad: usize) -> c_int;
        safe fn mallinfo2() -> Mallinfo2;
    }

    /// How many bytes are free, given back or not.
    pub(super) fn free() -> usize {
        let Mallinfo2 { before: _, free, releasable: _ } = mallinfo2();
        free
    }

    pub(super) fn trim() {
        malloc_trim(0);
    }
}

/// Other allocators give back what is free by themselves.
#[cfg(not(target_env = "gnu"))]
mod glibc {
    pub(super) fn free() -> usize {
        0
    }

    pub(super) fn trim() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_given_back() {
        // Small pieces, each followed by one that stays, so that the allocator can not do it by itself.
        let mut pieces: Vec<Box<[u8]>> = (0..40_000).map(|_| vec![1; 4000].into()).collect();
        let stay: Vec<_> = (0..pieces.len()).step_by(100).map(|at| std::mem::take(&mut pieces[at])).collect();
        let (before, free) = (resident(), glibc::free());
        drop(pieces);
        assert!(glibc::free() > free + (100 << 20), "it is seen that they are free");
        glibc::trim();
        let after = resident();
        assert!(before >= after + 10_000, "{before} pages became {after}");
        drop(stay);
    }

    /// How many pages of this process are in memory.
    fn resident() -> u64 {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap();
        text.split(' ').nth(1).unwrap().parse().unwrap()
    }
}
