// The entries of a directory, whatever they look like: what there is to say when there are none, and the keyboard.

import type { Ref } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { join, parentOf } from '../../requests/paths.ts';
import { sentence, words } from '../../words/index.ts';
import { Icon } from '../icon.tsx';
import { openMenuAt } from '../menu.tsx';
import { canPreview, preview } from '../preview/preview.tsx';
import { searchable } from '../store.ts';
import { undo } from '../undo.ts';
import { download, enter, type Here, paste, remove, take } from './actions.tsx';
import { choicesFor } from './choices.ts';
import { commandOf } from './keys.ts';
import { listing } from './listing.ts';
import type { Item } from './order.ts';
import { searchFor } from './search.tsx';
import { everything, moved, NOTHING, picked, stepped, toggled, typedTo } from './selection.ts';
import { focusFilter } from './tools.tsx';
import { scrollToRow, useRange } from './window.ts';

/** What is shown in place of the entries, when there is a reason. */
export function Instead({ here }: { here: Here }) {
  const text = words.value;
  const shown = listing.shown.value;
  if (shown?.problem && !shown.items) {
    return (
      <div class="empty" role="alert">
        <Icon name="alert" />
        <p>{shown.problem.code === 'not-found' ? text.gone : sentence(shown.problem)}</p>
        <button type="button" class="button" onClick={() => void listing.refresh()}>
          {text.retry}
        </button>
      </div>
    );
  }
  if (!shown?.items) return <Skeleton />;
  if (shown.items.length > 0) {
    return (
      <div class="empty">
        <Icon name="search" />
        <p role="status">{text.nothingFound(listing.filter.value.trim())}</p>
        {searchable(here.place) && (
          <button type="button" class="button" onClick={() => searchFor(here.place, listing.filter.value)}>
            {text.searchAll(here.place.title)}
          </button>
        )}
      </div>
    );
  }
  return (
    <div class="empty">
      <Icon name={here.place.takes ? 'upload' : 'folder'} />
      {here.place.takes ? <h2>{text.emptyTitle}</h2> : null}
      <p>{here.place.takes ? text.emptyText : text.emptyReadOnly}</p>
    </div>
  );
}

function Skeleton() {
  return (
    <div class="skeleton" role="status" aria-label={words.value.loading}>
      <span />
      <span />
      <span />
      <span />
    </div>
  );
}

/** Opens a folder, shows a file, or fetches what can not be shown. */
export function open(here: Here, item: Item): void {
  if (item.kind === 'directory') enter(here, join(here.path, item.name));
  else if (canPreview(item)) preview(here, item);
  else void download(here, [item]);
}

/** Puts the keyboard where it was in the list, once that is drawn again. */
export function focusCursor(frames = 20): void {
  requestAnimationFrame(() => {
    const entry = document.querySelector<HTMLElement>('.files [data-index][tabindex="0"]');
    entry?.focus({ preventScroll: true });
    const nowhere = document.activeElement === null || document.activeElement === document.body;
    // The list may be on its way in, or lose the entry to a new one of the same place: then once more.
    if (nowhere && frames > 0) focusCursor(frames - 1);
  });
}

const TYPED_FOR_MS = 800;

export interface Browsing {
  /** Where the rows lie. */
  readonly element: Ref<HTMLDivElement>;
  /** The rows to draw: those in sight, and the one where the keyboard is. */
  readonly rows: readonly number[];
  /** The entry that Tab leads to. */
  readonly tabbable: string | undefined;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** The keyboard in a list, and what of it is drawn. */
export function useBrowsing(
  here: Here,
  entries: readonly Item[],
  columns: number,
  rowHeight: number,
): Browsing {
  const count = Math.ceil(entries.length / columns);
  const { element, range } = useRange(count, rowHeight);
  const wantsFocus = useRef(false);
  const typed = useRef({ text: '', at: 0 });
  const { cursor } = listing.selection.value;
  const at = cursor === null ? -1 : entries.findIndex(({ name }) => name === cursor);
  const tabbable = entries[Math.max(at, 0)]?.name;
  const own = Math.floor(Math.max(at, 0) / columns);
  useLayoutEffect(() => {
    if (!wantsFocus.current || at < 0) return;
    wantsFocus.current = false;
    scrollToRow(element.current, own, rowHeight);
    element.current?.querySelector<HTMLElement>(`[data-index="${at}"]`)?.focus({ preventScroll: true });
  });
  const goTo = (name: string | undefined, held: { range: boolean; add: boolean }) => {
    if (name === undefined) return;
    const selection = listing.selection.value;
    wantsFocus.current = true;
    listing.selection.value =
      held.add && !held.range ? moved(selection, name) : picked(selection, entries, name, held);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // What has keys of its own keeps them: a field, a button that is not the entry.
    const on = event.target as HTMLElement;
    if (on.closest('input') && !(on as HTMLInputElement).type.startsWith('checkbox')) return;
    const isEntry = on.hasAttribute('data-index');
    if (!isEntry && (event.key === 'Enter' || event.key === ' ')) return;
    const command = commandOf(event, { columns, rows: Math.max(Math.floor(innerHeight / rowHeight) - 3, 1) });
    if (!command) return;
    const selection = listing.selection.value;
    const chosen = listing.selected.value;
    const item = entries[at];
    event.preventDefault();
    if (command.do !== 'type') typed.current = { text: '', at: 0 };
    switch (command.do) {
      case 'step':
        return goTo(stepped(selection, entries, command.by), command);
      case 'type': {
        const now = performance.now();
        const before = now - typed.current.at < TYPED_FOR_MS ? typed.current.text : '';
        const text = before === command.letter ? before : before + command.letter;
        typed.current = { text, at: now };
        return goTo(typedTo(entries, selection.cursor, text), { range: false, add: false });
      }
      case 'open':
        if (item) open(here, item);
        return;
      case 'toggle':
        if (item) listing.selection.value = toggled(selection, item.name);
        return;
      case 'all':
        listing.selection.value = everything(selection, listing.all());
        return;
      case 'clear':
        if (selection.names.size > 0) listing.selection.value = { ...selection, names: NOTHING.names };
        else listing.filter.value = '';
        return;
      case 'delete':
        return remove(here, chosen.length > 0 ? chosen : item ? [item] : []);
      case 'rename':
        if (here.place.writable && item) listing.renaming.value = item.name;
        return;
      case 'up':
        if (here.path !== (here.place.visited ?? '')) enter(here, parentOf(here.path));
        return;
      case 'filter':
        return focusFilter();
      case 'undo':
        return undo();
      case 'cut':
      case 'copy':
        if (here.place.writable) take(here, chosen, command.do === 'cut' ? 'move' : 'copy');
        return;
      case 'paste':
        return paste(here);
    }
  };
  const rows: number[] = [];
  if (own < range.first && own < count) rows.push(own);
  for (let row = range.first; row < range.last; row++) rows.push(row);
  if (own >= range.last && own < count) rows.push(own);
  return { element, rows, tabbable, onKeyDown };
}

/** The part of an entry that has the focus: the row, or in a tile its name. */
function stopOf(element: HTMLElement): HTMLElement {
  return element.matches('[data-index]')
    ? element
    : (element.querySelector<HTMLElement>('[data-index]') ?? element);
}

/** What an entry does when it is clicked, beside its name. */
export function entryEvents(here: Here, item: Item, entries: readonly Item[]) {
  const { name } = item;
  return {
    onClick: (event: MouseEvent) => {
      const on = event.target as HTMLElement;
      if (on.closest('input, .icon-button')) return;
      const selection = listing.selection.value;
      const touched = (event as PointerEvent).pointerType === 'touch' && selection.names.size > 0;
      const held = { range: event.shiftKey, add: event.ctrlKey || event.metaKey || touched };
      if (on.closest('.entry') && !held.range && !held.add) return;
      event.preventDefault();
      listing.selection.value = picked(selection, entries, name, held);
      stopOf(event.currentTarget as HTMLElement).focus({ preventScroll: true });
    },
    onDblClick: (event: MouseEvent) => {
      if (!(event.target as HTMLElement).closest('input, .icon-button, .entry')) open(here, item);
    },
    onContextMenu: (event: MouseEvent) => {
      if ((event.target as HTMLElement).closest('input[name=rename]')) return;
      event.preventDefault();
      event.stopPropagation();
      const selection = listing.selection.value;
      if (!selection.names.has(name)) listing.selection.value = picked(selection, entries, name, {});
      const element = stopOf(event.currentTarget as HTMLElement);
      const { left, bottom } = element.getBoundingClientRect();
      // The key for menus has no point.
      const byKey = event.clientX === 0 && event.clientY === 0;
      const point = byKey ? { x: left + 40, y: bottom } : { x: event.clientX, y: event.clientY };
      openMenuAt(point, words.value.actionsFor(name), choicesFor(here, listing.selected.value), element);
    },
    onFocusIn: (event: FocusEvent) => {
      if (
        !(event.target as HTMLElement).hasAttribute('data-index') ||
        listing.selection.value.cursor === name
      )
        return;
      listing.selection.value = moved(listing.selection.value, name);
    },
  };
}
