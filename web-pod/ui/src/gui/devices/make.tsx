// A new app password: what it is for, and what it is, which is shown once.

import { useState } from 'preact/hooks';
import { saying } from '../../requests/problem.ts';
import type { MadeAppPassword, Spaces } from '../../requests/types.ts';
import * as web from '../../requests/web.ts';
import { words } from '../../words/index.ts';
import { CopyField } from '../copy.tsx';
import { FormDialog, openDialog, Sheet, STAY } from '../dialog.tsx';

export function makePassword(known: Spaces, then: () => Promise<void>): void {
  openDialog((close) => <Make known={known} then={then} close={close} />);
}

function Make({ known, then, close }: { known: Spaces; then: () => Promise<void>; close: () => void }) {
  const text = words.value;
  const [made, setMade] = useState<MadeAppPassword>();
  if (made) {
    return (
      <Sheet title={text.devices.made(made.name)} close={close}>
        <CopyField label={text.devices.thePassword} value={made.password} />
        <p class="notice-box">{text.devices.once}</p>
        <p class="quiet">{text.devices.typing}</p>
      </Sheet>
    );
  }
  const send = async (form: FormData) => {
    const space = String(form.get('space') ?? '');
    const name = String(form.get('name') ?? '').trim();
    const access = form.get('read') === null ? ('ReadWrite' as const) : ('Read' as const);
    const wish = { name, access, ...(space ? { space } : {}) };
    setMade(await saying({ forbidden: 'app-passwords-forbidden' }, () => web.makeAppPassword(wish)));
    void then();
    return STAY;
  };
  const disks = [
    { space: '', title: text.devices.allDisks },
    { space: known.own.space, title: text.myDisk },
    ...known.groups.map(({ space, displayName }) => ({ space, title: displayName })),
  ];
  return (
    <FormDialog
      title={text.devices.newPassword}
      submit={text.devices.makePassword}
      onSubmit={send}
      close={close}
    >
      <label class="field">
        <span>{text.devices.nameOf}</span>
        <input name="name" required maxLength={64} autocomplete="off" placeholder={text.devices.example} />
      </label>
      <label class="field">
        <span>{text.devices.opens}</span>
        <select name="space">
          {disks.map(({ space, title }) => (
            <option key={space} value={space}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label class="check-line">
        <input type="checkbox" name="read" />
        <span>{text.devices.onlyRead}</span>
      </label>
    </FormDialog>
  );
}
