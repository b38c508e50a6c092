// Only what can be seen is drawn: a directory may have a hundred thousand entries.

import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** The rows that are drawn, the last one not included. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** Rows drawn beyond each edge: a page that scrolls faster than it draws shows them. */
const BEYOND = 12;
/** The range moves in steps, so that it is not drawn anew for every row that comes into sight. */
const STEP = 4;

/** Which of `rows` rows are in sight, when the first one begins `top` pixels below the upper edge of the window. */
export function rangeOf(top: number, height: number, rowHeight: number, rows: number): Range {
  const floor = (row: number) => Math.floor(row / STEP) * STEP;
  const first = Math.min(Math.max(floor(-top / rowHeight - BEYOND), 0), Math.max(rows - 1, 0));
  const last = Math.min(Math.max(floor((height - top) / rowHeight + BEYOND) + STEP, first), rows);
  return { first, last };
}

/** Follows the window as it scrolls. */
export function useRange(rows: number, rowHeight: number) {
  const element = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState<Range>({ first: 0, last: Math.min(rows, 4 * BEYOND) });
  useLayoutEffect(() => {
    const look = () => {
      const top = element.current?.getBoundingClientRect().top;
      if (top === undefined) return;
      const next = rangeOf(top, innerHeight, rowHeight, rows);
      setRange((before) => (before.first === next.first && before.last === next.last ? before : next));
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, [rows, rowHeight]);
  return { element, range };
}

/** What lies over the upper edge while one scrolls, and room to see that there is more at the lower one. */
const COVERED = { top: 160, bottom: 90 };

/** Scrolls no more than is needed to see a row. */
export function scrollToRow(element: HTMLElement | null, row: number, rowHeight: number): void {
  if (!element) return;
  const top = element.getBoundingClientRect().top + row * rowHeight;
  const over = top - COVERED.top;
  const under = top + rowHeight - (innerHeight - COVERED.bottom);
  if (over < 0) scrollBy({ top: over, behavior: 'instant' });
  else if (under > 0) scrollBy({ top: under, behavior: 'instant' });
}
