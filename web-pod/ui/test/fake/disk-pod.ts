// A disk pod over the volume in memory, which can be taken away in the ways in which real ones are.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { found, trashOf, versionOf, versionsOf, zipOf } from './past.ts';
import { makeShare, shownShare, unshare, visit } from './shares.ts';
import { type Node, Refused, type Space, type Volume } from './volume.ts';

/** How a pod is taken away: connections are reset; nothing answers; all that needs the volume hangs; it is stopping. */
export type Fault = 'kill' | 'stop' | 'hang' | 'drain' | 'none';

const ACKNOWLEDGE_MS = 1000;

const TYPES: Record<string, string> = {
  txt: 'text/plain; charset=utf-8',
  png: 'image/png',
  jpg: 'image/jpeg',
  wav: 'audio/wav',
  pdf: 'application/pdf',
};

export class DiskPod {
  readonly name: string;
  url = '';
  requests = 0;
  received = 0;
  fault: Fault = 'none';
  /** Bytes a second; 0 is as fast as it goes. */
  speed = 0;
  private readonly volume: Volume;
  private readonly refuses: () => boolean;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private waiting: (() => void)[] = [];
  private port = 0;

  constructor(name: string, volume: Volume, refuses: () => boolean) {
    this.name = name;
    this.refuses = refuses;
    this.volume = volume;
    this.server = createServer((request, response) => void this.serve(request, response));
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  async listen(port = 0): Promise<void> {
    await new Promise<void>((done) => this.server.listen(port, '127.0.0.1', done));
    this.port = (this.server.address() as AddressInfo).port;
    this.url = `http://${this.name}.localhost:${this.port}`;
  }

  async take(fault: Fault): Promise<void> {
    const before = this.fault;
    this.fault = fault;
    if (fault === 'kill') {
      this.server.close();
      for (const socket of this.sockets) socket.resetAndDestroy();
    }
    if (fault === 'none') {
      if (before === 'kill') await this.listen(this.port);
      for (const go of this.waiting.splice(0)) go();
    }
  }

  close(): void {
    this.fault = 'none';
    for (const go of this.waiting.splice(0)) go();
    if (this.server.listening) this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  /** Waits while the pod, or what it needs, does not answer. */
  private async gate(needsVolume: boolean): Promise<void> {
    while (this.fault === 'stop' || (this.fault === 'hang' && needsVolume)) {
      await new Promise<void>((go) => this.waiting.push(go));
    }
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://disk');
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
    response.setHeader(
      'Access-Control-Expose-Headers',
      'ETag, X-Generation, Location, Retry-After, Upload-Offset, Upload-Length',
    );
    try {
      await this.gate(false);
      if (request.method === 'OPTIONS') {
        response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS');
        response.setHeader(
          'Access-Control-Allow-Headers',
          'Authorization, Content-Type, If-Match, If-None-Match, Range, Operation-Id, X-Generation, Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata',
        );
        response.setHeader('Access-Control-Max-Age', '7200');
        return void response.writeHead(204).end();
      }
      if (url.pathname === '/v1/ping') return void response.writeHead(204).end();
      this.requests++;
      if (this.fault === 'drain' && request.method !== 'GET')
        throw new Refused(503, 'draining', { 'Retry-After': '1' });
      await this.gate(true);
      await this.answer(request, response, url);
    } catch (error) {
      const { status, code, headers } = error instanceof Refused ? error : new Refused(500, 'internal');
      if (response.headersSent || response.destroyed) return;
      request.resume();
      const body = JSON.stringify({ status, code });
      response.writeHead(status, { ...headers, 'Content-Type': 'application/problem+json' }).end(body);
    }
  }

  private async answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const [, , , id = '', what, ...names] = url.pathname.split('/').map(decodeURIComponent);
    const space = this.volume.spaces.get(id);
    const ticket = request.headers.authorization ?? `Bearer ${url.searchParams.get('ticket')}`;
    if (this.refuses()) throw new Refused(401, 'ticket-expired');
    if (!/^Bearer (ticket|visit)-/.test(ticket)) throw new Refused(401, 'ticket-invalid');
    if (!space) throw new Refused(404, 'not-found');
    const path = names.join('/');
    if (ticket.startsWith('Bearer visit-'))
      visit(space, ticket.slice('Bearer '.length), request.method ?? '', url, what ?? '', path);
    const json = (body: unknown) => {
      response.setHeader('X-Generation', String(space.generation));
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    const was = space.asOf(url.searchParams.get('at'));
    const limit = Number(url.searchParams.get('limit') ?? 1000);
    const after = url.searchParams.get('after');
    switch (what) {
      case 'list':
        return json({
          generation: space.generation,
          path,
          ...was.list(path, limit, after ?? ''),
        });
      case 'trash':
        return json(trashOf(space, limit, after));
      case 'versions':
        return json(versionsOf(space, path));
      case 'search':
        return json(found(space, url.searchParams.get('q') ?? '', limit, after));
      case 'zip': {
        const zip = zipOf(was, path, url.searchParams.getAll('path'));
        const name = `${path.split('/').at(-1) || 'disk'}.zip`;
        response.writeHead(200, {
          'Content-Type': 'application/zip',
          'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
        });
        return void response.end(zip);
      }
      case 'usage':
        return json({
          generation: space.generation,
          limit: space.limit,
          used: space.used,
          trash: space.trash.reduce((sum, { nodes }) => {
            return sum + [...nodes.values()].reduce((size, node) => size + node.size, 0);
          }, 0),
          versions: 0,
          reserved: space.reserved,
        });
      case 'shares': {
        if (request.method === 'DELETE') {
          unshare(space, path);
          return void response.writeHead(204).end();
        }
        if (request.method === 'GET') return json({ shares: space.shares.map(shownShare) });
        const wish = JSON.parse((await this.body(request)).toString());
        if (space.linksNeed === 'password' && !wish.password) throw new Refused(403, 'forbidden');
        if (space.linksNeed === 'end' && !wish.expires) throw new Refused(400, 'bad-request');
        const share = makeShare(space, wish);
        return json({ ...shownShare(share), token: share.token });
      }
      case 'operations':
        space.operate(JSON.parse((await this.body(request)).toString()));
        return json({ generation: space.generation });
      case 'files':
        // As a volume has it: a name has 255 bytes.
        if (request.method === 'PUT' && names.some((name) => Buffer.byteLength(name) > 255)) {
          request.resume();
          throw new Refused(400, 'name-invalid');
        }
        if (request.method === 'PUT') return this.put(request, response, space, path);
        return this.get(request, response, versionOf(was, path, url.searchParams.get('version')), {
          path,
          inline: url.searchParams.has('inline'),
        });
      case 'uploads':
        return path ? this.upload(request, response, space, path) : this.create(request, response, space, id);
    }
    throw new Refused(404, 'not-found');
  }

  private async put(
    request: IncomingMessage,
    response: ServerResponse,
    space: Space,
    path: string,
  ): Promise<void> {
    const operation = String(request.headers['operation-id']);
    const content = await this.body(request);
    await this.gate(true);
    if (!space.done.has(operation)) {
      space.room(content.length);
      const hash = createHash('sha256').update(content).digest('hex');
      const visits = request.headers.authorization?.startsWith('Bearer visit-') === true;
      const replace = request.headers['if-none-match'] !== '*' && !visits;
      space.store(path, { size: content.length, hash, content }, replace);
      space.done.add(operation);
    }
    response.setHeader('X-Generation', String(space.generation));
    response.writeHead(201).end();
  }

  /** A file under the headers that the real pods send with one. */
  private get(
    request: IncomingMessage,
    response: ServerResponse,
    node: Node,
    { path, inline }: { path: string; inline: boolean },
  ): void {
    if (node.kind !== 'file') throw new Refused(409, 'is-a-directory');
    const name = path.split('/').at(-1) ?? '';
    const headers = {
      'Content-Disposition': `${inline ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(name)}`,
      'Content-Type': TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
      'Content-Security-Policy':
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'private, no-cache',
      'Accept-Ranges': 'bytes',
      ETag: node.etag,
    };
    if (request.headers['if-none-match'] === node.etag) return void response.writeHead(304, headers).end();
    const whole = node.content ?? Buffer.alloc(Math.min(node.size, 1 << 20));
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = Number(range?.[1] ?? 0);
    const to = Math.min(range?.[2] ? Number(range[2]) + 1 : whole.length, whole.length);
    if (range && from >= whole.length) throw new Refused(416, 'range-not-satisfiable');
    const part = whole.subarray(from, to);
    const ranged = range ? { 'Content-Range': `bytes ${from}-${to - 1}/${whole.length}` } : {};
    response.writeHead(range ? 206 : 200, {
      ...headers,
      ...ranged,
      'Content-Length': String(request.method === 'HEAD' ? node.size : part.length),
    });
    response.end(request.method === 'HEAD' ? undefined : part);
  }

  private create(request: IncomingMessage, response: ServerResponse, space: Space, spaceId: string): void {
    const length = Number(request.headers['upload-length']);
    const pairs = String(request.headers['upload-metadata']).split(',');
    const metadata = new Map(
      pairs.map((pair): [string, string] => {
        const [key = '', value = ''] = pair.trim().split(' ');
        return [key, value];
      }),
    );
    const path = Buffer.from(metadata.get('path') ?? '', 'base64').toString();
    const id = space.begin(path, length, metadata.has('replace'));
    const headers = { Location: `/v1/spaces/${spaceId}/uploads/${id}`, 'Upload-Offset': '0' };
    response.writeHead(201, headers).end();
  }

  private async upload(
    request: IncomingMessage,
    response: ServerResponse,
    space: Space,
    id: string,
  ): Promise<void> {
    const upload = space.uploads.get(id);
    if (!upload) throw new Refused(410, 'upload-gone');
    if (request.method === 'DELETE') {
      space.uploads.delete(id);
      return void response.writeHead(204).end();
    }
    if (request.method === 'HEAD') {
      const headers = { 'Upload-Offset': String(upload.offset), 'Upload-Length': String(upload.length) };
      return void response.writeHead(200, headers).end();
    }
    const from = Number(request.headers['upload-offset']);
    if (from !== upload.offset) {
      throw new Refused(409, 'offset-conflict', { 'Upload-Offset': String(upload.offset) });
    }
    // Whoever wrote before is fenced off from here on.
    const writer = ++upload.writer;
    const hash = upload.hash.copy();
    let position = from;
    let acknowledged = Date.now();
    const acknowledge = () => {
      if (upload.writer !== writer) throw new Refused(409, 'offset-conflict');
      upload.offset = position;
      upload.hash = hash.copy();
      acknowledged = Date.now();
    };
    for await (const chunk of request as AsyncIterable<Buffer>) {
      await this.gate(true);
      if (this.fault === 'drain')
        throw new Refused(503, 'draining', { 'Upload-Offset': String(upload.offset) });
      if (this.speed > 0) await new Promise((go) => setTimeout(go, (chunk.length * 1000) / this.speed));
      hash.update(chunk);
      if (upload.content) chunk.copy(upload.content, position);
      position += chunk.length;
      this.received += chunk.length;
      if (Date.now() - acknowledged > ACKNOWLEDGE_MS) acknowledge();
    }
    await this.gate(true);
    acknowledge();
    if (upload.offset === upload.length) space.finish(upload);
    response.setHeader('X-Generation', String(space.generation));
    response.writeHead(204, { 'Upload-Offset': String(upload.offset) }).end();
  }

  private async body(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      this.received += chunk.length;
    }
    return Buffer.concat(chunks);
  }
}
