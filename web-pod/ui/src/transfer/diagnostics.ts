// The page's diagnostics: what the transfer module does, as events of the window, for tests and for whoever looks into
// a slow line with the browser's tools:
//
//     addEventListener('internet-disk:transfer', ({ detail }) => console.log(detail))

/** One thing that happened to an upload. Servers are named as the web pod names them. */
export type Diagnosis =
  /** Bytes up to `offset` were sent to `server`; they are durable when `acknowledged` is as high. */
  | {
      readonly event: 'progress';
      readonly path: string;
      readonly offset: number;
      readonly acknowledged: number;
      readonly size: number;
      readonly server: string;
    }
  /** `standstillMs` after the last sign of progress on `from`, there was the first one on `to`. */
  | {
      readonly event: 'moved';
      readonly path: string;
      readonly from: string;
      readonly to: string;
      readonly standstillMs: number;
    }
  | {
      readonly event: 'waiting' | 'failed' | 'conflict';
      readonly path: string;
      readonly code: string;
      readonly detail?: string | undefined;
    }
  | { readonly event: 'done'; readonly path: string; readonly size: number };

export const DIAGNOSTICS = 'internet-disk:transfer';

export function tell(detail: Diagnosis): void {
  globalThis.dispatchEvent(new CustomEvent(DIAGNOSTICS, { detail }));
}
