import { useEffect, useState } from 'preact/hooks';
import { join } from '../../requests/paths.ts';
import type { Entry } from '../../requests/types.ts';
import { words } from '../../words/index.ts';
import { FormDialog } from '../dialog.tsx';
import { Icon } from '../icon.tsx';
import { attempt, disk, type Place } from '../store.ts';
import { Crumbs } from './crumbs.tsx';

/** Chooses a folder of a disk. */
export function FolderPicker({
  place,
  start,
  op,
  without,
  close,
  onChoose,
}: {
  place: Place;
  start: string;
  op: 'move' | 'copy';
  without: readonly string[];
  close: () => void;
  onChoose: (path: string) => Promise<unknown>;
}) {
  const text = words.value;
  const [path, setPath] = useState(start);
  const [folders, setFolders] = useState<readonly Entry[]>();
  useEffect(() => {
    let wanted = true;
    setFolders(undefined);
    void attempt(async () => {
      const entries = await disk.list(place.space, path);
      if (wanted) setFolders(entries.filter(({ kind }) => kind === 'directory'));
    });
    return () => {
      wanted = false;
    };
  }, [place.space, path]);
  const shown = folders?.filter(({ name }) => !without.includes(join(path, name)));
  return (
    <FormDialog
      title={text.chooseFolder}
      submit={op === 'move' ? text.moveHere : text.copyHere}
      onSubmit={() => onChoose(path)}
      close={close}
    >
      <Crumbs title={place.title} path={path} onGo={setPath} />
      <ul class="picker" aria-busy={shown === undefined}>
        {shown?.map(({ name }) => (
          <li key={name}>
            <button type="button" onClick={() => setPath(join(path, name))}>
              <Icon name="folder" />
              <span>{name}</span>
              <Icon name="chevron" />
            </button>
          </li>
        ))}
        {shown?.length === 0 && <li class="quiet small">{text.noFolders}</li>}
      </ul>
    </FormDialog>
  );
}
