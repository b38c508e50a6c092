// What was deleted from a disk: it comes back from here, or goes for good.

import { useCallback, useEffect, useState } from 'preact/hooks';
import { freeName, join, nameOf, parentOf } from '../../requests/paths.ts';
import { Problem } from '../../requests/problem.ts';
import type { TrashItem } from '../../requests/types.ts';
import { date, fullDate, sentence, size, words } from '../../words/index.ts';
import { confirm } from '../dialog.tsx';
import { Icon, iconOf } from '../icon.tsx';
import { format } from '../route.ts';
import { attempt, disk, type Place, usageSoon } from '../store.ts';
import { toast } from '../toasts.tsx';
import { done } from '../undo.ts';

export function TrashPage({ place }: { place: Place }) {
  const text = words.value;
  const { space } = place;
  const [items, setItems] = useState<readonly TrashItem[]>();
  const [next, setNext] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const look = useCallback(
    async (after?: string) => {
      try {
        const page = await disk.trash(space, after);
        setItems((before) => (after === undefined ? page.items : [...(before ?? []), ...page.items]));
        setNext(page.next);
        setProblem(undefined);
      } catch (error) {
        setProblem(error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' }));
      }
    },
    [space],
  );
  useEffect(() => {
    setItems(undefined);
    void look();
  }, [look]);
  const changed = async () => {
    usageSoon(space, 200);
    await look();
  };
  const empty = () =>
    confirm({ title: text.emptyTrashTitle, text: text.purgeText, yes: text.emptyTrash }, async () => {
      await disk.operate(space, { op: 'purge', everything: true });
      await changed();
    });
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{text.trashOf(place.title)}</h1>
          <p class="quiet">{text.trashText}</p>
        </div>
        <div class="actions">
          <a class="button" href={format({ at: 'files', group: place.group?.name ?? null, path: '' })}>
            <Icon name="folder" />
            <span>{text.toFiles}</span>
          </a>
          {place.writable && items && items.length > 0 && (
            <button type="button" class="button" onClick={empty}>
              <Icon name="trash" />
              <span>{text.emptyTrash}</span>
            </button>
          )}
        </div>
      </header>
      {problem && (
        <p class="warning" role="alert">
          {sentence(problem)}
        </p>
      )}
      {!items && !problem && <p role="status">{text.loading}</p>}
      {items?.length === 0 && (
        <div class="empty">
          <Icon name="trash" />
          <p>{text.trashEmpty}</p>
        </div>
      )}
      <ul class="plain-list">
        {items?.map((item) => (
          <Item key={item.id} place={place} item={item} changed={changed} />
        ))}
      </ul>
      {next !== undefined && (
        <button type="button" class="button" onClick={() => void look(next)}>
          {text.showMore}
        </button>
      )}
    </div>
  );
}

function Item({ place, item, changed }: { place: Place; item: TrashItem; changed: () => Promise<void> }) {
  const text = words.value;
  const { name, kind, path, deleted = '' } = item;
  const facts = [size(item.size), kind === 'directory' ? text.items(Math.max(item.nodes - 1, 0)) : ''];
  const purge = () =>
    confirm({ title: text.purgeOne(name), text: text.purgeText, yes: text.purge }, async () => {
      await disk.operate(place.space, { op: 'purge', item: item.id });
      await changed();
    });
  return (
    <li>
      <Icon name={iconOf(name, kind)} class={kind} />
      <span class="plain-text">
        <span class="plain-name" dir="auto">
          {name}
        </span>
        <small>
          {text.wasIn(parentOf(path) || place.title)}
          {deleted && ' · '}
          <time title={fullDate(deleted)}>{date(deleted)}</time>
        </small>
      </span>
      <span class="plain-facts quiet small">{facts.filter(Boolean).join(' · ')}</span>
      {place.writable && (
        <span class="plain-tools">
          <button
            type="button"
            class="button small"
            aria-label={`${text.restore}: ${name}`}
            onClick={() => void restore(place, item).then(changed)}
          >
            {text.restore}
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label={`${text.purge}: ${name}`}
            title={text.purge}
            onClick={purge}
          >
            <Icon name="trash" />
          </button>
        </span>
      )}
    </li>
  );
}

/** Brings something back to where it was; beside what has its name by now. */
function restore({ space }: Place, { id, name, path }: TrashItem): Promise<boolean> {
  const text = words.value;
  const again = (to: string) => disk.operate(space, { op: 'delete', path: to });
  return attempt(async () => {
    try {
      await disk.operate(space, { op: 'restore', item: id });
      done(text.restored(name), () => again(path));
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'exists') throw error;
      const there = new Set((await disk.list(space, parentOf(path))).map((entry) => entry.name));
      const to = join(
        parentOf(path),
        freeName(name, (one) => there.has(one)),
      );
      await disk.operate(space, { op: 'restore', item: id, to });
      toast(text.restoredAs(name, nameOf(to)));
    }
  });
}
