// The name of an entry: what opens it, and where it is written anew.

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { join, splitEnding } from '../../requests/paths.ts';
import { words } from '../../words/index.ts';
import { canPreview } from '../preview/preview.tsx';
import { format } from '../route.ts';
import { type Here, rename, routeTo } from './actions.tsx';
import { focusCursor, open } from './browse.tsx';
import { listing } from './listing.ts';
import type { Item } from './order.ts';

export function Label({
  here,
  item,
  tabIndex,
  index,
  children,
}: {
  here: Here;
  item: Item;
  tabIndex: number;
  /** Where it stands, if it is what the keyboard stops at. */
  index?: number;
  /** The picture before the name. */
  children: ComponentChildren;
}) {
  const { name, kind } = item;
  if (listing.renaming.value === name) {
    return (
      <span class="entry">
        {children}
        <NewName here={here} name={name} folder={kind === 'directory'} />
      </span>
    );
  }
  const text = words.value;
  if (kind === 'directory') {
    const href = format(routeTo(here.place, join(here.path, name)));
    return (
      <a class="entry" href={href} tabIndex={tabIndex} data-index={index} draggable={false} title={name}>
        {children}
      </a>
    );
  }
  const does = canPreview(item) ? text.open : text.download;
  return (
    <button
      type="button"
      class="entry"
      tabIndex={tabIndex}
      data-index={index}
      title={`${name} — ${does}`}
      onClick={(event) => {
        const picks = event.ctrlKey || event.metaKey || event.shiftKey;
        const touches = (event as unknown as PointerEvent).pointerType === 'touch';
        if (!picks && !(touches && listing.selection.value.names.size > 0)) open(here, item);
      }}
    >
      {children}
    </button>
  );
}

function NewName({ here, name, folder }: { here: Here; name: string; folder: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => {
    input.current?.focus();
    // The ending of a name is rarely what one wants to change.
    input.current?.setSelectionRange(0, folder ? name.length : splitEnding(name)[0].length);
  }, [name, folder]);
  const end = () => {
    listing.renaming.value = null;
    focusCursor();
  };
  const save = async () => {
    const to = input.current?.value.trim() ?? '';
    if (busy) return;
    if (to === '' || to === name) return end();
    setBusy(true);
    const worked = await rename(here, name, to);
    setBusy(false);
    if (worked) end();
    else input.current?.focus();
  };
  return (
    <input
      ref={input}
      name="rename"
      dir="auto"
      class="rename"
      aria-label={words.value.newName}
      defaultValue={name}
      maxLength={255}
      autocomplete="off"
      spellcheck={false}
      readOnly={busy}
      onBlur={() => void save()}
      onClick={(event) => event.stopPropagation()}
      onDblClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        event.stopPropagation();
        // The Enter that ends the writing of a syllable is none that ends the name.
        if (event.key === 'Enter' && !event.isComposing) void save();
        if (event.key === 'Escape') {
          event.currentTarget.value = name;
          end();
        }
      }}
    />
  );
}
