import { useEffect, useRef, useState } from 'preact/hooks';
import { size, words } from '../../words/index.ts';
import { Icon } from '../icon.tsx';
import { Menu, openMenuAt } from '../menu.tsx';
import { Meter } from '../meter.tsx';
import { format, route } from '../route.ts';
import { initial } from '../shell.tsx';
import { disk, type Place, place, spaces, usages } from '../store.ts';
import { type Here, makeFolder, uploadFrom } from './actions.tsx';
import { Instead } from './browse.tsx';
import { choicesFor } from './choices.ts';
import { Crumbs } from './crumbs.tsx';
import { dropsInto, isFiles, target } from './drag.ts';
import { listing } from './listing.ts';
import { Rows } from './rows.tsx';
import { Tiles } from './tiles.tsx';
import { Tools } from './tools.tsx';

listing.use((space, path, first) => disk.list(space, path, first));

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
        <h1 class="hidden">{folder}</h1>
        <Crumbs title={place.title} path={path} href={href} here={here} />
        <Actions here={here} />
      </header>
      <Fullness place={place} />
      <Tools here={here} />
      <Entries here={here} label={folder} />
    </DropTarget>
  );
}

function Entries({ here, label }: { here: Here; label: string }) {
  if (listing.entries.value.length === 0) return <Instead here={here} />;
  return listing.view.value === 'list' ? (
    <Rows here={here} label={label} />
  ) : (
    <Tiles here={here} label={label} />
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
        choices={() => [
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
        <a class="to-trash quiet" href={format({ at: 'trash', group: place.group?.name ?? null })}>
          <Icon name="trash" />
          {text.trash}
          {usage?.trash ? ` · ${size(usage.trash)}` : ''}
        </a>
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
  const { onDragOver, onDrop } = dropsInto(here, here.path);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the buttons above do the same by keyboard
    <div
      class="page"
      onDragEnter={(event) => here.place.writable && isFiles(event) && setOver(true)}
      onDragLeave={(event) => {
        if (event.currentTarget.contains(event.relatedTarget as Node | null)) return;
        setOver(false);
        target.value = null;
      }}
      onDragOver={onDragOver}
      // Wherever it lands, also in a folder of this one.
      onDropCapture={() => setOver(false)}
      onDrop={onDrop}
      onContextMenu={(event) => {
        if ((event.target as HTMLElement).closest('a, button, input, header, section')) return;
        const choices = choicesFor(here, []);
        if (choices.length === 0) return;
        event.preventDefault();
        openMenuAt({ x: event.clientX, y: event.clientY }, name, choices, null);
      }}
    >
      {children}
      {over && target.value === here.path && (
        <div class="drop-veil" aria-hidden="true">
          <Icon name="upload" />
          <span>{words.value.dropHere(name)}</span>
        </div>
      )}
    </div>
  );
}
