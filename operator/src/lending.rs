//! Moves quota from members to groups and back: which limits to commit next, and which grants to write down.
//!
//! Each space has a limit in force on the volume; each Member's status says what is lent (`granted`). Two rules hold at
//! every instant, whoever dies in between: the limit of a member's own disk and what that member lends are together
//! no more than the quota, and the limit of a group is no more than what is lent to it. So the limits together are
//! no more than the quotas. A new leadership first writes each status once, with its term: from then on nothing that
//! the one before has sent can change it. [`plan`] finds what can be done without breaking either; docs/decisions/0003 says why the
//! steps are these.
//!
//! Everything here is pure. The steps of a plan are safe in any order, and each may be left out or get lost, under
//! one condition: limits and grants take turns. All requests for limits of one plan are answered, or given up as
//! [`InForce::lost`], before grants are written by a new plan, and the other way round.

mod books;
mod doubts;
mod grants;
mod in_force;
mod plan;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

pub use books::{Books, Granted, GroupBook, MemberBook, Standing};
pub use doubts::Doubts;
pub use in_force::{Committed, InForce};
pub use plan::{Grants, LimitStep, Plan, Purpose, plan};
