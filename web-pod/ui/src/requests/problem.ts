/** A refusal, as both kinds of pods tell it (RFC 9457), or the lack of any answer. */
export class Problem extends Error {
  readonly status: number;
  /** The cause; `no-answer` when there was none. */
  readonly code: string;
  /** What happened and what to do, in English. */
  readonly detail: string | undefined;
  readonly retryAfterMs: number;
  /** The durable offset of an upload, when the server told it. */
  readonly offset: number | undefined;

  constructor(fields: {
    status: number;
    code: string;
    detail?: string | undefined;
    retryAfterMs?: number;
    offset?: number | undefined;
  }) {
    super(fields.detail ?? fields.code);
    this.status = fields.status;
    this.code = fields.code;
    this.detail = fields.detail;
    this.retryAfterMs = fields.retryAfterMs ?? 0;
    this.offset = fields.offset;
  }
}

/** No answer: the line, or whoever is at its other end. */
export const noAnswer = () => new Problem({ status: 0, code: 'no-answer' });

/** Does something whose refusals mean something of their own, under codes that say so. */
export async function saying<T>(codes: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Problem ? codes[error.code] : undefined;
    if (!(error instanceof Problem) || code === undefined) throw error;
    throw new Problem({ status: error.status, code, detail: error.detail });
  }
}

/** Answers to HEAD carry no body, and what stands between us and a pod writes its own: then the status has to do. */
export function codeOf(status: number): string {
  switch (status) {
    case 401:
      return 'ticket-expired';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 409:
      return 'offset-conflict';
    case 410:
      return 'upload-gone';
    case 412:
      return 'precondition-failed';
    case 413:
      return 'too-large';
    case 429:
      return 'too-many-requests';
    case 507:
      return 'quota-exceeded';
    default:
      return status >= 500 ? 'no-ready-server' : 'bad-request';
  }
}

/** Reads a refusal from its parts. */
export function problemFrom(status: number, body: string, header: (name: string) => string | null): Problem {
  let told: { code?: unknown; detail?: unknown } = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (parsed && typeof parsed === 'object') told = parsed;
  } catch {
    // Not from one of our pods.
  }
  const seconds = Number(header('retry-after'));
  const offset = header('upload-offset');
  return new Problem({
    status,
    code: typeof told.code === 'string' ? told.code : codeOf(status),
    detail: typeof told.detail === 'string' ? told.detail : undefined,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : 0,
    offset: offset !== null && /^\d+$/.test(offset) ? Number(offset) : undefined,
  });
}

/** Reads a refusal from an answer. */
export async function problemOf(response: Response): Promise<Problem> {
  const body = await response.text().catch(() => '');
  return problemFrom(response.status, body, (name) => response.headers.get(name));
}
