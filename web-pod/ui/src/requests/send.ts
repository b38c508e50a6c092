import { noAnswer } from './problem.ts';

/**
 * Sends a request and waits for its answer for at most `limit` milliseconds.
 *
 * @throws {Problem} `no-answer`, whatever the reason
 */
export async function send(url: string, init: RequestInit, limit: number): Promise<Response> {
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), limit);
  const given = init.signal;
  const pass = () => ended.abort();
  given?.addEventListener('abort', pass);
  try {
    return await fetch(url, {
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      ...init,
      signal: ended.signal,
    });
  } catch {
    throw noAnswer();
  } finally {
    clearTimeout(timer);
    given?.removeEventListener('abort', pass);
  }
}

/** Lets go of an answer whose body says nothing: a connection is free again only when it was read. */
export function discard(response: Response): void {
  void response.arrayBuffer().catch(() => undefined);
}
