import { join } from '../../requests/paths.ts';
import { date, fullDate, size, words } from '../../words/index.ts';
import { Icon, iconOf } from '../icon.tsx';
import { Menu } from '../menu.tsx';
import { byFinger, narrow } from '../narrow.ts';
import type { Here } from './actions.tsx';
import { entryEvents, useBrowsing } from './browse.tsx';
import { Check } from './check.tsx';
import { choicesFor } from './choices.ts';
import { beginDrag, dropsInto, endDrag, target } from './drag.ts';
import { Label } from './label.tsx';
import { listing } from './listing.ts';
import type { Column, Item } from './order.ts';
import { everything, NOTHING } from './selection.ts';

/** As in files.css. */
const ROW = { wide: 46, narrow: 58 };

/** The entries as a list with columns. */
export function Rows({ here, label }: { here: Here; label: string }) {
  const text = words.value;
  const entries = listing.entries.value;
  const height = narrow.value ? ROW.narrow : ROW.wide;
  const { element, rows, tabbable, onKeyDown } = useBrowsing(here, entries, 1, height);
  const { names } = listing.selection.value;
  const all = listing.selected.value.length === entries.length;
  return (
    <div
      class="files list"
      role="grid"
      aria-label={label}
      aria-multiselectable
      aria-rowcount={entries.length + 1}
      aria-busy={!listing.shown.value?.complete}
      onKeyDown={onKeyDown}
    >
      <div role="row" class="head" aria-rowindex={1}>
        <span role="columnheader" class="check">
          <input
            type="checkbox"
            aria-label={text.selectAll}
            checked={all}
            ref={(box) => {
              if (box) box.indeterminate = !all && names.size > 0;
            }}
            onChange={() => {
              listing.selection.value = all ? NOTHING : everything(listing.selection.value, listing.all());
            }}
          />
        </span>
        <Heading column="name" label={text.name} />
        <Heading column="size" label={text.size} />
        <Heading column="modified" label={text.modified} />
        <span role="columnheader" class="row-menu">
          <span class="hidden">{text.more}</span>
        </span>
      </div>
      <div role="rowgroup" class="rows" ref={element} style={{ height: `${entries.length * height}px` }}>
        {rows.map((index) => {
          const item = entries[index];
          return (
            item && (
              <Row
                key={item.name}
                here={here}
                item={item}
                index={index}
                top={index * height}
                entries={entries}
                selected={names.has(item.name)}
                tabbable={item.name === tabbable}
              />
            )
          );
        })}
      </div>
    </div>
  );
}

function Heading({ column, label }: { column: Column; label: string }) {
  const { column: current, descending } = listing.order.value;
  const isCurrent = column === current;
  return (
    <span
      role="columnheader"
      class={column}
      aria-sort={isCurrent ? (descending ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" aria-label={words.value.sortBy(label)} onClick={() => listing.sortBy(column)}>
        {label}
        {isCurrent && <Icon name={descending ? 'down' : 'up'} />}
      </button>
    </span>
  );
}

interface RowOf {
  readonly here: Here;
  readonly item: Item;
  readonly index: number;
  readonly top: number;
  readonly entries: readonly Item[];
  readonly selected: boolean;
  readonly tabbable: boolean;
}

function Row({ here, item, index, top, entries, selected, tabbable }: RowOf) {
  const text = words.value;
  const { name, kind, modified } = item;
  const isFolder = kind === 'directory';
  const path = join(here.path, name);
  const measure = isFolder ? text.folder : size(item.size ?? 0);
  const when = modified ? date(modified) : '';
  const tabIndex = tabbable ? 0 : -1;
  const lands = isFolder && target.value === path;
  return (
    <div
      role="row"
      class={`row ${selected ? 'selected' : ''} ${lands ? 'lands' : ''}`}
      style={{ top: `${top}px` }}
      aria-rowindex={index + 2}
      aria-selected={selected}
      data-index={index}
      tabIndex={tabIndex}
      draggable={!byFinger && listing.renaming.value !== name}
      onDragStart={(event) => beginDrag(here, name, event)}
      onDragEnd={endDrag}
      {...entryEvents(here, item, entries)}
      {...(isFolder ? dropsInto(here, path) : {})}
    >
      <span role="gridcell" class="check">
        <Check name={name} selected={selected} tabIndex={tabIndex} />
      </span>
      <span role="rowheader" class="name">
        <Label here={here} item={item} tabIndex={tabIndex}>
          <Icon name={iconOf(name, kind)} class={kind} />
          {listing.renaming.value !== name && (
            <span class="entry-name">
              <span dir="auto">{name}</span>
              <small class="only-narrow">{[isFolder ? '' : measure, when].filter(Boolean).join(' · ')}</small>
            </span>
          )}
        </Label>
      </span>
      <span role="gridcell" class="size">
        {isFolder ? '' : measure}
      </span>
      <span role="gridcell" class="modified" title={modified ? fullDate(modified) : undefined}>
        {when}
      </span>
      <span role="gridcell" class="row-menu">
        <Menu
          label={text.actionsFor(name)}
          icon="more"
          tabIndex={tabIndex}
          choices={() => choicesFor(here, [item])}
        />
      </span>
    </div>
  );
}
