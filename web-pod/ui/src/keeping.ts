// Small choices that outlive a visit, where the browser keeps anything at all.

/** The browser's store; where it is forbidden, only asking for it fails. */
export function browserStore(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

const PREFIX = 'internet-disk-';

export function kept(name: string): string | null {
  try {
    return browserStore()?.getItem(PREFIX + name) ?? null;
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    browserStore()?.setItem(PREFIX + name, value);
  } catch {
    // Then it is chosen again next time.
  }
}
