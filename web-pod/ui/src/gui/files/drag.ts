// Entries dragged inside the page, onto folders and onto the way back up; and files dragged in from outside.

import { signal } from '@preact/signals';
import { join, parentOf } from '../../requests/paths.ts';
import { words } from '../../words/index.ts';
import { attempt } from '../store.ts';
import { bring, type Here, upload } from './actions.tsx';
import { fromDrop } from './chosen.ts';
import { listing } from './listing.ts';
import { picked } from './selection.ts';

const OURS = 'application/x-internet-disk';

/** What is being dragged. The browser shows it to nobody before it is dropped. */
let dragged: { readonly space: string; readonly paths: readonly string[] } | null = null;
/** The directory that something would land in now. */
export const target = signal<string | null>(null);

export function beginDrag(here: Here, name: string, event: DragEvent): void {
  const data = event.dataTransfer;
  if (!data || !here.place.writable) return event.preventDefault();
  const selection = listing.selection.value;
  if (!selection.names.has(name))
    listing.selection.value = picked(selection, listing.entries.value, name, {});
  const paths = listing.selected.value.map((entry) => join(here.path, entry.name));
  dragged = { space: here.place.space, paths };
  data.setData(OURS, '');
  data.effectAllowed = 'copyMove';
  const picture = document.createElement('div');
  picture.className = 'drag-picture';
  picture.textContent = paths.length === 1 ? name : words.value.items(paths.length);
  document.body.append(picture);
  data.setDragImage(picture, -12, -12);
  setTimeout(() => picture.remove());
}

export function endDrag(): void {
  dragged = null;
  target.value = null;
}

const isOurs = (event: DragEvent) => event.dataTransfer?.types.includes(OURS) === true;
export const isFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;

/** Whether something may land in a directory: nothing does in itself, below itself, or where it is. */
function fits(event: DragEvent, { place }: Here, to: string): boolean {
  if (isFiles(event)) return place.takes;
  if (!place.writable || !isOurs(event) || dragged?.space !== place.space) return false;
  return dragged.paths.every((path) => path !== to && !to.startsWith(`${path}/`) && parentOf(path) !== to);
}

/** What makes an element a place where things can be dropped, into the directory `to`. */
export function dropsInto(here: Here, to: string) {
  return {
    onDragOver: (event: DragEvent) => {
      if (!fits(event, here, to)) return;
      event.preventDefault();
      event.stopPropagation();
      target.value = to;
      if (event.dataTransfer && isOurs(event))
        event.dataTransfer.dropEffect = event.ctrlKey ? 'copy' : 'move';
    },
    onDragLeave: (event: DragEvent) => {
      const inside = (event.currentTarget as Node).contains(event.relatedTarget as Node | null);
      if (!inside && target.value === to) target.value = null;
    },
    onDrop: (event: DragEvent) => {
      if (!fits(event, here, to) || !event.dataTransfer) return;
      event.preventDefault();
      event.stopPropagation();
      const paths = dragged?.paths ?? [];
      const op = event.ctrlKey ? 'copy' : 'move';
      if (isOurs(event)) void attempt(() => bring(here.place, paths, op, to));
      else void upload({ place: here.place, path: to }, fromDrop(event.dataTransfer));
      endDrag();
    },
  };
}
