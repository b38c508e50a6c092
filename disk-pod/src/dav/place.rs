//! What a URL names: `/dav/home/…` is the own disk, `/dav/groups/NAME/…` that of a group. What is above them can be
//! walked through as some systems do from `/` on, and holds no files.

use api::ids::SpaceId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use spaces::NodePath;

use crate::app::App;
use crate::auth::{Grant, Identity, Need};
use crate::error::Error;
use crate::http::path;

/// What stays as it is in a URL that is written here (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a path of a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A directory that is nobody's and holds other disks.
    Hall(Hall),
    /// Something on a disk, or where something can be.
    On(Disk, NodePath),
    /// Nothing can be here.
    Nowhere,
}

/// A directory above the disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hall {
    /// `/`
    Host,
    /// `/dav/`
    Disks,
    /// `/dav/groups/`
    Groups,
}

/// Which disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    /// The own one.
    Home,
    /// That of the group of this name.
    Group(String),
}

/// Something on a disk that may be used.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    /// What may be done there.
    pub(crate) grant: Grant,
    /// The URL of the disk, without a slash at its end.
    pub(crate) base: String,
    /// Where on the disk.
    pub(crate) path: NodePath,
}

impl Place {
    /// Reads the path of a URL. One slash at the end is let pass: a client need not know what is a directory.
    ///
    /// # Errors
    /// When it can name nothing at all.
    pub(crate) fn of(raw: &str) -> Result<Self, Error> {
        if matches!(raw, "" | "/") {
            return Ok(Self::Hall(Hall::Host));
        }
        let Some(below) = below(raw, "/dav") else { return Ok(Self::Nowhere) };
        let (first, rest) = step(below);
        match decoded(first).as_str() {
            "" if rest.is_empty() => Ok(Self::Hall(Hall::Disks)),
            "home" => Ok(Self::On(Disk::Home, in_disk(rest)?)),
            "groups" => {
                let (name, rest) = step(rest);
                if name.is_empty() && rest.is_empty() {
                    return Ok(Self::Hall(Hall::Groups));
                }
                Ok(Self::On(Disk::Group(decoded(name)), in_disk(rest)?))
            }
            _ => Ok(Self::Nowhere),
        }
    }

    /// The space of the disk that it is on, when this member has a part in it.
    pub(crate) fn space(&self, app: &App, identity: &Identity) -> Option<SpaceId> {
        let Self::On(disk, _) = self else { return None };
        let roster = app.roster.current();
        let member = identity.member();
        match disk {
            Disk::Home => roster.member_by_uid(member).map(|member| member.space),
            // Whoever takes no part in a group is not told that there is one.
            Disk::Group(name) => roster
                .group_by_name(name)
                .map(|group| group.space)
                .filter(|space| roster.role_in(member, *space).is_some()),
        }
    }

    /// What is there for this member.
    ///
    /// # Errors
    /// When no disk is there, not for this member, or it may not be used so.
    pub(crate) fn spot(self, app: &App, identity: &Identity, need: Need) -> Result<Spot, Error> {
        let space = self.space(app, identity);
        let Self::On(disk, path) = self else { return Err(Error::NotFound) };
        let base = disk.url();
        let grant = identity.grant(app, space.ok_or(Error::NotFound)?, need)?;
        grant.covers(&path)?;
        Ok(Spot { grant, base, path })
    }
}

impl Hall {
    pub(crate) fn url(self) -> &'static str {
        match self {
            Self::Host => "/",
            Self::Disks => "/dav/",
            Self::Groups => "/dav/groups/",
        }
    }
}

impl Disk {
    /// The URL of its root, without a slash at its end.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Home => "/dav/home".to_owned(),
            Self::Group(name) => format!("/dav/groups/{}", escaped(name)),
        }
    }
}

impl Spot {
    /// The URL of something on the same disk.
    pub(crate) fn url(&self, path: &NodePath, directory: bool) -> String {
        let mut url = self.base.clone();
        for name in path.names() {
            url.push('/');
            url.push_str(&escaped(name.as_str()));
        }
        if directory {
            url.push('/');
        }
        url
    }
}

/// A name as part of a URL.
pub(crate) fn escaped(name: &str) -> String {
    utf8_percent_encode(name, ESCAPED).to_string()
}

/// Appends a name as part of a URL.
pub(crate) fn push_escaped(out: &mut String, name: &str) {
    out.extend(utf8_percent_encode(name, ESCAPED));
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// What follows a directory in a path.
fn below<'a>(raw: &'a str, directory: &str) -> Option<&'a str> {
    let rest = raw.strip_prefix(directory)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

fn step(rest: &str) -> (&str, &str) {
    rest.split_once('/').unwrap_or((rest, ""))
}

fn in_disk(raw: &str) -> Result<NodePath, Error> {
    let path = path::from_url(raw, true)?;
    Ok(path.parse().map_err(spaces::Error::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let on = |disk, path: &str| Place::On(disk, path.parse().unwrap());
        let trips = || Disk::Group("trips".into());
        for (raw, place) in [
            ("/", Place::Hall(Hall::Host)),
            ("/dav", Place::Hall(Hall::Disks)),
            ("/dav/", Place::Hall(Hall::Disks)),
            ("/dav/groups", Place::Hall(Hall::Groups)),
            ("/dav/groups/", Place::Hall(Hall::Groups)),
            ("/dav/home", on(Disk::Home, "")),
            ("/dav/home/", on(Disk::Home, "")),
            ("/dav/home/a%20b/c/", on(Disk::Home, "a b/c")),
            ("/dav/hom%65/x", on(Disk::Home, "x")),
            ("/dav/home/%ED%95%9C", on(Disk::Home, "한")),
            ("/dav/home/%E1%84%92%E1%85%A1%E1%86%AB", on(Disk::Home, "한")),
            ("/dav/groups/trips", on(trips(), "")),
            ("/dav/groups/trips/a", on(trips(), "a")),
            ("/dav/groups/trips/home", on(trips(), "home")),
            ("/dav/Home/a", Place::Nowhere),
            ("/dav/other", Place::Nowhere),
            ("/davx", Place::Nowhere),
            ("/v1/ping", Place::Nowhere),
        ] {
            assert_eq!(Place::of(raw).unwrap(), place, "{raw}");
        }
        for wrong in
            ["/dav/home/..", "/dav/home/a//b", "/dav/home/a%2Fb", "/dav/home/%2e%2e/b", "/dav/home/%ff"]
        {
            assert!(Place::of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_is_escaped() {
        assert_eq!(escaped("a b/<c>&ü.txt"), "a%20b%2F%3Cc%3E%26%C3%BC.txt");
    }
}
