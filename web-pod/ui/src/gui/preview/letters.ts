// What the bytes of a text say. Most are UTF-8; old Korean ones are not, and nothing in them tells.

/** Reads the beginning of a text, of which there may be more than these bytes. */
export function lettersOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return decode('utf-16le', bytes);
  if (first === 0xfe && second === 0xff) return decode('utf-16be', bytes);
  try {
    // What is cut off in the middle of a letter is no reason to doubt the others.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return decode('euc-kr', bytes);
  }
}

const decode = (code: string, bytes: Uint8Array) => new TextDecoder(code).decode(bytes, { stream: true });
