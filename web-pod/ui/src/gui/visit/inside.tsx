// What a link leads to, once it is open: a file, a folder, or a box into which one can only put something.

import { useEffect } from 'preact/hooks';
import { nameOf, parentOf } from '../../requests/paths.ts';
import type { Entry, LinkOpened } from '../../requests/types.ts';
import { date, size, words } from '../../words/index.ts';
import { download, type Here } from '../files/actions.tsx';
import { Actions, DropTarget } from '../files/adding.tsx';
import { Crumbs } from '../files/crumbs.tsx';
import { listing } from '../files/listing.ts';
import { Entries } from '../files/page.tsx';
import { Tools } from '../files/tools.tsx';
import { Icon, iconOf } from '../icon.tsx';
import { Content } from '../preview/content.tsx';
import { kindOf } from '../preview/kinds.ts';
import { preview } from '../preview/preview.tsx';
import { format, route } from '../route.ts';
import type { Place } from '../store.ts';
import { lookAgain } from './visit.ts';

function placeOf({ space, path, access, name = '' }: LinkOpened): Place {
  const takes = access !== 'Read';
  return {
    space,
    title: name,
    writable: false,
    takes,
    limit: 0,
    group: null,
    visited: path,
    at: null,
    mayBring: false,
  };
}

export function Inside({ opened }: { opened: LinkOpened }) {
  const place = placeOf(opened);
  if (!opened.directory) return <TheFile opened={opened} place={place} />;
  if (opened.access === 'Upload') return <Box opened={opened} place={place} />;
  return <Folder opened={opened} place={place} />;
}

interface Opened {
  readonly opened: LinkOpened;
  readonly place: Place;
}

function Ends({ opened: { expires } }: { opened: LinkOpened }) {
  return expires ? <p class="quiet small">{words.value.link.endsLine(date(expires))}</p> : null;
}

function TheFile({ opened, place }: Opened) {
  const text = words.value;
  const name = nameOf(opened.path);
  const entry: Entry = { name, kind: 'file', size: opened.size ?? 0, etag: '' };
  const here: Here = { place, path: parentOf(opened.path) };
  const kind = kindOf(entry);
  return (
    <div class="page visit-file">
      <header class="page-head">
        <div class="visit-name">
          <Icon name={iconOf(name, 'file')} />
          <div>
            <h1 dir="auto">{name}</h1>
            <p class="quiet">{size(opened.size ?? 0)}</p>
          </div>
        </div>
        <div class="actions">
          {kind === 'document' && (
            <button type="button" class="button" onClick={() => preview(here, entry)}>
              <Icon name="eye" />
              <span>{text.open}</span>
            </button>
          )}
          <button type="button" class="button primary" onClick={() => void download(here, [entry])}>
            <Icon name="download" />
            <span>{text.download}</span>
          </button>
        </div>
      </header>
      <Ends opened={opened} />
      {kind !== undefined && kind !== 'document' && (
        <div class="preview-body">
          <Content space={opened.space} path={opened.path} at={null} entry={entry} />
        </div>
      )}
    </div>
  );
}

function Folder({ opened, place }: Opened) {
  const at = route.value;
  const root = opened.path;
  const asked = at.at === 'files' ? at.path : '';
  const path = asked === root || asked.startsWith(`${root}/`) || root === '' ? asked : root;
  const here: Here = { place, path };
  useEffect(() => {
    listing.show(opened.space, path);
  }, [opened.space, path]);
  const { problem } = listing.shown.value ?? {};
  useEffect(() => {
    if (problem?.code === 'not-found' || problem?.code === 'forbidden') void lookAgain();
  }, [problem]);
  const below = path.slice(root === '' || path === root ? root.length : root.length + 1);
  const folder = below ? nameOf(below) : place.title;
  const href = (to: string) =>
    format({ at: 'files', group: null, path: [root, to].filter(Boolean).join('/') });
  return (
    <DropTarget here={here} name={folder}>
      <header class="page-head">
        <h1 class="hidden">{folder}</h1>
        <Crumbs title={place.title} path={below} href={href} />
        <div class="actions">
          <ZipButton here={here} folder={folder} />
          {place.takes && <Actions here={here} />}
        </div>
      </header>
      <Ends opened={opened} />
      <Tools here={here} />
      <Entries here={here} label={folder} />
    </DropTarget>
  );
}

function ZipButton({ here, folder }: { here: Here; folder: string }) {
  const all: Entry = { name: nameOf(here.path) || folder, kind: 'directory', etag: '' };
  return (
    <button
      type="button"
      class={`button ${here.place.takes ? '' : 'primary'}`}
      onClick={() => void download({ place: here.place, path: parentOf(here.path) }, [all])}
    >
      <Icon name="download" />
      <span>{words.value.downloadZip}</span>
    </button>
  );
}

/** Nothing that is in it is shown, not even to whoever put it there. */
function Box({ opened, place }: Opened) {
  const text = words.value;
  const here: Here = { place, path: opened.path };
  return (
    <DropTarget here={here} name={place.title}>
      <section class="visit-card box">
        <Icon name="upload" />
        <h1 dir="auto">{text.link.boxTitle(place.title)}</h1>
        <p class="quiet">{text.link.boxText}</p>
        <Actions here={here} />
        <Ends opened={opened} />
      </section>
    </DropTarget>
  );
}
