// How new files and folders come into a directory: by buttons, and dropped.

import { useRef, useState } from 'preact/hooks';
import { words } from '../../words/index.ts';
import { Icon } from '../icon.tsx';
import { Menu, openMenuAt } from '../menu.tsx';
import { type Here, makeFolder, uploadFrom } from './actions.tsx';
import { choicesFor } from './choices.ts';
import { dropsInto, isFiles, target } from './drag.ts';

export function Actions({ here }: { here: Here }) {
  const text = words.value;
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  if (!here.place.takes) return <p class="quiet small">{text.readOnlySpace}</p>;
  return (
    <div class="actions">
      {here.place.writable && (
        <button type="button" class="button" onClick={() => makeFolder(here)}>
          <Icon name="new-folder" />
          <span>{text.newFolder}</span>
        </button>
      )}
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

export function DropTarget({
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
      onDragEnter={(event) => here.place.takes && isFiles(event) && setOver(true)}
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
