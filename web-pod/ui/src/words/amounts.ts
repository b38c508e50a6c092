// Sizes, times and dates, as each language writes them.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1.4 GiB`: three figures at most, which is as exact as one looks. */
export function size(bytes: number, locale: string): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
  return `${number} ${UNITS[unit]}`;
}

/** `5 min`: one unit, rounded up, so that the promise is kept. */
export function duration(seconds: number, locale: string): string {
  const [value, unit] =
    seconds < 60 ? [seconds, 'second'] : seconds < 3600 ? [seconds / 60, 'minute'] : [seconds / 3600, 'hour'];
  const format = new Intl.NumberFormat(locale, { style: 'unit', unit: String(unit), unitDisplay: 'short' });
  return format.format(Math.max(Math.ceil(Number(value)), 1));
}

/** A date as one looks for it: the time for today, the year only when it is another. */
export function date(text: string, locale: string, now = new Date()): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return '';
  if (at.toDateString() === now.toDateString()) {
    return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(at);
  }
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' as const };
  return new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric', ...year }).format(at);
}

/** A day and its time, as one says them. */
export function moment(text: string, locale: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime())
    ? ''
    : new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }).format(at);
}

/** The whole of a date, for those who want to know. */
export function fullDate(text: string, locale: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime())
    ? ''
    : new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' }).format(at);
}
