// The web pod's side, with the page itself under the policy that the real one sends.

import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { DiskPod } from './disk-pod.ts';
import type { Fake } from './fake.ts';
import { link } from './shares.ts';
import { Refused, type Volume } from './volume.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export class WebPod {
  url = '';
  private readonly server: Server;
  private readonly pods: readonly DiskPod[];
  private readonly volume: Volume;
  private readonly dist: string;
  private readonly fake: Fake;
  private signedIn = new Set<string>();
  private tickets = 0;

  constructor(parts: { pods: readonly DiskPod[]; volume: Volume; dist: string; fake: Fake }) {
    this.pods = parts.pods;
    this.volume = parts.volume;
    this.dist = parts.dist;
    this.fake = parts.fake;
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  async listen(port = 0): Promise<void> {
    await new Promise<void>((done) => this.server.listen(port, '127.0.0.1', done));
    this.url = `http://disk.localhost:${(this.server.address() as AddressInfo).port}`;
  }

  /** As when a member signs out everywhere. */
  forgetSessions(): void {
    this.signedIn.clear();
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://web');
    try {
      if (url.pathname.startsWith('/api/')) return await this.api(request, response, url.pathname.slice(4));
      this.page(response, url.pathname);
    } catch (error) {
      const { status, code, headers } = error instanceof Refused ? error : new Refused(500, 'internal');
      const body = JSON.stringify({ status, code });
      response.writeHead(status, { ...headers, 'Content-Type': 'application/problem+json' }).end(body);
    }
  }

  private servers(): { name: string; url: string }[] {
    const servers = this.pods.filter(({ fault }) => fault === 'none').map(({ name, url }) => ({ name, url }));
    if (servers.length === 0) throw new Refused(503, 'no-ready-server', { 'Retry-After': '1' });
    return servers.slice(0, 3);
  }

  private page(response: ServerResponse, path: string): void {
    const file = join(this.dist, normalize(path));
    const name = path !== '/' && existsSync(file) ? file : join(this.dist, 'index.html');
    const disks = this.pods.map(({ url }) => url).join(' ');
    const policy = [
      "default-src 'self'",
      "script-src 'self'",
      "style-src 'self'",
      `connect-src 'self' ${disks}`,
      `img-src 'self' data: blob: ${disks}`,
      `media-src 'self' blob: ${disks}`,
      `frame-src 'self' ${disks}`,
      "worker-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join('; ');
    response.writeHead(200, {
      'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream',
      'Content-Security-Policy': policy,
    });
    response.end(readFileSync(name));
  }

  private async api(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {};
    const method = request.method ?? 'GET';
    if (method !== 'GET' && request.headers['x-requested-with'] !== 'internet-disk')
      throw new Refused(403, 'forbidden');
    const json = (status: number, answer: unknown, headers: Record<string, string> = {}) =>
      void response
        .writeHead(status, { 'Content-Type': 'application/json', ...headers })
        .end(JSON.stringify(answer));
    const { fake } = this;
    if (path === '/session' && method === 'POST') {
      if (body.member !== fake.me || body.password !== fake.password)
        throw new Refused(401, 'wrong-credentials');
      const token = `s${this.signedIn.size + 1}`;
      this.signedIn.add(token);
      return json(200, fake.session(), {
        'Set-Cookie': `fake-session=${token}; Path=/; HttpOnly; SameSite=Strict`,
      });
    }
    if (path === '/sign-in') return json(200, fake.ways);
    if (path.startsWith('/oidc/')) {
      // The provider is none that asks: it sends everybody back at once.
      const token = `s${this.signedIn.size + 1}`;
      this.signedIn.add(token);
      const next = new URL(request.url ?? '', 'http://web').searchParams.get('next') ?? '/';
      const cookie = `fake-session=${token}; Path=/; HttpOnly; SameSite=Strict`;
      return void response.writeHead(303, { Location: next, 'Set-Cookie': cookie }).end();
    }
    if (path.startsWith('/links/')) {
      const operation = String(request.headers['operation-id']);
      const { password } = body as { password?: string };
      const opens = { ...(password === undefined ? {} : { password }), operation, servers: this.servers() };
      return json(
        200,
        link(this.volume, path.slice('/links/'.length), method === 'POST' ? opens : undefined),
      );
    }
    const token = /fake-session=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
    if (path === '/session' && method === 'DELETE') {
      this.signedIn.delete(token);
      return void response.writeHead(204).end();
    }
    if (!this.signedIn.has(token)) throw new Refused(401, 'unauthenticated');
    if (path === '/session') return json(200, fake.session());
    if (path === '/spaces') return json(200, fake.spaces());
    if (path === '/app-passwords' && method === 'GET')
      return json(200, { passwords: fake.passwords, maximum: fake.mostPasswords });
    if (path === '/app-passwords') {
      const id = `p${fake.passwords.length + 1}-${Date.now()}`;
      const made = { access: 'ReadWrite', ...body, id, created: new Date().toISOString() };
      fake.passwords.push(made);
      return json(201, { ...made, password: 'idisk-7kq2m-9xw4t-h3nfz-c8vrp-2sd6y' });
    }
    if (path.startsWith('/app-passwords/')) {
      fake.passwords = fake.passwords.filter(({ id }) => !path.endsWith(`/${id}`));
      return void response.writeHead(204).end();
    }
    if (path === '/servers') {
      if (!this.volume.spaces.has(body.space)) throw new Refused(404, 'not-found');
      const servers = this.servers();
      const expires = new Date(Date.now() + 600_000).toISOString();
      return json(200, { ticket: `ticket-${++this.tickets}`, expires, access: 'ReadWrite', servers });
    }
    const [, what, name = '', , member = ''] = path.split('/').map(decodeURIComponent);
    if (what === 'groups' && method === 'POST') return json(201, fake.createGroup(body));
    if (what === 'allocations' && method === 'PUT') return json(202, fake.allocate(name, body.size));
    if (what === 'allocations' && method === 'DELETE') return json(202, fake.allocate(name, 0));
    if (what === 'groups' && method === 'PUT') return json(202, fake.admit(name, member, body.role));
    if (what === 'groups' && method === 'DELETE') return json(202, fake.admit(name, member, null));
    throw new Refused(404, 'not-found');
  }
}
