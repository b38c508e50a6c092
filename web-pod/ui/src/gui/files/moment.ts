// A moment in the past, as one writes it and as the servers take it. Nothing here asks anybody.

/** As a field for a date and a time has it: by the clock where one is. */
export function localText(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** What such a field says, as the servers take it. Undefined when it says no moment. */
export function momentOf(text: string): string | undefined {
  const at = new Date(text);
  return text === '' || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** So long ago, from some moment on. */
export const before = (now: number, ms: number): string => new Date(now - ms).toISOString();
