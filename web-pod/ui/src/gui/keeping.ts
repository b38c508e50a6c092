// Small choices that outlive a visit, where the browser keeps anything at all.

const PREFIX = 'internet-disk-';

export function kept(name: string): string | null {
  try {
    return globalThis.localStorage?.getItem(PREFIX + name) ?? null;
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    globalThis.localStorage?.setItem(PREFIX + name, value);
  } catch {
    // Then it is chosen again next time.
  }
}
