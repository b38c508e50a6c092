// What is signed in to by programs: passwords of their own, and how a disk is mounted on a computer.

import { useCallback, useEffect, useState } from 'preact/hooks';
import { Problem } from '../../requests/problem.ts';
import type { AppPassword, AppPasswords, Spaces } from '../../requests/types.ts';
import * as web from '../../requests/web.ts';
import { date, fullDate, sentence, words } from '../../words/index.ts';
import { confirm } from '../dialog.tsx';
import { Icon } from '../icon.tsx';
import { toast } from '../toasts.tsx';
import { makePassword } from './make.tsx';
import { Mount } from './mount.tsx';

export function DevicesPage({ known }: { known: Spaces }) {
  const text = words.value;
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{text.devices.title}</h1>
          <p class="quiet">{text.devices.about}</p>
        </div>
      </header>
      <Passwords known={known} />
      <Mount known={known} />
    </div>
  );
}

/** What an app password opens, in words. */
function spaceOf({ space }: AppPassword, known: Spaces): string {
  const { devices, myDisk } = words.value;
  if (space === undefined) return devices.allDisks;
  if (space === known.own.space) return myDisk;
  return known.groups.find((group) => group.space === space)?.displayName ?? devices.goneDisk;
}

function Passwords({ known }: { known: Spaces }) {
  const text = words.value;
  const [list, setList] = useState<AppPasswords>();
  const [problem, setProblem] = useState<Problem>();
  const look = useCallback(async () => {
    try {
      setList(await web.appPasswords());
      setProblem(undefined);
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' }));
    }
  }, []);
  useEffect(() => {
    void look();
  }, [look]);
  const count = list?.passwords.length ?? 0;
  const revoke = ({ id, name }: AppPassword) =>
    confirm(
      {
        title: text.devices.revokeTitle(name),
        text: text.devices.revokeText,
        yes: text.devices.revoke,
      },
      async () => {
        await web.revokeAppPassword(id);
        toast(text.devices.revoked(name));
        await look();
      },
    );
  return (
    <section aria-labelledby="app-passwords">
      <div class="section-head">
        <h2 id="app-passwords">{text.devices.passwords}</h2>
        {list && <span class="quiet small">{text.devices.count(count, list.maximum)}</span>}
        <button
          type="button"
          class="button"
          disabled={list !== undefined && count >= list.maximum}
          onClick={() => makePassword(known, look)}
        >
          <Icon name="plus" />
          <span>{text.devices.newPassword}</span>
        </button>
      </div>
      {problem && (
        <p class="warning" role="alert">
          {sentence(problem)}
        </p>
      )}
      {!list && !problem && <p role="status">{text.loading}</p>}
      {list && count === 0 && <p class="quiet">{text.devices.none}</p>}
      <ul class="plain-list">
        {list?.passwords.map((one) => (
          <li key={one.id}>
            <Icon name="key" />
            <span class="plain-text">
              <span class="plain-name" dir="auto">
                {one.name}
              </span>
              <small>
                {[
                  spaceOf(one, known),
                  one.access === 'Read' ? text.devices.onlyRead : '',
                  text.devices.madeOn(date(one.created)),
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </small>
              <small title={one.lastUsed ? fullDate(one.lastUsed) : undefined}>
                {one.lastUsed ? text.devices.usedOn(date(one.lastUsed)) : text.devices.unused}
              </small>
            </span>
            <button
              type="button"
              class="button small"
              aria-label={`${text.devices.revoke}: ${one.name}`}
              onClick={() => revoke(one)}
            >
              {text.devices.revoke}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
