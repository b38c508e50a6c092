// The line above the entries: what is found by typing, how they lie, and what can be done with those selected.

import { useEffect, useRef } from 'preact/hooks';
import { words } from '../../words/index.ts';
import { Icon, type IconName } from '../icon.tsx';
import { Menu } from '../menu.tsx';
import { searchable } from '../store.ts';
import { download, type Here, remove, transferTo } from './actions.tsx';
import { bringBackFrom } from './bring-back.ts';
import { listing, type View } from './listing.ts';
import type { Column } from './order.ts';
import { searchFor } from './search.tsx';
import { NOTHING } from './selection.ts';

let filterField: HTMLInputElement | null = null;

export function focusFilter(): void {
  filterField?.focus();
}

export function Tools({ here }: { here: Here }) {
  const some = listing.selection.value.names.size > 0;
  return (
    <div class={`tools ${some ? 'selecting' : ''}`}>
      {some ? <Selection here={here} /> : <Count />}
      <Filter here={here} />
      <Sort />
      <Views />
    </div>
  );
}

function Count() {
  const text = words.value;
  const shown = listing.shown.value;
  const count = listing.entries.value.length;
  return (
    <p class="quiet small count" aria-live="polite">
      {shown?.items && (shown.complete ? text.items(count) : text.itemsSoFar(count))}
    </p>
  );
}

function Filter({ here }: { here: Here }) {
  const text = words.value;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    filterField = field.current;
    return () => {
      filterField = null;
    };
  });
  return (
    <label class="filter">
      <Icon name="filter" />
      <span class="hidden">{text.filter}</span>
      <input
        ref={field}
        type="search"
        placeholder={text.filter}
        value={listing.filter.value}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => {
          listing.filter.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') listing.filter.value = '';
          if (event.key === 'Enter' && !event.isComposing && searchable(here.place))
            searchFor(here.place, listing.filter.value);
          if (event.key === 'ArrowDown') {
            event.preventDefault();
            document.querySelector<HTMLElement>('.files [data-index][tabindex="0"]')?.focus();
          }
        }}
      />
    </label>
  );
}

/** The columns have headings only where there is room for them. */
function Sort() {
  const text = words.value;
  const { column, descending } = listing.order.value;
  const names: Record<Column, string> = { name: text.name, size: text.size, modified: text.modified };
  const choices = () =>
    (Object.keys(names) as Column[]).map((one) => ({
      label: text.sortBy(names[one]),
      icon: (one === column ? (descending ? 'down' : 'up') : 'sort') as IconName,
      act: () => listing.sortBy(one),
    }));
  return (
    <span class={`sort ${listing.view.value === 'list' ? 'only-narrow' : ''}`}>
      <Menu label={text.sort} icon="sort" choices={choices} />
    </span>
  );
}

function Views() {
  const text = words.value;
  const one = (view: View, icon: IconName, label: string) => (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={listing.view.value === view}
      onClick={() => listing.look(view)}
    >
      <Icon name={icon} />
    </button>
  );
  return (
    <span class="views" role="group" aria-label={text.view}>
      {one('list', 'list', text.asList)}
      {one('grid', 'grid', text.asGrid)}
    </span>
  );
}

function Selection({ here }: { here: Here }) {
  const text = words.value;
  const entries = listing.selected.value;
  const { writable, at, mayBring } = here.place;
  const act = (label: string, icon: IconName, then: () => void) => (
    <button type="button" class="button quiet-button small" title={label} aria-label={label} onClick={then}>
      <Icon name={icon} />
      <span>{label}</span>
    </button>
  );
  return (
    <div class="selection" role="toolbar" aria-label={text.selected(entries.length)}>
      <button
        type="button"
        class="icon-button"
        aria-label={text.clearSelection}
        title={text.clearSelection}
        onClick={() => {
          listing.selection.value = NOTHING;
        }}
      >
        <Icon name="close" />
      </button>
      <strong aria-live="polite">{text.selected(entries.length)}</strong>
      {act(text.download, 'download', () => void download(here, entries))}
      {at !== null && mayBring && act(text.bringBack, 'retry', () => void bringBackFrom(here, entries))}
      {writable && act(text.move, 'move', () => transferTo(here, entries, 'move'))}
      {writable && act(text.copy, 'copy', () => transferTo(here, entries, 'copy'))}
      {writable && act(text.remove, 'trash', () => remove(here, entries))}
    </div>
  );
}
