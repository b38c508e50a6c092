// Share links of the fake: made by members, opened by anybody, and what a visitor may ask.

import { randomBytes, randomUUID } from 'node:crypto';
import { Refused, type Space, type Volume } from './volume.ts';

export interface FakeShare {
  readonly id: string;
  readonly token: string;
  readonly path: string;
  readonly access: 'Read' | 'Upload' | 'ReadAndUpload';
  readonly password?: string;
  expires?: string;
  readonly mostUses?: number;
  readonly created: string;
  readonly creator: string;
  readonly used: Set<string>;
  /** It does not end, whatever it says: the example is of one day, and tried on any. */
  readonly lasting?: boolean;
}

type Wish = Partial<Pick<FakeShare, 'access' | 'password' | 'expires' | 'mostUses' | 'lasting'>> & {
  path: string;
};

export function makeShare(space: Space, wish: Wish, creator = 'u-1'): FakeShare {
  space.node(wish.path);
  const share: FakeShare = {
    access: 'Read',
    ...wish,
    id: randomUUID(),
    token: randomBytes(20).toString('base64url'),
    created: new Date().toISOString(),
    creator,
    used: new Set(),
  };
  space.shares.push(share);
  space.generation++;
  return share;
}

/** As members see it. */
export function shownShare({ token: _, lasting: _lasting, used, password, ...share }: FakeShare): object {
  return { ...share, password: password !== undefined, uses: used.size };
}

export function unshare(space: Space, id: string): void {
  if (!space.shares.some((share) => share.id === id)) throw new Refused(404, 'not-found');
  space.shares = space.shares.filter((share) => share.id !== id);
}

function found(volume: Volume, token: string): { share: FakeShare; space: Space; id: string } {
  for (const [id, space] of volume.spaces) {
    const share = space.shares.find((one) => one.token === token);
    if (!share || !space.nodes.has(share.path)) continue;
    if (!share.lasting && share.expires !== undefined && Date.parse(share.expires) < Date.now()) continue;
    return { share, space, id };
  }
  throw new Refused(404, 'not-found');
}

/** What the web pod says of a link; with `open` it is used, and the way in is told. */
export function link(
  volume: Volume,
  token: string,
  open?: { password?: string; operation: string; servers: object[] },
): object {
  const { share, space, id } = found(volume, token);
  if (open && share.password !== undefined && open.password !== share.password)
    throw new Refused(401, 'wrong-credentials');
  if (open && !share.used.has(open.operation)) {
    if (share.mostUses !== undefined && share.used.size >= share.mostUses)
      throw new Refused(403, 'forbidden');
    share.used.add(open.operation);
  }
  const node = space.node(share.path);
  const name = share.path.split('/').at(-1);
  const named = open || share.password === undefined ? { name } : {};
  const sized = node.kind === 'file' && (open || share.password === undefined) ? { size: node.size } : {};
  const shown = {
    ...named,
    ...sized,
    directory: node.kind === 'directory',
    access: share.access,
    needsPassword: share.password !== undefined,
    ...(share.expires ? { expires: share.expires } : {}),
    ...(share.mostUses ? { usesLeft: share.mostUses - share.used.size } : {}),
  };
  if (!open) return shown;
  const ticketExpires = new Date(Date.now() + 600_000).toISOString();
  return {
    ...shown,
    space: id,
    path: share.path,
    ticket: `visit-${share.id}`,
    ticketExpires,
    servers: open.servers,
  };
}

const PARAMETERS = ['ticket', 'inline', 'after', 'limit', 'sort', 'order', 'parents', 'path'];

/** Refuses whatever a visitor may not ask. */
export function visit(
  space: Space,
  ticket: string,
  method: string,
  url: URL,
  what: string,
  path: string,
): void {
  const share = space.shares.find(({ id }) => ticket === `visit-${id}`);
  if (!share) throw new Refused(404, 'not-found');
  const within = path === share.path || path.startsWith(`${share.path}/`);
  const known = [...url.searchParams.keys()].every((key) => PARAMETERS.includes(key));
  const reads = share.access !== 'Upload' && ['GET', 'HEAD'].includes(method);
  const asks = reads && ['files', 'list', 'zip'].includes(what);
  const puts = share.access !== 'Read' && method === 'PUT' && what === 'files';
  if (!within || !known || !(asks || puts)) throw new Refused(403, 'forbidden');
}
