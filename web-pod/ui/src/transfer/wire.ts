// The requests of an upload: tus 1.0 with creation, and PUT for small files. They ask and report; what follows from an
// answer is the machine's to say.

import { authorised, type Disk } from '../requests/disk.ts';
import { inUrl } from '../requests/paths.ts';
import { noAnswer, type Problem, problemFrom, problemOf } from '../requests/problem.ts';
import { discard, send } from '../requests/send.ts';
import type { Server } from '../servers/server.ts';
import type { Says } from '../servers/silence.ts';

const TUS = { 'Tus-Resumable': '1.0.0' };
/** The machine looks into a silence long before; this only ends requests that nobody waits for any more. */
const LIMIT_MS = 15_000;

/** Where an upload goes, and what lets it in. */
export interface Place {
  readonly space: string;
  readonly path: string;
  readonly ticket: string;
}

const base64 = (text: string) => {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
};

function offsetOf(response: Response): number {
  discard(response);
  const offset = Number(response.headers.get('upload-offset') ?? Number.NaN);
  if (!Number.isSafeInteger(offset)) throw noAnswer();
  return offset;
}

const uploads = (server: Server, space: string, id = '') =>
  `${server.url}/v1/spaces/${space}/uploads${id ? `/${id}` : ''}`;

/** The wire to the disk servers. */
export class Wire {
  private readonly disk: Disk;

  constructor(disk: Disk) {
    this.disk = disk;
  }

  /** Declares an upload. */
  async create(
    server: Server,
    { space, path, ticket }: Place,
    { size, replace, signal }: { size: number; replace: boolean; signal: AbortSignal },
  ): Promise<{ id: string; offset: number }> {
    const metadata = `path ${base64(path)},parents${replace ? ',replace' : ''}`;
    const headers = {
      ...authorised(ticket),
      ...TUS,
      'Upload-Length': String(size),
      'Upload-Metadata': metadata,
    };
    const response = await send(uploads(server, space), { method: 'POST', headers, signal }, LIMIT_MS);
    if (response.status !== 201) throw await problemOf(response);
    const id = response.headers.get('location')?.split('/').filter(Boolean).at(-1);
    if (!id) throw noAnswer();
    return { id, offset: offsetOf(response) };
  }

  /** The durable offset. */
  async locate(server: Server, { space, ticket }: Place, id: string, signal: AbortSignal): Promise<number> {
    const headers = { ...authorised(ticket), ...TUS };
    const response = await send(uploads(server, space, id), { method: 'HEAD', headers, signal }, LIMIT_MS);
    if (!response.ok) throw await problemOf(response);
    return offsetOf(response);
  }

  /** Whether a server is alive, with its storage; of an upload it also tells the offset. */
  async ask(
    server: Server,
    { space, ticket }: Place,
    id: string | null,
    limit: number,
  ): Promise<{ says: Says; offset?: number }> {
    const headers = authorised(ticket);
    try {
      const response =
        id === null
          ? await send(`${server.url}/v1/spaces/${space}/usage`, { headers }, limit)
          : await send(
              uploads(server, space, id),
              { method: 'HEAD', headers: { ...headers, ...TUS } },
              limit,
            );
      if (response.ok && id !== null) return { says: 'answers', offset: offsetOf(response) };
      discard(response);
      return { says: response.status === 429 || response.status >= 500 ? 'refuses' : 'answers' };
    } catch {
      return { says: 'refuses' };
    }
  }

  /** Gives an upload up, so that what it has reserved is free again. */
  async abandon(server: Server, { space, ticket }: Place, id: string): Promise<void> {
    const headers = { ...authorised(ticket), ...TUS };
    await send(uploads(server, space, id), { method: 'DELETE', headers }, LIMIT_MS).catch(noAnswer);
  }

  /** Sends a piece of an upload. */
  patch(
    server: Server,
    { space, ticket }: Place,
    id: string,
    from: number,
    piece: Blob,
    told: Told,
  ): XMLHttpRequest {
    const headers = {
      ...authorised(ticket),
      ...TUS,
      'Upload-Offset': String(from),
      'Content-Type': 'application/offset+octet-stream',
    };
    return this.body('PATCH', uploads(server, space, id), headers, piece, told, (request) => {
      // With the last piece the file is there.
      this.disk.saw(space, request.getResponseHeader('x-generation'));
      return Number(request.getResponseHeader('upload-offset') ?? from + piece.size);
    });
  }

  /** Sends a file whole. Sent again with the same operation, it is stored once. */
  put(
    server: Server,
    { space, path, ticket }: Place,
    { operation, born, replace }: { operation: string; born: number | undefined; replace: boolean },
    file: Blob,
    told: Told,
  ): XMLHttpRequest {
    const headers: Record<string, string> = {
      ...authorised(ticket, born),
      'Operation-Id': operation,
      'Content-Type': 'application/octet-stream',
    };
    if (!replace) headers['If-None-Match'] = '*';
    const url = `${server.url}/v1/spaces/${space}/files/${inUrl(path)}?parents=true`;
    return this.body('PUT', url, headers, file, told, (request) => {
      this.disk.saw(space, request.getResponseHeader('x-generation'));
      return file.size;
    });
  }

  /** fetch tells nothing of how far a body is; XMLHttpRequest does, and reads a part of a file as it goes. */
  private body(
    method: string,
    url: string,
    headers: Record<string, string>,
    body: Blob,
    told: Told,
    offset: (request: XMLHttpRequest) => number,
  ): XMLHttpRequest {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => told.progress(loaded);
    request.onerror = () => told.broke();
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return told.taken(offset(request));
      told.refused(
        problemFrom(request.status, request.responseText, (name) => request.getResponseHeader(name)),
      );
    };
    request.send(body);
    return request;
  }
}

/** Who is told how a body fares. Nothing is told after `abort`. */
export interface Told {
  progress(loaded: number): void;
  taken(offset: number): void;
  refused(problem: Problem): void;
  broke(): void;
}
