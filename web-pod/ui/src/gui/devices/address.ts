// Where a disk is mounted from. Nothing here asks anybody.

/** The systems that are told apart. */
export type System = 'windows' | 'mac' | 'linux';

/** The one in front of which somebody sits, as far as the browser says. */
export function systemOf(agent: string): System {
  if (/Windows/.test(agent)) return 'windows';
  return /Mac OS|Macintosh/.test(agent) ? 'mac' : 'linux';
}

export interface Addresses {
  /** For programs that want a web address. */
  readonly web: string;
  /** For Files of GNOME and Dolphin of KDE, which have names of their own for it. */
  readonly gnome: string;
  readonly kde: string;
  readonly netUse: string;
  readonly rclone: string;
}

/** The addresses of a disk: the own one, or that of a group. */
export function addresses(origin: string, group: string | null, member: string): Addresses {
  const below = group === null ? 'home' : `groups/${encodeURIComponent(group)}`;
  const web = `${origin.replace(/\/$/, '')}/dav/${below}/`;
  const bare = web.replace(/^https?/, '');
  const s = web.startsWith('https:') ? 's' : '';
  return {
    web,
    gnome: `dav${s}${bare}`,
    kde: `webdav${s}${bare}`,
    netUse: `net use Z: ${web} /user:${member}`,
    rclone: `rclone config create disk webdav url=${web} vendor=owncloud user=${member} pass=APP-PASSWORD`,
  };
}
