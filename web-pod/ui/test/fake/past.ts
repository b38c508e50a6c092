// What the fake tells of the past of a space, of names in it, and of many files as one.

import { crc } from './pictures.ts';
import { type Deleted, entryOf, type Node, Refused, type Space } from './volume.ts';

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

export function trashOf(space: Space, limit: number, after: string | null): object {
  const from = after === null ? 0 : space.trash.findIndex(({ id }) => id === after) + 1;
  const some = space.trash.slice(from, from + limit);
  const last = some.at(-1);
  const next = last && from + limit < space.trash.length ? { next: last.id } : {};
  return { generation: space.generation, items: some.map(itemOf), ...next };
}

function itemOf({ id, path, nodes, deleted }: Deleted): object {
  const size = [...nodes.values()].reduce((sum, node) => sum + node.size, 0);
  const { kind } = nodes.get(path) ?? { kind: 'file' };
  return { id, name: nameOf(path), kind, path, size, nodes: nodes.size, deleted };
}

export function versionsOf(space: Space, path: string): object {
  const node = space.node(path);
  const told = (version: number, { size, modified, etag }: Node) => ({ version, size, modified, etag });
  return {
    generation: space.generation,
    path,
    current: told(Number(node.etag.replaceAll('"', '')), node),
    versions: (node.before ?? []).map((one) => ({ ...told(one.version, one.node), replaced: one.replaced })),
  };
}

export function versionOf(space: Space, path: string, version: string | null): Node {
  const node = space.node(path);
  if (version === null) return node;
  const found = node.before?.find((one) => String(one.version) === version);
  if (!found) throw new Refused(404, 'not-found');
  return found.node;
}

/** A page may be empty though there is another one: the real pods look at so many names, and no more, at a time. */
export function found(space: Space, text: string, limit: number, after: string | null): object {
  const wanted = text.normalize('NFC').toLowerCase();
  const paths = [...space.nodes.keys()].sort();
  const from = after === null ? 0 : paths.findIndex((path) => path > after);
  const looked = from < 0 ? [] : paths.slice(from, from + limit);
  const entries = looked
    .filter((path) => nameOf(path).normalize('NFC').toLowerCase().includes(wanted))
    .map((path) => ({ ...entryOf(nameOf(path), space.node(path)), path }));
  const last = looked.at(-1);
  const next = last !== undefined && from + limit < paths.length ? { next: last } : {};
  return { generation: space.generation, entries, ...next };
}

/** A directory, or what is named in it, as a zip whose contents are stored as they are. */
export function zipOf(space: Space, directory: string, names: readonly string[]): Buffer {
  const start = directory ? `${directory}/` : '';
  const isWanted = (name: string) =>
    names.length === 0 || names.some((one) => name === one || name.startsWith(`${one}/`));
  const parts: Buffer[] = [];
  const index: Buffer[] = [];
  let offset = 0;
  for (const [path, node] of space.nodes) {
    const name = path.slice(start.length);
    if (!path.startsWith(start) || node.kind !== 'file' || !isWanted(name)) continue;
    const content = node.content ?? Buffer.alloc(0);
    const title = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt32LE(crc(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, title, content]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    index.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, rest, title]));
    parts.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(index);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(index.length, 8);
  end.writeUInt16LE(index.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listed, end]);
}
