// Files and folders of a whole disk by their names.

import { useEffect, useState } from 'preact/hooks';
import { parentOf } from '../../requests/paths.ts';
import { Problem } from '../../requests/problem.ts';
import type { Found } from '../../requests/types.ts';
import { date, sentence, size, words } from '../../words/index.ts';
import { Icon, iconOf } from '../icon.tsx';
import { canPreview, preview } from '../preview/preview.tsx';
import { format, go } from '../route.ts';
import { disk, type Place } from '../store.ts';
import { download, enter } from './actions.tsx';
import { isFindersOwn } from './order.ts';

export function searchFor(place: Place, text: string): void {
  const wanted = text.trim();
  if (wanted) go({ at: 'search', group: place.group?.name ?? null, text: wanted });
}

/** So many are shown before one asks for more. */
const ENOUGH = 100;

export function SearchPage({ place, wanted }: { place: Place; wanted: string }) {
  const text = words.value;
  const [found, setFound] = useState<readonly Found[]>([]);
  const [next, setNext] = useState<string>();
  const [busy, setBusy] = useState(true);
  const [problem, setProblem] = useState<Problem>();
  const [from, setFrom] = useState<string>();
  useEffect(() => {
    setFound([]);
    setFrom(undefined);
  }, [place.space, wanted]);
  useEffect(() => {
    let still = true;
    setBusy(true);
    setProblem(undefined);
    const look = async () => {
      let after = from;
      let count = 0;
      do {
        const page = await disk.search(place.space, wanted, after);
        if (!still) return;
        const entries = page.entries.filter((entry) => !isFindersOwn(entry));
        count += entries.length;
        after = page.next;
        setFound((before) => (from === undefined && count === entries.length ? [] : before).concat(entries));
      } while (after !== undefined && count < ENOUGH);
      setNext(after);
      setBusy(false);
    };
    look().catch((error) => {
      if (!still) return;
      setProblem(error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' }));
      setBusy(false);
    });
    return () => {
      still = false;
    };
  }, [place.space, wanted, from]);
  const group = place.group?.name ?? null;
  return (
    <div class="page">
      <header class="page-head">
        <h1>{text.searchTitle(place.title)}</h1>
        <a class="button" href={format({ at: 'files', group, path: '' })}>
          <Icon name="folder" />
          <span>{text.toFiles}</span>
        </a>
      </header>
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          searchFor(place, String(new FormData(event.currentTarget).get('text')));
        }}
      >
        <label class="filter wide">
          <Icon name="search" />
          <span class="hidden">{text.search}</span>
          <input
            key={wanted}
            name="text"
            type="search"
            defaultValue={wanted}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
      </form>
      <p class="quiet small" role="status">
        {problem ? sentence(problem) : busy ? text.searching : text.found(found.length, next !== undefined)}
      </p>
      <ul class="plain-list">
        {found.map((one) => (
          <Result key={one.path} place={place} found={one} />
        ))}
      </ul>
      {next !== undefined && !busy && (
        <button type="button" class="button" onClick={() => setFrom(next)}>
          {text.showMore}
        </button>
      )}
    </div>
  );
}

function Result({ place, found }: { place: Place; found: Found }) {
  const text = words.value;
  const { name, kind, path } = found;
  const folder = parentOf(path);
  const here = { place, path: folder };
  const group = place.group?.name ?? null;
  const open = () => {
    if (kind === 'directory') enter(here, path);
    else if (canPreview(found)) preview(here, found, [found]);
    else void download(here, [found]);
  };
  return (
    <li>
      <Icon name={iconOf(name, kind)} class={kind} />
      <span class="plain-text">
        <button type="button" class="plain-name" dir="auto" onClick={open}>
          {name}
        </button>
        <small>
          {text.inFolder} <a href={format({ at: 'files', group, path: folder })}>{folder || place.title}</a>
        </small>
      </span>
      <span class="plain-facts quiet small">
        {[kind === 'file' ? size(found.size ?? 0) : '', found.modified ? date(found.modified) : '']
          .filter(Boolean)
          .join(' · ')}
      </span>
      <button
        type="button"
        class="icon-button"
        aria-label={`${kind === 'directory' ? text.downloadZip : text.download}: ${name}`}
        title={text.download}
        onClick={() => void download(here, [found])}
      >
        <Icon name="download" />
      </button>
    </li>
  );
}
