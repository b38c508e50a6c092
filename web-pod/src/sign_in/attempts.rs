//! Failures to sign in, counted before anything is computed: by account and by address, in tables that do not
//! grow. Each web pod counts for itself, so the limits hold up to a factor of their number.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many keys a table knows at most.
const ENTRIES: usize = 8192;

/// Longer names are no names of members; they share an entry, so that no name costs more memory.
const LONGEST_NAME: usize = 63;

/// Guessing at one account: ten at once, then one every ten seconds.
const ACCOUNT: Rate = Rate { burst: 10, each: Duration::from_secs(10) };

/// Guessing from one address, behind which a whole office may sit: sixty at once, then one a second.
const ADDRESS: Rate = Rate { burst: 60, each: Duration::from_secs(1) };

#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: u32,
    each: Duration,
}

/// Counts attempts.
#[derive(Debug)]
pub struct Attempts {
    accounts: Mutex<Table<Box<str>>>,
    addresses: Mutex<Table<IpAddr>>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { accounts: Mutex::new(Table::new(ACCOUNT)), addresses: Mutex::new(Table::new(ADDRESS)) }
    }
}

/// An attempt that is counted as a failure until it is forgiven.
#[derive(Debug)]
pub(crate) struct Counted {
    account: Box<str>,
    address: Option<IpAddr>,
}

impl Attempts {
    /// Counts an attempt as failed.
    ///
    /// # Errors
    /// When there were too many: how long to wait.
    pub(crate) fn begin(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<Counted, Duration> {
        let account: Box<str> = if account.len() > LONGEST_NAME { "".into() } else { account.into() };
        let address = address.map(network);
        lock(&self.accounts).take(account.clone(), now)?;
        if let Some(address) = address
            && let Err(wait) = lock(&self.addresses).take(address, now)
        {
            lock(&self.accounts).give_back(&account);
            return Err(wait);
        }
        Ok(Counted { account, address })
    }

    /// It was no failure after all.
    pub(crate) fn forgive(&self, counted: &Counted) {
        lock(&self.accounts).give_back(&counted.account);
        if let Some(address) = &counted.address {
            lock(&self.addresses).give_back(address);
        }
    }
}

fn lock<K>(table: &Mutex<Table<K>>) -> std::sync::MutexGuard<'_, Table<K>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One household or office of IPv6 has a whole /64 of addresses to guess from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6((six.to_bits() & !u128::from(u64::MAX)).into()),
        four @ IpAddr::V4(_) => four,
    }
}

/// Token buckets, kept as the moment at which each would be full again: a key without an entry has a full one.
#[derive(Debug)]
struct Table<K> {
    rate: Rate,
    full_at: HashMap<K, Instant>,
}

impl<K: Eq + Hash + Clone> Table<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, full_at: HashMap::new() }
    }

    fn take(&mut self, key: K, now: Instant) -> Result<(), Duration> {
        let whole = self.rate.each * self.rate.burst;
        let full_at = self.full_at.get(&key).copied().unwrap_or(now).max(now) + self.rate.each;
        let missing = full_at.duration_since(now);
        if missing > whole {
            return Err(missing - whole);
        }
        self.make_room(now);
        self.full_at.insert(key, full_at);
        Ok(())
    }

    fn give_back(&mut self, key: &K) {
        if let Some(full_at) = self.full_at.get_mut(key)
            && let Some(earlier) = full_at.checked_sub(self.rate.each)
        {
            *full_at = earlier;
        }
    }

    fn make_room(&mut self, now: Instant) {
        if self.full_at.len() < ENTRIES {
            return;
        }
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= ENTRIES {
            // Whoever guessed least loses least by being forgotten. Filling the table takes so many attempts
            // that the limit of the address has long been reached.
            let mut all: Vec<Instant> = self.full_at.values().copied().collect();
            let (_, median, _) = all.select_nth_unstable(ENTRIES / 2);
            let median = *median;
            self.full_at.retain(|_, full_at| *full_at > median);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    #[test]
    fn guessing_at_an_account_is_slowed_down() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..10 {
            attempts.begin("alice", HERE, now).unwrap();
        }
        let wait = attempts.begin("alice", HERE, now).unwrap_err();
        assert_eq!(wait, Duration::from_secs(10));
        attempts.begin("bob", HERE, now).unwrap();
        attempts.begin("alice", HERE, now + wait).unwrap();
        attempts.begin("alice", HERE, now + wait).unwrap_err();
        for _ in 0..10 {
            attempts.begin("alice", HERE, now + Duration::from_secs(1000)).unwrap();
        }
    }

    #[test]
    fn who_signs_in_is_never_slowed_down() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..1000 {
            let counted = attempts.begin("alice", HERE, now).unwrap();
            attempts.forgive(&counted);
        }
    }

    #[test]
    fn guessing_from_an_address_is_slowed_down_and_a_v6_network_is_one() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let address = |host: u128| Some(IpAddr::V6((0x2001_0db8_u128 << 96 | host).into()));
        for host in 0..60 {
            attempts.begin(&format!("m{host}"), address(host), now).unwrap();
        }
        attempts.begin("m60", address(60), now).unwrap_err();
        attempts.begin("m60", HERE, now).unwrap();
    }

    #[test]
    fn a_million_distinct_account_names_take_no_memory() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..10 {
            attempts.begin("alice", None, now).unwrap();
        }
        for number in 0..1_000_000 {
            attempts.begin(&format!("m{number}"), None, now).unwrap();
        }
        let table = lock(&attempts.accounts).full_at.capacity();
        assert!(table <= 4 * ENTRIES, "{table}");
        attempts.begin("alice", None, now).expect_err("who guessed most is not forgotten first");
        attempts.begin(&"x".repeat(10_000), None, now).unwrap();
    }
}
