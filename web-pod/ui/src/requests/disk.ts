// What is asked of the disk pods beside uploads: lists, usage, operations on names, downloads. A server that does not
// answer is passed over; an operation carries an id, so that it happens once however often it is sent.

import { backoffMs } from '../servers/choice.ts';
import type { Pool } from '../servers/pool.ts';
import type { Server } from '../servers/server.ts';
import { operationId } from './ids.ts';
import { inUrl } from './paths.ts';
import { noAnswer, Problem, problemOf } from './problem.ts';
import { discard, send } from './send.ts';
import type { Entry, FoundPage, MadeShare, Share, ShareWish, TrashPage, Usage, Versions } from './types.ts';

const READ_LIMIT_MS = 1_500;
const WRITE_LIMIT_MS = 5_000;
const ROUNDS = 4;

/** Something to look at comes soon; the rest in pieces that are parsed within a frame. */
const FIRST_PAGE = 1_000;
const PAGE = 4_000;

export type Operation =
  | { readonly op: 'mkdir'; readonly path: string; readonly parents?: boolean }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly to: string; readonly overwrite?: boolean }
  /** It goes to the trash. */
  | { readonly op: 'delete'; readonly path: string }
  | { readonly op: 'restore'; readonly item: string; readonly to?: string }
  | { readonly op: 'restore-version'; readonly path: string; readonly version: number }
  /** From a moment in the past, to its place or another one. */
  | { readonly op: 'bring-back'; readonly path: string; readonly at: string; readonly to?: string }
  | { readonly op: 'purge'; readonly item: string }
  | { readonly op: 'purge'; readonly everything: true };

/** Whether another server may do better. */
const isPassing = ({ status }: Problem) =>
  status === 0 || status === 429 || (status >= 500 && status !== 507);

/** The headers that every request to a disk server has. */
export function authorised(ticket: string, seen?: number): Record<string, string> {
  const generation: Record<string, string> = seen === undefined ? {} : { 'X-Generation': String(seen) };
  return { Authorization: `Bearer ${ticket}`, ...generation };
}

const isTicket = ({ code }: Problem) => code.startsWith('ticket-') || code === 'unauthenticated';

/** What asks for a space as it was. */
const asOf = (at: string | null, joined = ''): string =>
  at === null ? '' : `${joined}at=${encodeURIComponent(at)}`;

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** The disk pods, as the rest of the page sees them. */
export class Disk {
  readonly pool: Pool;
  /** The newest state of each space that was seen, so that one reads one's own writes on any server. */
  private readonly generations = new Map<string, number>();

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** Notes which state of a space an answer came from. */
  saw(space: string, header: string | null): void {
    const generation = Number(header ?? Number.NaN);
    if (generation > (this.generations.get(space) ?? -1)) this.generations.set(space, generation);
  }

  /** The newest state of a space that was seen. An operation that is sent again says the same as the first time. */
  seen(space: string): number | undefined {
    return this.generations.get(space);
  }

  /**
   * Sends a request to the best server; to the next one when it does not answer.
   *
   * @throws {Problem} what the last one said
   */
  private async ask(
    space: string,
    path: string,
    init: RequestInit,
    limit: number,
  ): Promise<[Response, Server, string]> {
    let last: Problem = noAnswer();
    let fresh = false;
    const seen = this.seen(space);
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) await pause(backoffMs(round - 1, last.retryAfterMs));
      const { ticket, servers } = await this.pool.lease(space, fresh);
      for (const server of servers) {
        const headers = { ...authorised(ticket, seen), ...(init.headers as Record<string, string>) };
        try {
          const response = await send(
            `${server.url}/v1/spaces/${space}/${path}`,
            { ...init, headers },
            limit,
          );
          if (!response.ok) throw await problemOf(response);
          this.pool.trust(server);
          this.saw(space, response.headers.get('x-generation'));
          return [response, server, ticket];
        } catch (error) {
          last = error instanceof Problem ? error : noAnswer();
          if (isTicket(last)) break;
          if (!isPassing(last)) throw last;
          this.pool.suspect(server);
        }
      }
      fresh = true;
    }
    throw last;
  }

  /**
   * Every entry of a directory, as it is or as it was. `first` is told of those that came first, and of which state of
   * the space they are.
   */
  async list(
    space: string,
    path: string,
    first?: (entries: Entry[], generation: number) => void,
    at: string | null = null,
  ): Promise<Entry[]> {
    const entries: Entry[] = [];
    let after = '';
    for (;;) {
      const limit = after ? PAGE : FIRST_PAGE;
      const [response] = await this.ask(
        space,
        `list/${inUrl(path)}?limit=${limit}${after}${asOf(at, '&')}`,
        {},
        2 * READ_LIMIT_MS,
      );
      const page = (await response.json()) as { generation: number; entries: Entry[]; next?: string };
      if (!after) first?.(page.entries, page.generation);
      for (const entry of page.entries) entries.push(entry);
      if (page.next === undefined) return entries;
      after = `&after=${encodeURIComponent(page.next)}`;
    }
  }

  /** The bytes of a file. The browser keeps them and asks each time whether they are still the same. */
  async read(
    space: string,
    path: string,
    headers: Record<string, string> = {},
    at: string | null = null,
  ): Promise<Response> {
    const init: RequestInit = { headers, cache: 'default' };
    const [response] = await this.ask(space, `files/${inUrl(path)}${asOf(at, '?')}`, init, WRITE_LIMIT_MS);
    return response;
  }

  /** Limit, used and reserved bytes. */
  async usage(space: string): Promise<Usage> {
    return this.json<Usage>(space, 'usage');
  }

  /** Does an operation that moves no bytes. */
  async operate(space: string, operation: Operation): Promise<void> {
    const headers = { 'Content-Type': 'application/json', 'Operation-Id': operationId() };
    const init = { method: 'POST', headers, body: JSON.stringify(operation) };
    const [response] = await this.ask(space, 'operations', init, WRITE_LIMIT_MS);
    discard(response);
  }

  /**
   * An address from which the browser itself fetches a file, at a server that has just answered for it. The ticket
   * is part of it: it is used at once and kept nowhere.
   */
  async downloadUrl(
    space: string,
    path: string,
    { inline = false, version, at = null }: { inline?: boolean; version?: number; at?: string | null } = {},
  ): Promise<string> {
    const of = version === undefined ? asOf(at) : `version=${version}`;
    const file = `files/${inUrl(path)}`;
    const [, server, ticket] = await this.ask(space, `${file}?${of}`, { method: 'HEAD' }, READ_LIMIT_MS);
    const query = [of, `ticket=${encodeURIComponent(ticket)}`, inline ? 'inline' : ''];
    return `${server.url}/v1/spaces/${space}/${file}?${query.filter(Boolean).join('&')}`;
  }

  /** An address from which the browser fetches a directory, or what is named in it, as a zip. */
  async zipUrl(
    space: string,
    directory: string,
    names: readonly string[],
    at: string | null = null,
  ): Promise<string> {
    // The zip itself is made while it is fetched: whether the server and the directory are there, something small tells.
    const first = `list/${inUrl(directory)}?limit=1${asOf(at, '&')}`;
    const [response, server, ticket] = await this.ask(space, first, {}, READ_LIMIT_MS);
    discard(response);
    const query = [
      ...names.map((name) => `path=${encodeURIComponent(name)}`),
      ...(at === null ? [] : [asOf(at)]),
      `ticket=${encodeURIComponent(ticket)}`,
    ];
    return `${server.url}/v1/spaces/${space}/zip/${inUrl(directory)}?${query.join('&')}`;
  }

  /** A page of what was deleted, the last one first. */
  async trash(space: string, after?: string): Promise<TrashPage> {
    const from = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    return this.json<TrashPage>(space, `trash?limit=200${from}`);
  }

  /** What a file held before. */
  versions(space: string, path: string): Promise<Versions> {
    return this.json<Versions>(space, `versions/${inUrl(path)}`);
  }

  /** Files and directories with a text in their names. A page may be empty though there is another one. */
  search(space: string, text: string, after?: string): Promise<FoundPage> {
    const from = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    return this.json<FoundPage>(space, `search?q=${encodeURIComponent(text)}&limit=100${from}`);
  }

  /** The share links into a space. */
  async shares(space: string): Promise<readonly Share[]> {
    return (await this.json<{ shares: readonly Share[] }>(space, 'shares')).shares;
  }

  /** Makes a share link. Its token is told this once. */
  async share(space: string, wish: ShareWish): Promise<MadeShare> {
    const headers = { 'Content-Type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(wish) };
    const [response] = await this.ask(space, 'shares', init, WRITE_LIMIT_MS);
    return (await response.json()) as MadeShare;
  }

  /** Takes a share link back. */
  async unshare(space: string, id: string): Promise<void> {
    const init = { method: 'DELETE', headers: { 'Operation-Id': operationId() } };
    const [response] = await this.ask(space, `shares/${id}`, init, WRITE_LIMIT_MS);
    discard(response);
  }

  private async json<T>(space: string, path: string): Promise<T> {
    const [response] = await this.ask(space, path, {}, 2 * READ_LIMIT_MS);
    return (await response.json()) as T;
  }
}
