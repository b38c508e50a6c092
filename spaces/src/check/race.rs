//! Many threads, of this pod and of others, link to the same names: each name must go to exactly one of them.

use std::collections::BTreeMap;

use super::peers::Meeting;
use super::report::{Facts, Findings};
use super::yard::{Yard, random};
use crate::file_system::FsError;

/// So many names are raced for.
const NAMES: u32 = 100;
/// So many threads of each pod take part.
const THREADS: u32 = 4;
/// A file is given at most so many of the names, for not every file system allows many.
const A_FILE: usize = 16;

/// A contender and the names it was told to have won.
type Wins = Vec<(u32, String)>;

pub(super) fn run(
    yard: &Yard<'_>,
    meeting: Option<&Meeting<'_>>,
    findings: &mut Findings,
    facts: &mut Facts,
) -> Result<(), FsError> {
    if let Some(meeting) = meeting
        && !meeting.all_at("race")?
    {
        findings.unsuitable("links", "another pod ended in the midst of the check: look at its log");
        return Ok(());
    }
    let wins = contend(yard)?;
    let mut all = wins.clone();
    if let Some(meeting) = meeting {
        match meeting.exchange("wins", &written(&wins))? {
            Some(others) => all.extend(others.iter().flat_map(|text| read(text))),
            None => {
                findings
                    .unsuitable("links", "another pod did not come to the end of the race: look at its log");
                return Ok(());
            }
        }
    }
    for wrong in judge(yard, &all)? {
        findings.unsuitable("links", wrong);
    }
    facts.races = Some(NAMES);
    Ok(())
}

fn contend(yard: &Yard<'_>) -> Result<Wins, FsError> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| contender(yard))).collect();
        let mut wins = Wins::new();
        for thread in threads {
            let ended = || FsError::Other("a thread of the check ended".into());
            wins.extend(thread.join().map_err(|_| ended())??);
        }
        Ok(wins)
    })
}

/// Who loses goes on with the next name at once, so all stay together at the front.
fn contender(yard: &Yard<'_>) -> Result<Wins, FsError> {
    let own = random();
    let mut wins = Wins::new();
    let mut source = String::new();
    let mut left = 0;
    for name in 0..NAMES {
        if left == 0 {
            source = format!("s-{}", random());
            yard.write(&source, own.as_bytes())?;
            left = A_FILE;
        }
        let won = match yard.link(&source, &format!("race-{name}")) {
            Ok(()) => true,
            Err(FsError::Exists) => false,
            // A reply can be lost: what is there decides.
            Err(error) => match yard.read(&format!("race-{name}"))? {
                Some(content) => content == own.as_bytes(),
                None => return Err(error),
            },
        };
        if won {
            wins.push((name, own.clone()));
            left -= 1;
        }
    }
    Ok(wins)
}

/// What is wrong with the outcome, in words.
fn judge(yard: &Yard<'_>, wins: &Wins) -> Result<Vec<String>, FsError> {
    let mut winners: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (name, winner) in wins {
        winners.entry(*name).or_default().push(winner);
    }
    let (mut several, mut none, mut other) = (0, 0, 0);
    for name in 0..NAMES {
        match winners.get(&name).map(Vec::as_slice) {
            Some([winner]) => {
                if yard.read(&format!("race-{name}"))?.as_deref() != Some(winner.as_bytes()) {
                    other += 1;
                }
            }
            Some(_) => several += 1,
            None => none += 1,
        }
    }
    let said = |count: u32, what: &str| {
        (count > 0).then(|| {
            format!(
                "hard links are not atomic: of {NAMES} names that several raced for, {count} {what}; the quota and \
                 the order of changes depend on it, so use another file system"
            )
        })
    };
    Ok([
        said(several, "went to more than one"),
        said(none, "went to nobody"),
        said(other, "hold the file of another than the one who was told to have won"),
    ]
    .into_iter()
    .flatten()
    .collect())
}

fn written(wins: &Wins) -> Vec<u8> {
    wins.iter().map(|(name, winner)| format!("{name} {winner}\n")).collect::<String>().into_bytes()
}

fn read(text: &[u8]) -> Wins {
    let text = String::from_utf8_lossy(text);
    let line = |line: &str| {
        let (name, winner) = line.split_once(' ')?;
        Some((name.parse().ok()?, winner.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::directory::Directory;

    #[test]
    fn a_name_that_two_have_won_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::new(place.path().to_owned());
        directory.reopen().unwrap();
        let yard = Yard::make(&directory, None).unwrap();
        let mut wins = contend(&yard).unwrap();
        assert_eq!(read(&written(&wins)), wins);
        assert_eq!(judge(&yard, &wins).unwrap(), Vec::<String>::new());
        let (name, winner) = wins.pop().unwrap();
        assert!(judge(&yard, &wins).unwrap()[0].contains("1 went to nobody"));
        wins.push((name, "another".to_owned()));
        assert!(judge(&yard, &wins).unwrap()[0].contains("1 hold the file of another"));
        wins.push((name, winner));
        assert!(judge(&yard, &wins).unwrap()[0].contains("1 went to more than one"));
        yard.clear();
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
