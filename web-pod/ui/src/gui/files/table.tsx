import { useEffect, useState } from 'preact/hooks';
import { join } from '../../requests/paths.ts';
import type { Entry } from '../../requests/types.ts';
import { date, fullDate, sentence, size, words } from '../../words/index.ts';
import { Icon, iconOf } from '../icon.tsx';
import { type Choice, Menu } from '../menu.tsx';
import { format } from '../route.ts';
import { canShow, download, type Here, remove, rename, show, transferTo } from './actions.tsx';
import { listing } from './listing.ts';
import type { Column } from './order.ts';

/** So many rows are drawn at first, and so many more each time: a directory may have thousands. */
const ROWS = 300;

export function Table({ here }: { here: Here }) {
  const text = words.value;
  const shown = listing.shown.value;
  const entries = listing.entries.value;
  const [rows, setRows] = useState(ROWS);
  useEffect(() => setRows(ROWS), [shown?.space, shown?.path]);
  if (shown?.problem && !shown.entries) {
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
  if (!shown?.entries) return <Skeleton />;
  if (entries.length === 0) {
    return (
      <div class="empty">
        <Icon name={here.place.writable ? 'upload' : 'folder'} />
        {here.place.writable ? <h2>{text.emptyTitle}</h2> : null}
        <p>{here.place.writable ? text.emptyText : text.emptyReadOnly}</p>
      </div>
    );
  }
  const all = listing.selected.value.size === entries.length;
  return (
    <>
      <table class="files">
        <thead>
          <tr>
            <th class="check">
              <input
                type="checkbox"
                aria-label={text.selectAll}
                checked={all}
                onChange={() => listing.selectAll(!all)}
              />
            </th>
            <Heading column="name" label={text.name} />
            <Heading column="size" label={text.size} />
            <Heading column="modified" label={text.modified} />
            <th class="row-menu">
              <span class="hidden">{text.more}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.slice(0, rows).map((entry) => (
            <Row
              key={entry.name}
              here={here}
              entry={entry}
              selected={listing.selected.value.has(entry.name)}
            />
          ))}
        </tbody>
      </table>
      <p class="quiet small below">
        {text.items(entries.length)}
        {entries.length > rows && (
          <button type="button" class="button" onClick={() => setRows(rows + 5 * ROWS)}>
            {text.showMore(Math.min(entries.length - rows, 5 * ROWS))}
          </button>
        )}
      </p>
    </>
  );
}

function Heading({ column, label }: { column: Column; label: string }) {
  const { column: current, descending } = listing.order.value;
  const isCurrent = column === current;
  return (
    <th class={column} aria-sort={isCurrent ? (descending ? 'descending' : 'ascending') : 'none'}>
      <button type="button" aria-label={words.value.sortBy(label)} onClick={() => listing.sortBy(column)}>
        {label}
        {isCurrent && <Icon name={descending ? 'down' : 'up'} />}
      </button>
    </th>
  );
}

function Row({ here, entry, selected }: { here: Here; entry: Entry; selected: boolean }) {
  const text = words.value;
  const { name, kind, modified } = entry;
  const isFolder = kind === 'directory';
  const group = here.place.group?.name ?? null;
  const measure = isFolder ? text.folder : size(entry.size ?? 0);
  const when = modified ? date(modified) : '';
  const label = (
    <>
      <Icon name={iconOf(name, kind)} class={kind} />
      <span class="entry-name">
        <span>{name}</span>
        <small class="only-narrow">{[isFolder ? '' : measure, when].filter(Boolean).join(' · ')}</small>
      </span>
    </>
  );
  return (
    <tr class={selected ? 'selected' : ''}>
      <td class="check">
        <input
          type="checkbox"
          aria-label={text.select(name)}
          checked={selected}
          onChange={(event) => listing.select(name, event.currentTarget.checked)}
        />
      </td>
      <th scope="row" class="name">
        {isFolder ? (
          <a class="entry" href={format({ at: 'files', group, path: join(here.path, name) })}>
            {label}
          </a>
        ) : (
          <button
            type="button"
            class="entry"
            title={text.download}
            onClick={() => void download(here, [entry])}
          >
            {label}
          </button>
        )}
      </th>
      <td class="size">{isFolder ? '' : measure}</td>
      <td class="modified" title={modified ? fullDate(modified) : undefined}>
        {when}
      </td>
      <td class="row-menu">
        <Menu label={text.actionsFor(name)} icon="more" choices={choices(here, entry)} />
      </td>
    </tr>
  );
}

function choices(here: Here, entry: Entry): Choice[] {
  const text = words.value;
  const one = [entry];
  const read: Choice[] =
    entry.kind === 'file'
      ? [{ label: text.download, icon: 'download', act: () => void download(here, one) }]
      : [];
  if (canShow(entry)) read.unshift({ label: text.open, icon: 'eye', act: () => show(here, entry) });
  if (!here.place.writable) return read;
  return [
    ...read,
    { label: text.rename, icon: 'edit', act: () => rename(here, entry) },
    { label: text.move, icon: 'move', act: () => transferTo(here, one, 'move') },
    { label: text.copy, icon: 'copy', act: () => transferTo(here, one, 'copy') },
    { label: text.remove, icon: 'trash', danger: true, act: () => remove(here, one) },
  ];
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
