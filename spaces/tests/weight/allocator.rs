//! Counts what is in memory, as large as the allocator makes it.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, which tells how much it has given out.
pub(super) struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// How many bytes are given out now.
pub(super) fn in_use() -> usize {
    IN_USE.load(Ordering::Relaxed)
}

/// What glibc takes for a request: eight bytes more, in steps of sixteen, and never less than 32.
fn chunk(size: usize) -> usize {
    size.saturating_add(8).next_multiple_of(16).max(32)
}

// SAFETY: every call is passed on as it came, and the counter beside it allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(chunk(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(chunk(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`, and `place` is from `System`.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        IN_USE.fetch_add(chunk(size), Ordering::Relaxed);
        IN_USE.fetch_sub(chunk(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`, and `place` is from `System`.
        unsafe { System.realloc(place, layout, size) }
    }
}
