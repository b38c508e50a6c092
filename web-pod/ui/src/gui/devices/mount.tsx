// How a disk becomes a drive of a computer, with the addresses of whoever reads it.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Spaces } from '../../requests/types.ts';
import { words } from '../../words/index.ts';
import { CopyField } from '../copy.tsx';
import { pool, session } from '../store.ts';
import { addresses, type System, systemOf } from './address.ts';

const SYSTEMS: readonly System[] = ['windows', 'mac', 'linux'];

/** The origin under which programs find the disk servers. */
function useOrigin(davUrl: string | undefined, space: string): string | undefined {
  const shared = davUrl && new URL(davUrl).origin;
  const [origin, setOrigin] = useState<string | undefined>(shared);
  useEffect(() => {
    if (shared) return setOrigin(shared);
    let wanted = true;
    pool.lease(space).then(
      ({ servers: [first] }) => wanted && first && setOrigin(new URL(first.url).origin),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [shared, space]);
  return origin;
}

export function Mount({ known }: { known: Spaces }) {
  const text = words.value;
  const [system, setSystem] = useState<System>(systemOf(navigator.userAgent));
  const [group, setGroup] = useState('');
  const origin = useOrigin(known.davUrl, known.own.space);
  return (
    <section class="panel mount" aria-labelledby="mount">
      <h2 id="mount">{text.mount.title}</h2>
      <p class="quiet">{text.mount.about}</p>
      <div class="mount-choice">
        <span class="views" role="group" aria-label={text.mount.system}>
          {SYSTEMS.map((one) => (
            <button key={one} type="button" aria-pressed={one === system} onClick={() => setSystem(one)}>
              {text.mount.systems[one]}
            </button>
          ))}
        </span>
        <label class="mount-disk">
          <span>{text.mount.disk}</span>
          <select value={group} onChange={(event) => setGroup(event.currentTarget.value)}>
            <option value="">{text.myDisk}</option>
            {known.groups.map(({ name, displayName }) => (
              <option key={name} value={name}>
                {displayName}
              </option>
            ))}
          </select>
        </label>
      </div>
      {origin === undefined ? (
        <p role="status">{text.loading}</p>
      ) : (
        <Steps system={system} origin={origin} group={group || null} />
      )}
    </section>
  );
}

function Steps({ system, origin, group }: { system: System; origin: string; group: string | null }) {
  const { mount: text } = words.value;
  const member = session.value?.member.name ?? '';
  const { web, gnome, kde, netUse, rclone } = addresses(origin, group, member);
  const plain = web.startsWith('http:');
  const password = text.signInAs(member);
  switch (system) {
    case 'windows':
      return (
        <>
          {plain && <p class="notice-box">{text.needsTls}</p>}
          <List>
            <li>{text.windows.map}</li>
            <li>
              {text.windows.folder}
              <CopyField label={text.address} value={web} />
            </li>
            <li>{password}</li>
          </List>
          <CopyField label={text.windows.command} value={netUse} />
          <p class="quiet small">{text.windows.note}</p>
        </>
      );
    case 'mac':
      return (
        <>
          {plain && <p class="notice-box">{text.needsTls}</p>}
          <List>
            <li>{text.mac.connect}</li>
            <li>
              {text.mac.server}
              <CopyField label={text.address} value={web} />
            </li>
            <li>{password}</li>
          </List>
          <p class="quiet small">{text.mac.note}</p>
        </>
      );
    case 'linux':
      return (
        <>
          <List>
            <li>
              {text.linux.files}
              <CopyField label={text.linux.gnome} value={gnome} />
              <CopyField label={text.linux.kde} value={kde} />
            </li>
            <li>{password}</li>
          </List>
          <CopyField label={text.linux.command} value={rclone} />
          <p class="quiet small">{text.linux.note}</p>
        </>
      );
  }
}

function List({ children }: { children: ComponentChildren }) {
  return <ol class="steps">{children}</ol>;
}
