import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { join } from '../../requests/paths.ts';
import { date, size, words } from '../../words/index.ts';
import { Icon, iconOf } from '../icon.tsx';
import { Menu } from '../menu.tsx';
import { byFinger } from '../narrow.ts';
import type { Here } from './actions.tsx';
import { entryEvents, useBrowsing } from './browse.tsx';
import { Check } from './check.tsx';
import { choicesFor } from './choices.ts';
import { beginDrag, dropsInto, endDrag, target } from './drag.ts';
import { Label } from './label.tsx';
import { listing } from './listing.ts';
import type { Item } from './order.ts';
import { hasThumb, thumbs } from './thumbs.ts';

/** As in files.css: a tile with the gap below it, and the least width of one. */
const HEIGHT = 196;
const WIDTH = 150;

/** The entries as tiles, with pictures of what is in them. */
export function Tiles({ here, label }: { here: Here; label: string }) {
  const entries = listing.entries.value;
  const outer = useRef<HTMLDivElement>(null);
  const [columns, setColumns] = useState(4);
  useLayoutEffect(() => {
    const element = outer.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setColumns(Math.max(Math.floor(element.clientWidth / WIDTH), 1)));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const { element, rows, tabbable, onKeyDown } = useBrowsing(here, entries, columns, HEIGHT);
  const { names } = listing.selection.value;
  const count = Math.ceil(entries.length / columns);
  return (
    <div
      class="files tiles"
      role="grid"
      aria-label={label}
      aria-multiselectable
      aria-rowcount={count}
      aria-busy={!listing.shown.value?.complete}
      ref={outer}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" class="rows" ref={element} style={{ height: `${count * HEIGHT}px` }}>
        {rows.map((row) => (
          <div
            key={row}
            role="row"
            class="tile-row"
            aria-rowindex={row + 1}
            style={{ top: `${row * HEIGHT}px`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
          >
            {entries.slice(row * columns, (row + 1) * columns).map((item, column) => (
              <Tile
                key={item.name}
                here={here}
                item={item}
                index={row * columns + column}
                entries={entries}
                selected={names.has(item.name)}
                tabbable={item.name === tabbable}
              />
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

interface TileOf {
  readonly here: Here;
  readonly item: Item;
  readonly index: number;
  readonly entries: readonly Item[];
  readonly selected: boolean;
  readonly tabbable: boolean;
}

function Tile({ here, item, index, entries, selected, tabbable }: TileOf) {
  const text = words.value;
  const { name, kind, modified } = item;
  const isFolder = kind === 'directory';
  const path = join(here.path, name);
  const tabIndex = tabbable ? 0 : -1;
  const lands = isFolder && target.value === path;
  const facts = [isFolder ? '' : size(item.size ?? 0), modified ? date(modified) : ''];
  return (
    <div
      role="gridcell"
      class={`tile ${selected ? 'selected' : ''} ${lands ? 'lands' : ''}`}
      aria-selected={selected}
      draggable={!byFinger && listing.renaming.value !== name}
      onDragStart={(event) => beginDrag(here, name, event)}
      onDragEnd={endDrag}
      {...entryEvents(here, item, entries)}
      {...(isFolder ? dropsInto(here, path) : {})}
    >
      <Label here={here} item={item} tabIndex={tabIndex} index={index}>
        <span class="tile-picture">
          <Picture here={here} item={item} path={path} />
        </span>
        {listing.renaming.value !== name && (
          <span class="entry-name">
            <span dir="auto">{name}</span>
            <small>{facts.filter(Boolean).join(' · ') || text.folder}</small>
          </span>
        )}
      </Label>
      <Check name={name} selected={selected} tabIndex={tabIndex} />
      <Menu
        label={text.actionsFor(name)}
        icon="more"
        tabIndex={tabIndex}
        choices={() => choicesFor(here, [item])}
      />
    </div>
  );
}

function Picture({ here, item, path }: { here: Here; item: Item; path: string }) {
  const { space, at } = here.place;
  const [url, setUrl] = useState<string>();
  useLayoutEffect(() => {
    if (!hasThumb(item)) return;
    return thumbs.want({ space, path, at }, item.etag, setUrl);
  }, [space, path, at, item]);
  if (url) return <img src={url} alt="" draggable={false} />;
  return <Icon name={iconOf(item.name, item.kind)} class={item.kind} />;
}
