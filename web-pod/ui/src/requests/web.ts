// What is asked of the web pods: sign-in, spaces, groups, and where a disk is.

import type { Lease, Server } from '../servers/server.ts';
import { problemOf } from './problem.ts';
import { send } from './send.ts';
import type {
  AppPassword,
  AppPasswords,
  JoinPolicy,
  LinkOpened,
  LinkShown,
  MadeAppPassword,
  Role,
  Session,
  Spaces,
  Ways,
} from './types.ts';

/** Checking a password takes a moment on purpose; changing a group waits for the Kubernetes API. */
const LIMIT_MS = 10_000;
/** Any web pod can answer: one that is silent is given up soon, and the next request lands on another. */
const QUICK_LIMIT_MS = 2_000;

/** Called when the session is over. */
let onSignedOut: () => void = () => {};

/** Says what to do when the session is over. */
export function whenSignedOut(then: () => void): void {
  onSignedOut = then;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  limit = LIMIT_MS,
  more: Record<string, string> = {},
): Promise<Response> {
  const headers: Record<string, string> = { 'X-Requested-With': 'internet-disk', ...more };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await send(`/api${path}`, init, limit);
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.code === 'unauthenticated') onSignedOut();
  throw problem;
}

async function json<T>(response: Promise<Response>): Promise<T> {
  return (await response).json() as Promise<T>;
}

const escaped = encodeURIComponent;

export const signIn = (member: string, password: string) =>
  json<Session>(call('POST', '/session', { member, password }));
export const waysToSignIn = () => json<Ways>(call('GET', '/sign-in'));
/** Where the browser itself goes to sign in by a provider, and where it comes back to. */
export const providerUrl = (name: string, next: string) => `/api/oidc/${escaped(name)}?next=${escaped(next)}`;
export const signOut = () => call('DELETE', '/session');
export const whoAmI = () => json<Session>(call('GET', '/session'));
export const spaces = () => json<Spaces>(call('GET', '/spaces', undefined, 5_000));

export const createGroup = (wish: {
  displayName: string;
  description?: string;
  joining: JoinPolicy;
  size: number;
}) => json<{ name: string }>(call('POST', '/groups', wish));
export const allocate = (group: string, size: number) =>
  call('PUT', `/allocations/${escaped(group)}`, { size });
export const leave = (group: string) => call('DELETE', `/allocations/${escaped(group)}`);
export const admit = (group: string, member: string, role: Role | 'Blocked') =>
  call('PUT', `/groups/${escaped(group)}/members/${escaped(member)}`, { role });
export const dismiss = (group: string, member: string) =>
  call('DELETE', `/groups/${escaped(group)}/members/${escaped(member)}`);

export const appPasswords = () => json<AppPasswords>(call('GET', '/app-passwords'));
export const makeAppPassword = (wish: Pick<AppPassword, 'name' | 'access' | 'space'>) =>
  json<MadeAppPassword>(call('POST', '/app-passwords', wish));
export const revokeAppPassword = (id: string) => call('DELETE', `/app-passwords/${escaped(id)}`);

/** What a share link leads to. It counts for nothing. */
export const lookAtLink = (token: string) => json<LinkShown>(call('GET', `/links/${escaped(token)}`));

/** Opens a share link: one use, however often it is asked for with the same operation. */
export const openLink = (token: string, password: string | undefined, operation: string) =>
  json<LinkOpened>(
    call('POST', `/links/${escaped(token)}`, password === undefined ? {} : { password }, LIMIT_MS, {
      'Operation-Id': operation,
    }),
  );

/** A ticket is renewed well before it ends, and the list of servers sooner: the load changes. */
const LONGEST_LEASE_MS = 60_000;
const BEFORE_THE_END_MS = 60_000;

/** Where a space is to be found, and with which ticket. */
export async function findServers(space: string): Promise<Lease> {
  interface Found {
    ticket: string;
    expires: string;
    access: Lease['access'];
    servers: Server[];
  }
  const found = await json<Found>(call('POST', '/servers', { space }, QUICK_LIMIT_MS));
  const left = Date.parse(found.expires) - Date.now() - BEFORE_THE_END_MS;
  // A clock that is wrong here must not make every ticket look old.
  const until = Date.now() + Math.min(Math.max(left, 5_000), LONGEST_LEASE_MS);
  return { ticket: found.ticket, access: found.access, servers: found.servers, until };
}
