import { useEffect, useRef, useState } from 'preact/hooks';
import { size, words } from '../../words/index.ts';
import { Icon } from '../icon.tsx';
import { Menu } from '../menu.tsx';
import { Meter } from '../meter.tsx';
import { format, route } from '../route.ts';
import { initial } from '../shell.tsx';
import { disk, type Place, place, spaces, usages } from '../store.ts';
import { download, type Here, makeFolder, remove, transferTo, upload, uploadFrom } from './actions.tsx';
import { fromDrop } from './chosen.ts';
import { Crumbs } from './crumbs.tsx';
import { listing } from './listing.ts';
import { Table } from './table.tsx';

listing.use((space, path) => disk.list(space, path));

export function FilesPage() {
  const at = route.value;
  const here = place.value;
  const path = at.at === 'files' ? at.path : '';
  const space = here?.space;
  useEffect(() => {
    if (space) listing.show(space, path);
  }, [space, path]);
  if (!here) return <p class="empty">{words.value.problems['not-found']}</p>;
  return <Directory here={{ place: here, path }} />;
}

function Directory({ here }: { here: Here }) {
  const { place, path } = here;
  const group = place.group?.name ?? null;
  const href = (to: string) => format({ at: 'files', group, path: to });
  const folder = path ? (path.split('/').at(-1) ?? '') : place.title;
  return (
    <DropTarget here={here} name={folder}>
      <header class="page-head">
        <Crumbs title={place.title} path={path} href={href} />
        <Actions here={here} />
      </header>
      <Fullness place={place} />
      <Selection here={here} />
      <Table here={here} />
    </DropTarget>
  );
}

function Actions({ here }: { here: Here }) {
  const text = words.value;
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  if (!here.place.writable) return <p class="quiet small">{text.readOnlySpace}</p>;
  return (
    <div class="actions">
      <button type="button" class="button" onClick={() => makeFolder(here)}>
        <Icon name="new-folder" />
        <span>{text.newFolder}</span>
      </button>
      <Menu
        label={text.upload}
        text={text.upload}
        icon="upload"
        kind="button primary"
        choices={[
          { label: text.uploadFiles, icon: 'file', act: () => files.current?.click() },
          { label: text.uploadFolder, icon: 'folder', act: () => folder.current?.click() },
        ]}
      />
      <input
        ref={files}
        type="file"
        multiple
        hidden
        data-upload="files"
        aria-label={text.uploadFiles}
        onChange={(event) => uploadFrom(here, event.currentTarget)}
      />
      <input
        ref={(input) => {
          folder.current = input;
          // Not yet an attribute that the library knows.
          input?.setAttribute('webkitdirectory', '');
        }}
        type="file"
        hidden
        data-upload="folder"
        aria-label={text.uploadFolder}
        onChange={(event) => uploadFrom(here, event.currentTarget)}
      />
    </div>
  );
}

function Fullness({ place }: { place: Place }) {
  const text = words.value;
  const usage = usages.value.get(place.space);
  const limit = usage?.limit ?? place.limit;
  const lent = place.group
    ? 0
    : (spaces.value?.own.allocations ?? []).reduce((sum, one) => sum + one.granted, 0);
  const over = usage !== undefined && usage.used > limit;
  return (
    <section class="fullness" aria-label={text.usage}>
      <div class="fullness-line">
        <p>
          <strong>{usage ? text.usedOf(size(usage.used), size(limit)) : size(limit)}</strong>
          {usage && !over && (
            <span class="quiet"> · {text.free(size(Math.max(limit - usage.used - usage.reserved, 0)))}</span>
          )}
          {lent > 0 && <span class="quiet"> · {text.lentOut(size(lent))}</span>}
        </p>
        {place.group && (
          <a class="fellows" href={format({ at: 'group', name: place.group.name })}>
            <span class="avatars" aria-hidden="true">
              {place.group.participants.slice(0, 4).map(({ name, displayName }) => (
                <span key={name} class="avatar">
                  {initial(displayName)}
                </span>
              ))}
            </span>
            {text.groupDetails}
          </a>
        )}
      </div>
      <Meter usage={usage} limit={limit} />
      {over && <p class="warning small">{text.overLimit}</p>}
    </section>
  );
}

function Selection({ here }: { here: Here }) {
  const text = words.value;
  const names = listing.selected.value;
  const entries = listing.entries.value.filter(({ name }) => names.has(name));
  if (entries.length === 0) return null;
  const { writable } = here.place;
  const act = (
    label: string,
    icon: 'download' | 'move' | 'copy' | 'trash',
    then: () => void,
    off = false,
  ) => (
    <button type="button" class="button quiet-button" disabled={off} onClick={then}>
      <Icon name={icon} />
      <span>{label}</span>
    </button>
  );
  return (
    <div class="selection" role="toolbar" aria-label={text.selected(entries.length)}>
      <strong aria-live="polite">{text.selected(entries.length)}</strong>
      {act(
        text.download,
        'download',
        () => void download(here, entries),
        !entries.some(({ kind }) => kind === 'file'),
      )}
      {writable && act(text.move, 'move', () => transferTo(here, entries, 'move'))}
      {writable && act(text.copy, 'copy', () => transferTo(here, entries, 'copy'))}
      {writable && act(text.remove, 'trash', () => remove(here, entries))}
      <button
        type="button"
        class="icon-button"
        aria-label={text.clearSelection}
        title={text.clearSelection}
        onClick={() => listing.selectAll(false)}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

function DropTarget({
  here,
  name,
  children,
}: {
  here: Here;
  name: string;
  children: preact.ComponentChildren;
}) {
  const [over, setOver] = useState(false);
  const { writable } = here.place;
  const carriesFiles = (event: DragEvent) => writable && event.dataTransfer?.types.includes('Files');
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the buttons above do the same by keyboard
    <div
      class={`page ${over ? 'dropping' : ''}`}
      onDragEnter={(event) => carriesFiles(event) && setOver(true)}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDragOver={(event) => carriesFiles(event) && event.preventDefault()}
      onDrop={async (event) => {
        setOver(false);
        if (!carriesFiles(event) || !event.dataTransfer) return;
        event.preventDefault();
        upload(here, await fromDrop(event.dataTransfer));
      }}
    >
      {children}
      {over && (
        <div class="drop-veil" aria-hidden="true">
          <Icon name="upload" />
          <span>{words.value.dropHere(name)}</span>
        </div>
      )}
    </div>
  );
}
