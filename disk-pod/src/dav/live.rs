//! The properties that the server itself knows (RFC 4918, section 15; RFC 4331), written as XML.

use std::fmt::Write;

use jiff::Timestamp;
use spaces::{Kind, Lock, LockDepth, LockScope, Node, PropertyName, Usage};

use super::place::Spot;
use super::xml::{self, element, text_element};
use crate::http::content::media_type;
use crate::http::date::Moment;

/// A property that the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Live {
    CreationDate,
    ContentLength,
    ContentType,
    Tag,
    LastModified,
    ResourceType,
    LockDiscovery,
    SupportedLock,
    QuotaAvailable,
    QuotaUsed,
}

impl Live {
    pub(crate) const ALL: [Self; 10] = [
        Self::CreationDate,
        Self::ContentLength,
        Self::ContentType,
        Self::Tag,
        Self::LastModified,
        Self::ResourceType,
        Self::LockDiscovery,
        Self::SupportedLock,
        Self::QuotaAvailable,
        Self::QuotaUsed,
    ];

    /// The name in WebDAV's namespace.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CreationDate => "creationdate",
            Self::ContentLength => "getcontentlength",
            Self::ContentType => "getcontenttype",
            Self::Tag => "getetag",
            Self::LastModified => "getlastmodified",
            Self::ResourceType => "resourcetype",
            Self::LockDiscovery => "lockdiscovery",
            Self::SupportedLock => "supportedlock",
            Self::QuotaAvailable => "quota-available-bytes",
            Self::QuotaUsed => "quota-used-bytes",
        }
    }

    /// The property of this name.
    pub(crate) fn of(name: &PropertyName) -> Option<Self> {
        let ours = name.namespace.as_ref() == xml::DAV;
        Self::ALL.into_iter().find(|live| ours && live.name() == name.name.as_ref())
    }

    /// Whether it is told to those who ask for all: not what must be asked for by name (RFC 4331, section 3).
    pub(crate) fn is_usual(self) -> bool {
        !matches!(self, Self::QuotaAvailable | Self::QuotaUsed)
    }
}

/// A resource whose properties are asked for.
pub(crate) enum Resource<'a> {
    /// A directory above the disks.
    Hall,
    /// A file or directory of a disk.
    Node {
        node: &'a Node,
        /// The last part of its path; the root of a disk has none.
        name: &'a str,
        spot: &'a Spot,
        usage: Usage,
        locks: &'a [Lock],
    },
}

impl Resource<'_> {
    /// Appends the property, if there is one.
    pub(crate) fn write(&self, live: Live, out: &mut String) -> bool {
        match self {
            Self::Hall if live == Live::ResourceType => out.push_str(COLLECTION),
            Self::Hall => return false,
            Self::Node { node, name, spot, usage, locks } => match &node.kind {
                Kind::Directory { modified, .. } => match live {
                    Live::ResourceType => out.push_str(COLLECTION),
                    Live::QuotaAvailable => text_element(out, live.name(), &available(usage).to_string()),
                    Live::QuotaUsed => text_element(out, live.name(), &usage.used.0.to_string()),
                    Live::ContentLength | Live::ContentType | Live::Tag => return false,
                    _ => return shared(live, *modified, spot, locks, out),
                },
                Kind::File { size, modified, .. } => match live {
                    Live::ResourceType => out.push_str("<D:resourcetype/>"),
                    Live::ContentLength => element(out, live.name(), |out| {
                        let _ = write!(out, "{}", size.0);
                    }),
                    Live::ContentType => element(out, live.name(), |out| out.push_str(media_type(name))),
                    Live::Tag => element(out, live.name(), |out| node.push_etag("&quot;", out)),
                    Live::QuotaAvailable | Live::QuotaUsed => return false,
                    _ => return shared(live, *modified, spot, locks, out),
                },
            },
        }
        true
    }
}

const COLLECTION: &str = "<D:resourcetype><D:collection/></D:resourcetype>";

/// Those that files and directories have alike.
fn shared(live: Live, modified: i64, spot: &Spot, locks: &[Lock], out: &mut String) -> bool {
    let Some(time) = Moment::from_millis(modified) else { return false };
    match live {
        // When it was made is not kept; it was not later than this.
        Live::CreationDate => element(out, live.name(), |out| time.push_rfc3339(out)),
        Live::LastModified => element(out, live.name(), |out| time.push_http(out)),
        Live::SupportedLock => out.push_str(SUPPORTED),
        Live::LockDiscovery => discovery(out, spot, locks),
        _ => return false,
    }
    true
}

/// What can still be written: what is in the trash and old versions make room when it is needed.
fn available(usage: &Usage) -> u64 {
    let kept = usage.trash.saturating_add(usage.versions);
    let taken = usage.used.saturating_sub(kept).saturating_add(usage.reserved);
    usage.limit.saturating_sub(taken).0
}

const SUPPORTED: &str = "<D:supportedlock>\
     <D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>\
     <D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>\
     </D:supportedlock>";

/// Appends the locks as the property that tells them.
pub(crate) fn discovery(out: &mut String, spot: &Spot, locks: &[Lock]) {
    let now = Timestamp::now().as_millisecond();
    out.push_str("<D:lockdiscovery>");
    // What has ended goes with the next change.
    for Lock { lock, root, expires } in locks.iter().filter(|lock| lock.expires >= now) {
        let scope = match lock.scope {
            LockScope::Exclusive => "exclusive",
            LockScope::Shared => "shared",
        };
        let depth = match lock.depth {
            LockDepth::Zero => "0",
            LockDepth::Infinity => "infinity",
        };
        let _ = write!(
            out,
            "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{scope}/></D:lockscope>\
             <D:depth>{depth}</D:depth>"
        );
        if xml::is_element(&lock.owner) {
            out.push_str(&lock.owner);
        } else if !lock.owner.is_empty() {
            text_element(out, "owner", &lock.owner);
        }
        let left = (expires - now).max(0) / 1000;
        let _ = write!(out, "<D:timeout>Second-{left}</D:timeout><D:locktoken>");
        text_element(out, "href", &lock.token.to_string());
        out.push_str("</D:locktoken><D:lockroot>");
        text_element(out, "href", &spot.url(root, false));
        out.push_str("</D:lockroot></D:activelock>");
    }
    out.push_str("</D:lockdiscovery>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_makes_room() {
        use api::bytes::Bytes;
        let usage = Usage {
            limit: Bytes(100),
            used: Bytes(90),
            trash: Bytes(30),
            versions: Bytes(20),
            reserved: Bytes(5),
            ..Usage::default()
        };
        assert_eq!(available(&usage), 55);
        assert_eq!(available(&Usage { limit: Bytes(10), ..usage }), 0);
    }

    #[test]
    fn every_live_property_is_found_by_its_name() {
        for live in Live::ALL {
            assert_eq!(Live::of(&PropertyName::new("DAV:", live.name())), Some(live));
            assert_eq!(Live::of(&PropertyName::new("", live.name())), None);
        }
    }
}
