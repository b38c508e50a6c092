// A volume that lives in memory, for trying the page without a cluster. It keeps sizes and hashes, and of small files
// the bytes.

import { createHash, type Hash, randomUUID } from 'node:crypto';
import type { FakeShare } from './shares.ts';

export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  constructor(status: number, code: string, headers: Record<string, string> = {}) {
    super(code);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export interface Node {
  kind: 'file' | 'directory';
  size: number;
  hash: string;
  content: Buffer | undefined;
  modified: string;
  etag: string;
  /** What it held before, the last one first. */
  before?: Version[];
}

export interface Version {
  version: number;
  node: Node;
  replaced: string;
}

/** What was deleted, with all in it, under the paths it had. */
export interface Deleted {
  id: string;
  path: string;
  nodes: Map<string, Node>;
  deleted: string;
}

export interface Upload {
  path: string;
  length: number;
  /** Durable up to here. */
  offset: number;
  /** Received up to here by the writer of the moment. */
  hash: Hash;
  /** What was received, of an upload that is small enough to be kept. */
  content: Buffer | undefined;
  replace: boolean;
  writer: number;
  complete: boolean;
}

export interface Operation {
  op: string;
  path?: string;
  from?: string;
  to?: string;
  parents?: boolean;
  overwrite?: boolean;
  item?: string;
  at?: string;
  version?: number;
  everything?: boolean;
}

const KEPT = 8 << 20;

export class Space {
  readonly nodes = new Map<string, Node>();
  readonly uploads = new Map<string, Upload>();
  readonly done = new Set<string>();
  trash: Deleted[] = [];
  shares: FakeShare[] = [];
  /** Links need a password, or an end. */
  linksNeed: 'password' | 'end' | undefined;
  /** How it was, and from when on. */
  moments: { time: number; was: Space }[] = [];
  limit: number;
  generation = 1;

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return [...this.nodes.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get reserved(): number {
    return [...this.uploads.values()].reduce((sum, { length, complete }) => sum + (complete ? 0 : length), 0);
  }

  /** How it is now is kept, as that of a moment. */
  remember(time: number): void {
    const was = new Space(this.limit);
    for (const [path, node] of this.nodes) was.nodes.set(path, { ...node });
    was.generation = this.generation;
    this.moments.push({ time, was });
    this.moments.sort((a, b) => a.time - b.time);
  }

  /** The space as it was. What lies before the first moment is not kept. */
  asOf(at: string | null): Space {
    if (at === null) return this;
    const moment = this.moments.findLast(({ time }) => time <= Date.parse(at));
    if (!moment) throw new Refused(410, 'history-gone');
    return moment.was;
  }

  makeDirectory(path: string, parents: boolean): void {
    if (!path) return;
    const at = this.nodes.get(path);
    if (at) {
      if (at.kind === 'file') throw new Refused(409, 'not-a-directory');
      if (!parents) throw new Refused(409, 'exists');
      return;
    }
    this.makeDirectory(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '', true);
    this.generation++;
    const etag = `"${this.generation}"`;
    const modified = new Date().toISOString();
    this.nodes.set(path, { kind: 'directory', size: 0, hash: '', content: undefined, modified, etag });
  }

  /** A file appears under its name. */
  store(
    path: string,
    file: { size: number; hash: string; content?: Buffer | undefined },
    replace: boolean,
  ): void {
    if (!replace && this.nodes.has(path)) throw new Refused(412, 'precondition-failed');
    this.makeDirectory(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '', true);
    this.generation++;
    const etag = `"${this.generation}"`;
    const modified = new Date().toISOString();
    const content = file.content && file.size <= KEPT ? file.content : undefined;
    const old = this.nodes.get(path);
    const node: Node = { kind: 'file', size: file.size, hash: file.hash, content, modified, etag };
    if (old) node.before = [this.versionOf(old), ...(old.before ?? [])];
    this.nodes.set(path, node);
  }

  room(bytes: number): void {
    if (this.used + this.reserved + bytes > this.limit) throw new Refused(507, 'quota-exceeded');
  }

  begin(path: string, length: number, replace: boolean): string {
    if (!replace && this.nodes.has(path)) throw new Refused(409, 'exists');
    this.room(length);
    const id = randomUUID();
    const hash = createHash('sha256');
    const content = length <= KEPT ? Buffer.alloc(length) : undefined;
    this.uploads.set(id, { path, length, offset: 0, hash, content, replace, writer: 0, complete: false });
    return id;
  }

  finish(upload: Upload): void {
    if (upload.complete) return;
    upload.complete = true;
    this.store(
      upload.path,
      { size: upload.length, hash: upload.hash.copy().digest('hex'), content: upload.content },
      upload.replace,
    );
  }

  under(path: string): string[] {
    return [...this.nodes.keys()].filter((one) => one === path || one.startsWith(`${path}/`));
  }

  operate(operation: Operation): void {
    const { op, path = '', from = '', to = '' } = operation;
    if (op === 'mkdir') return this.makeDirectory(path, operation.parents ?? false);
    this.generation++;
    if (op === 'bring-back') return this.bringBack(path, operation.at ?? '', operation.to ?? path);
    if (op === 'delete') return this.remove(path);
    if (op === 'restore') return this.restore(operation.item ?? '', operation.to);
    if (op === 'purge') {
      if (!operation.everything) this.deleted(operation.item ?? '');
      this.trash = operation.everything ? [] : this.trash.filter(({ id }) => id !== operation.item);
      return;
    }
    if (op === 'restore-version') {
      const node = this.node(path);
      const wanted = node.before?.find(({ version }) => version === operation.version);
      if (!wanted) throw new Refused(404, 'not-found');
      const before = [this.versionOf(node), ...(node.before ?? []).filter((one) => one !== wanted)];
      this.nodes.set(path, { ...wanted.node, etag: `"${this.generation}"`, before });
      return;
    }
    if (!this.nodes.has(from)) throw new Refused(404, 'not-found');
    if (this.nodes.has(to) && !operation.overwrite) throw new Refused(409, 'exists');
    for (const one of this.under(from)) {
      const node = this.nodes.get(one);
      if (node) this.nodes.set(to + one.slice(from.length), { ...node });
      if (op === 'move') this.nodes.delete(one);
    }
  }

  private bringBack(path: string, at: string, to: string): void {
    const was = this.asOf(at);
    was.node(path);
    if (this.nodes.has(to)) throw new Refused(409, 'exists');
    this.makeDirectory(to.includes('/') ? to.slice(0, to.lastIndexOf('/')) : '', true);
    for (const one of was.under(path)) this.nodes.set(to + one.slice(path.length), { ...was.node(one) });
  }

  private versionOf(node: Node): Version {
    return { version: Number(node.etag.replaceAll('"', '')), node, replaced: new Date().toISOString() };
  }

  private remove(path: string): void {
    this.node(path);
    const nodes = new Map(this.under(path).map((one) => [one, this.node(one)] as const));
    for (const one of nodes.keys()) this.nodes.delete(one);
    this.trash.unshift({ id: `${this.generation}-1`, path, nodes, deleted: new Date().toISOString() });
  }

  private deleted(item: string): Deleted {
    const deleted = this.trash.find(({ id }) => id === item);
    if (!deleted) throw new Refused(404, 'not-found');
    return deleted;
  }

  private restore(item: string, to: string | undefined): void {
    const deleted = this.deleted(item);
    const target = to ?? deleted.path;
    if (this.nodes.has(target)) throw new Refused(409, 'exists');
    this.makeDirectory(target.includes('/') ? target.slice(0, target.lastIndexOf('/')) : '', true);
    for (const [path, node] of deleted.nodes) this.nodes.set(target + path.slice(deleted.path.length), node);
    this.trash = this.trash.filter((one) => one !== deleted);
  }

  /** The entries of a directory in the order of their names, as far as one page goes. */
  list(path: string, limit: number, after: string): { entries: object[]; next?: string } {
    if (path && this.nodes.get(path)?.kind !== 'directory') throw new Refused(404, 'not-found');
    const names = this.namesIn(path);
    const from = after ? names.findIndex((name) => name > after) : 0;
    const some = from < 0 ? [] : names.slice(from, from + limit);
    const entries = some.map((name) => entryOf(name, this.node(path ? `${path}/${name}` : name)));
    const last = some.at(-1);
    return last !== undefined && from + limit < names.length ? { entries, next: last } : { entries };
  }

  node(path: string): Node {
    const node = this.nodes.get(path);
    if (!node) throw new Refused(404, 'not-found');
    return node;
  }

  private sorted: { path: string; generation: number; names: string[] } | undefined;

  private namesIn(path: string): string[] {
    const { generation } = this;
    if (this.sorted?.path === path && this.sorted.generation === generation) return this.sorted.names;
    const start = path ? `${path}/` : '';
    const names: string[] = [];
    for (const one of this.nodes.keys()) {
      if (one !== path && one.startsWith(start) && !one.includes('/', start.length))
        names.push(one.slice(start.length));
    }
    names.sort();
    this.sorted = { path, generation, names };
    return names;
  }
}

export function entryOf(name: string, { kind, size, modified, etag }: Node): object {
  return kind === 'file' ? { name, kind, size, modified, etag } : { name, kind, modified, etag };
}

export class Volume {
  readonly spaces = new Map<string, Space>();
}
