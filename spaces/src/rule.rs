//! Rules of the protocol that a test can have broken, to see that the simulator notices. Outside of tests all are kept.

/// A rule that is easily forgotten, for most runs go well without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "some are of the volume, and only a simulated one breaks them")
)]
pub(crate) enum Rule {
    /// Content is durable before an entry refers to it.
    ContentDurable,
    /// So is the name of the object it is in.
    ObjectNameDurable,
    /// So is the parent of every directory that was newly made.
    ParentsDurable,
    /// An entry is durable before it is linked.
    EntryDurable,
    /// Who won a place is told by the id of what is there, not by the answer.
    WinnerById,
    /// An entry's place is durable before anybody is told.
    PlaceDurable,
    /// What others wrote is durable before anything is built on it.
    DurableBeforeFolding,
    /// Nobody is refused by what may be old.
    FreshRefusals,
    /// What was done is not done again.
    OnceByItsId,
    /// Only the newest owner of an upload extends it.
    OwnerExtends,
    /// A limit of an older roster does not count.
    NewerRoster,
    /// A space holds no more than its limit.
    WithinLimit,
    /// Who lends has less before who borrows has more.
    GiverFirst,
    /// An operation from before the watermark that is not remembered is refused.
    LowForOperations,
    /// No object from before the watermark comes to be referred to.
    LowForObjects,
    /// After its sync a commit looks for `gone`: it may have written into a past that is no more.
    LookForGone,
    /// Who reads to the end of a log looks for `gone` there.
    ReadLooksForGone,
    /// Who read through several blocks looks whether the first of them is gone, for then what was read proves nothing.
    OpenLooksForGone,
    /// What does not fit is no damage when it is being truncated.
    GoneOnMisfit,
    /// A state that was written down is durable before it gets its place.
    StartDurable,
    /// It is seen in its place before anything is taken away for it.
    StartSeen,
    /// Its place is durable before a block is said to be gone: what was seen may have landed after the last sync.
    SyncBeforeGone,
    /// `gone` is seen before entries go.
    GoneSeen,
    /// `gone` is durable before entries go.
    GoneDurable,
    /// Nothing changes what a lock protects without its token.
    LocksHold,
    /// A share is used no more often than it can be.
    SharesBounded,
}

/// Whether a rule is kept.
#[cfg(not(test))]
pub(crate) const fn kept(_: Rule) -> bool {
    true
}

/// Whether a rule is kept on this thread.
#[cfg(test)]
pub(crate) fn kept(rule: Rule) -> bool {
    BROKEN.get() != Some(rule)
}

#[cfg(test)]
thread_local! {
    static BROKEN: std::cell::Cell<Option<Rule>> = const { std::cell::Cell::new(None) };
}

/// The rule that is broken on this thread.
#[cfg(test)]
pub(crate) fn which_is_broken() -> Option<Rule> {
    BROKEN.get()
}

/// From now on a rule is broken on this thread, or none is.
#[cfg(test)]
pub(crate) fn broken(rule: Option<Rule>) {
    BROKEN.set(rule);
}
