// Where one is, in the part of the address behind `#`: names of files never reach the web server, and a page can be
// loaded again wherever one is.

import { signal } from '@preact/signals';

export type Route =
  /** `group` is null on the own disk. */
  | { readonly at: 'files'; readonly group: string | null; readonly path: string }
  /** As it was at a moment. */
  | { readonly at: 'past'; readonly group: string | null; readonly moment: string; readonly path: string }
  | { readonly at: 'trash'; readonly group: string | null }
  | { readonly at: 'links'; readonly group: string | null }
  | { readonly at: 'search'; readonly group: string | null; readonly text: string }
  | { readonly at: 'group'; readonly name: string }
  | { readonly at: 'groups' }
  | { readonly at: 'devices' };

const OWN = 'own';

export function parse(hash: string): Route {
  const [at, first, ...rest] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decoded);
  if (at === 'groups' || at === 'devices') return { at };
  if (at === 'group' && first) return { at, name: first };
  if (at === 'trash' || at === 'links') return { at, group: groupOf(first) };
  const [moment = '', ...below] = rest;
  if (at === 'past' && !Number.isNaN(Date.parse(moment)))
    return { at, group: groupOf(first), moment, path: below.filter(Boolean).join('/') };
  if (at === 'search') return { at, group: groupOf(first), text: rest.join('/') };
  if (at === 'shared' && first) return { at: 'files', group: first, path: rest.filter(Boolean).join('/') };
  const path = at === 'files' && first === OWN ? rest.filter(Boolean).join('/') : '';
  return { at: 'files', group: null, path };
}

/** A group that is called like the own disk is told apart by what stands before it. */
const groupOf = (part: string | undefined) => (part?.startsWith('~') ? part.slice(1) : null);

export function format(route: Route): string {
  switch (route.at) {
    case 'groups':
    case 'devices':
      return `#/${route.at}`;
    case 'group':
      return `#/group/${encodeURIComponent(route.name)}`;
    case 'trash':
    case 'links':
      return `#/${route.at}/${diskOf(route.group)}`;
    case 'past': {
      const path = route.path.split('/').map(encodeURIComponent).join('/');
      return `#/past/${diskOf(route.group)}/${encodeURIComponent(route.moment)}${path ? `/${path}` : ''}`;
    }
    case 'search':
      return `#/search/${diskOf(route.group)}/${encodeURIComponent(route.text)}`;
    case 'files': {
      const disk = route.group === null ? `files/${OWN}` : `shared/${encodeURIComponent(route.group)}`;
      const path = route.path.split('/').map(encodeURIComponent).join('/');
      return `#/${disk}${path ? `/${path}` : ''}`;
    }
  }
}

const diskOf = (group: string | null) => (group === null ? OWN : `~${encodeURIComponent(group)}`);

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const route = signal<Route>(parse(globalThis.location?.hash ?? ''));

globalThis.addEventListener?.('hashchange', () => {
  route.value = parse(location.hash);
});

export function go(to: Route): void {
  location.hash = format(to);
}
