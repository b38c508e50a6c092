// What is offered for entries: in the menu of one, in that of several, and beside a selection.

import type { Entry } from '../../requests/types.ts';
import { words } from '../../words/index.ts';
import { shareByLink } from '../links/share.tsx';
import type { Choice } from '../menu.tsx';
import { canPreview, preview } from '../preview/preview.tsx';
import { searchable } from '../store.ts';
import { clipboard, download, type Here, makeFolder, paste, remove, take, transferTo } from './actions.tsx';
import { bringBackFrom } from './bring-back.ts';
import { listing } from './listing.ts';
import { showVersions } from './versions.tsx';

export function choicesFor(here: Here, entries: readonly Entry[]): Choice[] {
  const text = words.value;
  const [entry] = entries;
  if (!entry) return choicesHere(here);
  const one = entries.length === 1;
  const choices: Choice[] = [];
  if (one && canPreview(entry))
    choices.push({ label: text.open, icon: 'eye', act: () => preview(here, entry) });
  const zip = entries.length > 1 || entry.kind === 'directory';
  choices.push({
    label: zip ? text.downloadZip : text.download,
    icon: 'download',
    act: () => void download(here, entries),
  });
  if (here.place.at !== null && here.place.mayBring)
    choices.push({
      label: text.bringBack,
      icon: 'retry',
      act: () => void bringBackFrom(here, entries),
    });
  if (one && entry.kind === 'file' && searchable(here.place))
    choices.push({ label: text.versions, icon: 'clock', act: () => showVersions(here, entry) });
  if (!here.place.writable) return choices;
  if (one)
    choices.push({
      label: text.rename,
      icon: 'edit',
      keys: 'F2',
      act: () => {
        listing.renaming.value = entry.name;
      },
    });
  if (one) choices.push({ label: text.link.share, icon: 'link', act: () => shareByLink(here, entry) });
  return [
    ...choices,
    { label: text.move, icon: 'move', act: () => transferTo(here, entries, 'move') },
    { label: text.copy, icon: 'copy', act: () => transferTo(here, entries, 'copy') },
    { label: text.cut, icon: 'cut', keys: 'Ctrl+X', act: () => take(here, entries, 'move') },
    { label: text.remove, icon: 'trash', keys: 'Delete', danger: true, act: () => remove(here, entries) },
  ];
}

/** What is offered where nothing is. */
function choicesHere(here: Here): Choice[] {
  if (!here.place.writable) return [];
  const text = words.value;
  const choices: Choice[] = [{ label: text.newFolder, icon: 'new-folder', act: () => makeFolder(here) }];
  if (clipboard.value)
    choices.push({ label: text.paste, icon: 'copy', keys: 'Ctrl+V', act: () => paste(here) });
  return choices;
}
