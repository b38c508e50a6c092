/** A disk server as the web pod names it. */
export interface Server {
  readonly name: string;
  readonly url: string;
}

/** What the web pod answers to "where is my disk?": two or three servers, best first, and a ticket for all of them. */
export interface Lease {
  readonly ticket: string;
  readonly access: 'Read' | 'ReadWrite';
  readonly servers: readonly Server[];
  /** When to ask again, by this browser's clock. */
  readonly until: number;
}
