// A file shown over the page: pictures, sounds, films, texts. Their bytes come from a disk pod, whose own policy keeps
// whatever is in them from running; here they are only ever a picture, a track, or letters.

import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { join } from '../../requests/paths.ts';
import type { Entry } from '../../requests/types.ts';
import { date, size, words } from '../../words/index.ts';
import { download, type Here } from '../files/actions.tsx';
import { listing } from '../files/listing.ts';
import { Icon } from '../icon.tsx';
import { attempt, disk } from '../store.ts';
import { Content } from './content.tsx';
import { kindOf } from './kinds.ts';

interface Shown {
  readonly here: Here;
  readonly entry: Entry;
  /** Those that one comes to with the arrows. */
  readonly among: readonly Entry[];
}

const shown = signal<Shown | null>(null);

export const canPreview = (entry: Entry): boolean => kindOf(entry) !== undefined;

/** Shows a file. A document is shown by the browser itself, in a tab of its own. */
export function preview(here: Here, entry: Entry, among: readonly Entry[] = listing.entries.peek()): void {
  if (kindOf(entry) === 'document') return inTab(here, entry);
  const others = among.filter((one) => canPreview(one) && kindOf(one) !== 'document');
  shown.value = { here, entry, among: others };
}

function inTab(here: Here, { name }: Entry): void {
  // At once, or the browser takes it for an advertisement; where it leads is known a moment later.
  const tab = window.open('', '_blank');
  void attempt(async () => {
    const url = await disk.downloadUrl(here.place.space, join(here.path, name), {
      inline: true,
      at: here.place.at,
    });
    if (!tab) return;
    tab.opener = null;
    tab.location.replace(url);
  }).then((worked) => {
    if (!worked) tab?.close();
  });
}

function close(): void {
  shown.value = null;
}

/** Where it appears. The browser's own element keeps the focus inside and gives it back. */
export function PreviewHost() {
  const now = shown.value;
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (now && !element.current?.open) element.current?.showModal();
    if (!now && element.current?.open) element.current.close();
  }, [now]);
  useEffect(() => {
    addEventListener('hashchange', close);
    return () => removeEventListener('hashchange', close);
  }, []);
  return (
    <dialog
      ref={element}
      class="preview"
      aria-label={now?.entry.name}
      onClose={close}
      onKeyDown={(event) => now && byKey(event, now)}
    >
      {now && <Frame now={now} />}
    </dialog>
  );
}

function step({ here, entry, among }: Shown, by: number): void {
  const at = among.findIndex(({ name }) => name === entry.name);
  const next = among[(at + by + among.length) % among.length];
  if (!next) return;
  shown.value = { here, entry: next, among };
  // Whoever closes it is where they are, not where they began.
  listing.selection.value = { names: new Set([next.name]), cursor: next.name, anchor: next.name };
}

function byKey(event: KeyboardEvent, now: Shown): void {
  const on = event.target as HTMLElement;
  // In a film or a sound the arrows go back and forth in time, in a long text they scroll.
  if (on.closest('video, audio, pre')) return;
  if (event.key === 'ArrowRight') step(now, 1);
  if (event.key === 'ArrowLeft') step(now, -1);
}

function Frame({ now }: { now: Shown }) {
  const text = words.value;
  const { here, entry, among } = now;
  const at = among.findIndex(({ name }) => name === entry.name);
  const facts = [
    size(entry.size ?? 0),
    entry.modified ? date(entry.modified) : '',
    among.length > 1 ? text.position(at + 1, among.length) : '',
  ];
  const path = join(here.path, entry.name);
  return (
    <>
      <header>
        <div class="preview-title">
          <h2 dir="auto">{entry.name}</h2>
          <small>{facts.filter(Boolean).join(' · ')}</small>
        </div>
        <button type="button" class="button small" onClick={() => void download(here, [entry])}>
          <Icon name="download" />
          <span>{text.download}</span>
        </button>
        <button type="button" class="icon-button" aria-label={text.close} title={text.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="preview-body">
        {among.length > 1 && <Arrow icon="back" label={text.previous} act={() => step(now, -1)} />}
        <Content
          key={`${path} ${entry.etag}`}
          space={here.place.space}
          path={path}
          at={here.place.at}
          entry={entry}
        />
        {among.length > 1 && <Arrow icon="chevron" label={text.next} act={() => step(now, 1)} />}
      </div>
    </>
  );
}

function Arrow({ icon, label, act }: { icon: 'back' | 'chevron'; label: string; act: () => void }) {
  return (
    <button type="button" class={`icon-button arrow ${icon}`} aria-label={label} title={label} onClick={act}>
      <Icon name={icon} />
    </button>
  );
}
