// A file or a folder is shared by a link: what is asked before it is made, and its address, which is shown once.

import { useEffect, useState } from 'preact/hooks';
import { join } from '../../requests/paths.ts';
import { saying } from '../../requests/problem.ts';
import type { Entry, LinkAccess, MadeShare, Share, ShareWish } from '../../requests/types.ts';
import { words } from '../../words/index.ts';
import { CopyField } from '../copy.tsx';
import { FormDialog, openDialog, Sheet, STAY } from '../dialog.tsx';
import type { Here } from '../files/actions.tsx';
import { attempt, disk } from '../store.ts';
import { factsOf } from './facts.ts';

export function shareByLink(here: Here, entry: Entry): void {
  openDialog((close) => <ShareDialog here={here} entry={entry} close={close} />);
}

const ACCESSES: readonly LinkAccess[] = ['Read', 'ReadAndUpload', 'Upload'];
const DAY_MS = 86_400_000;
/** How many days a link lives, as it is offered. */
const DAYS = { day: 1, week: 7, month: 30 } as const;
type Ends = 'never' | keyof typeof DAYS | 'date';

/** When a link ends, of what was chosen: a day is meant with all of it. */
export function endOf(ends: string, date: string, now: number): string | undefined {
  if (ends === 'date') {
    const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
    return date ? new Date(year, month - 1, day, 23, 59, 59).toISOString() : undefined;
  }
  const days = DAYS[ends as keyof typeof DAYS];
  return days === undefined ? undefined : new Date(now + days * DAY_MS).toISOString();
}

/** What the settings of the disk say of links. */
const REFUSALS = { forbidden: 'link-forbidden', 'bad-request': 'link-bad' };

function ShareDialog({ here, entry, close }: { here: Here; entry: Entry; close: () => void }) {
  const text = words.value;
  const [made, setMade] = useState<MadeShare>();
  const [ends, setEnds] = useState<Ends>('never');
  const path = join(here.path, entry.name);
  const { space } = here.place;
  if (made) return <Address made={made} name={entry.name} close={close} />;
  const send = async (form: FormData) => {
    const told = (name: string) => String(form.get(name) ?? '').trim();
    const expires = endOf(ends, told('date'), Date.now());
    const uses = Number(told('uses'));
    const wish: ShareWish = {
      path,
      access: entry.kind === 'directory' ? (told('access') as LinkAccess) : 'Read',
      // What one typed is the password, blanks and all.
      ...(form.get('password') ? { password: String(form.get('password')) } : {}),
      ...(expires ? { expires } : {}),
      ...(uses > 0 ? { mostUses: uses } : {}),
    };
    setMade(await saying(REFUSALS, () => disk.share(space, wish)));
    return STAY;
  };
  return (
    <FormDialog
      title={text.link.shareTitle(entry.name)}
      submit={text.link.make}
      onSubmit={send}
      close={close}
    >
      <Before space={space} path={path} />
      {entry.kind === 'directory' && (
        <fieldset class="field choices">
          <legend>{text.link.whatFor}</legend>
          {ACCESSES.map((access) => (
            <label key={access}>
              <input type="radio" name="access" value={access} defaultChecked={access === 'Read'} />
              <span>
                {text.link.access[access]}
                <small>{text.link.accessText[access]}</small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      <label class="field">
        <span>{text.link.password}</span>
        <input name="password" autocomplete="off" autocapitalize="none" spellcheck={false} maxLength={256} />
      </label>
      <div class="field-row">
        <label class="field">
          <span>{text.link.ends}</span>
          <select value={ends} onChange={(event) => setEnds(event.currentTarget.value as Ends)}>
            {(['never', 'day', 'week', 'month', 'date'] as const).map((one) => (
              <option key={one} value={one}>
                {text.link.endsAfter[one]}
              </option>
            ))}
          </select>
        </label>
        {ends === 'date' && (
          <label class="field">
            <span>{text.link.endsOn}</span>
            <input name="date" type="date" required />
          </label>
        )}
        <label class="field">
          <span>{text.link.uses}</span>
          <input
            name="uses"
            type="number"
            inputMode="numeric"
            min={1}
            max={1_000_000}
            placeholder={text.link.anyUses}
          />
        </label>
      </div>
    </FormDialog>
  );
}

/** The links that lead there already. */
function Before({ space, path }: { space: string; path: string }) {
  const text = words.value;
  const [shares, setShares] = useState<readonly Share[]>([]);
  useEffect(() => {
    let wanted = true;
    disk.shares(space).then(
      (all) => wanted && setShares(all.filter((share) => share.path === path)),
      // One can be made all the same; if not, that is told then.
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [space, path]);
  if (shares.length === 0) return null;
  const revoke = (id: string) =>
    attempt(async () => {
      await disk.unshare(space, id);
      setShares((before) => before.filter((share) => share.id !== id));
    });
  return (
    <section>
      <h3 class="small">{text.link.before}</h3>
      <ul class="versions">
        {shares.map((share) => (
          <li key={share.id}>
            <span class="plain-text">
              {text.link.access[share.access]}
              <small>{factsOf(share).join(' · ')}</small>
            </span>
            <button type="button" class="button small" onClick={() => void revoke(share.id)}>
              {text.link.revoke}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Address({ made, name, close }: { made: MadeShare; name: string; close: () => void }) {
  const text = words.value;
  return (
    <Sheet title={text.link.made(name)} close={close}>
      <CopyField label={text.link.address} value={`${location.origin}/s/${made.token}`} />
      <p class="notice-box">{text.link.once}</p>
      <p class="quiet">{factsOf(made).join(' · ')}</p>
      {made.password && <p class="quiet">{text.link.tellPassword}</p>}
    </Sheet>
  );
}
