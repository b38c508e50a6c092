//! Which disk servers there are, how they do, and which of them a client should use.

mod prober;
pub mod selector;
mod tickets;
mod view;

pub use prober::{Pace, probe};
pub use view::View;
