// What a file held before.

import { useEffect, useId, useState } from 'preact/hooks';
import { join } from '../../requests/paths.ts';
import { Problem } from '../../requests/problem.ts';
import type { Entry, Version, Versions } from '../../requests/types.ts';
import { date, fullDate, sentence, size, words } from '../../words/index.ts';
import { openDialog } from '../dialog.tsx';
import { Icon } from '../icon.tsx';
import { attempt, disk } from '../store.ts';
import { done } from '../undo.ts';
import { fetchFrom, type Here } from './actions.tsx';
import { listing } from './listing.ts';

export function showVersions(here: Here, entry: Entry): void {
  openDialog((close) => <VersionList here={here} entry={entry} close={close} />);
}

function VersionList({ here, entry, close }: { here: Here; entry: Entry; close: () => void }) {
  const text = words.value;
  const id = useId();
  const path = join(here.path, entry.name);
  const { space } = here.place;
  const [known, setKnown] = useState<Versions>();
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    disk
      .versions(space, path)
      .then(setKnown, (error) =>
        setProblem(error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' })),
      );
  }, [space, path]);
  const bring = async (version: number, back: number) => {
    const worked = await attempt(async () => {
      await take(version);
      done(text.broughtBack(entry.name), () => take(back));
    });
    if (worked) close();
  };
  const take = async (version: number) => {
    await disk.operate(space, { op: 'restore-version', path, version });
    await listing.refresh();
  };
  const save = (version?: number) =>
    attempt(async () =>
      fetchFrom(await disk.downloadUrl(space, path, version === undefined ? {} : { version }), entry.name),
    );
  return (
    <section class="form" aria-labelledby={id}>
      <header>
        <h2 id={id}>{text.versionsOf(entry.name)}</h2>
        <button type="button" class="icon-button" aria-label={text.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {problem && (
        <p class="form-problem" role="alert">
          {sentence(problem)}
        </p>
      )}
      {!known && !problem && <p role="status">{text.loading}</p>}
      {known && (
        <ol class="versions">
          <Line version={known.current} tag={text.current} save={() => save()} />
          {known.versions.map((version) => (
            <Line
              key={version.version}
              version={version}
              save={() => save(version.version)}
              {...(here.place.writable ? { bring: () => bring(version.version, known.current.version) } : {})}
            />
          ))}
        </ol>
      )}
      {known?.versions.length === 0 && <p class="quiet">{text.noVersions}</p>}
    </section>
  );
}

function Line(props: { version: Version; tag?: string; save: () => unknown; bring?: () => unknown }) {
  const text = words.value;
  const { modified = '', size: bytes } = props.version;
  const when = fullDate(modified);
  return (
    <li>
      <span class="plain-text">
        <time class="version-date" title={when}>
          {date(modified)}
        </time>
        <small>{size(bytes)}</small>
      </span>
      {props.tag && <span class="tag">{props.tag}</span>}
      <button
        type="button"
        class="icon-button"
        aria-label={`${text.download}: ${when}`}
        title={text.download}
        onClick={props.save}
      >
        <Icon name="download" />
      </button>
      {props.bring && (
        <button
          type="button"
          class="button small"
          aria-label={`${text.bringBack}: ${when}`}
          onClick={props.bring}
        >
          {text.bringBack}
        </button>
      )}
    </li>
  );
}
