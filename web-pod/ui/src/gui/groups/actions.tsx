// What can be done about groups. It takes effect when the operator has seen it: a moment later.

import { useState } from 'preact/hooks';
import type { Group, JoinPolicy, Offer, Spaces } from '../../requests/types.ts';
import * as web from '../../requests/web.ts';
import { words } from '../../words/index.ts';
import { confirm, FormDialog, openDialog } from '../dialog.tsx';
import { go } from '../route.ts';
import { refreshSpaces, session, spaces, spacesSoon } from '../store.ts';
import { toast } from '../toasts.tsx';
import { AmountField, amountOf } from './amount.tsx';

const GIB = 1 << 30;

/** What of the quota is given to no group, but for the one named. */
export function leftToGive({ own }: Spaces, except?: string): number {
  const given = own.allocations
    .filter(({ group }) => group !== except)
    .reduce((sum, { size }) => sum + size, 0);
  return Math.max(own.quota - given, 0);
}

async function then(text: string, work: Promise<unknown>): Promise<void> {
  await work;
  toast(text);
  spacesSoon();
}

/** Sets how much one gives: that is also how one joins. */
export function give(group: Group | Offer, now: number): void {
  const known = spaces.value;
  if (!known) return;
  const text = words.value;
  const joins = !('space' in group);
  const least = joins ? group.minimum : group.joining.minimum;
  const needsLeave =
    joins && group.policy === 'OnRequest' && !known.invitations.some(({ uid }) => uid === group.uid);
  const most = leftToGive(known, group.name);
  openDialog((close) => (
    <FormDialog
      title={joins ? text.joinTitle(group.displayName) : text.yourShare}
      submit={joins ? (needsLeave ? text.ask : text.join) : text.save}
      onSubmit={(form) => then(needsLeave ? text.asked : text.soon, web.allocate(group.name, amountOf(form)))}
      close={close}
    >
      {group.description && <p class="quiet">{group.description}</p>}
      <AmountField value={now || Math.min(Math.max(least, GIB), most)} least={least} most={most} />
    </FormDialog>
  ));
}

export function leave({ name, displayName }: { name: string; displayName: string }): void {
  const text = words.value;
  confirm({ title: text.leaveTitle(displayName), text: text.leaveText, yes: text.leave }, async () => {
    await then(text.soon, web.leave(name));
    go({ at: 'files', group: null, path: '' });
  });
}

export function admit(
  group: Group,
  member: string,
  role: 'Owner' | 'Editor' | 'Viewer' | 'Blocked',
): Promise<void> {
  return then(words.value.soon, web.admit(group.name, member, role));
}

export function dismiss(group: Group, member: string): Promise<void> {
  return then(words.value.soon, web.dismiss(group.name, member));
}

export function create(): void {
  const known = spaces.value;
  if (!known) return;
  openDialog((close) => <NewGroup known={known} close={close} />);
}

function NewGroup({ known, close }: { known: Spaces; close: () => void }) {
  const text = words.value;
  const policies = session.value?.groups.joinPolicies ?? [];
  const [policy, setPolicy] = useState<JoinPolicy>(
    policies.includes('OnRequest') ? 'OnRequest' : (policies[0] ?? 'Open'),
  );
  const most = leftToGive(known);
  const send = async (form: FormData) => {
    const description = String(form.get('description') ?? '').trim();
    const made = await web.createGroup({
      displayName: String(form.get('displayName') ?? '').trim(),
      ...(description ? { description } : {}),
      joining: policy,
      size: amountOf(form),
    });
    spacesSoon();
    await refreshSpaces();
    go({ at: 'group', name: made.name });
  };
  return (
    <FormDialog title={text.newGroup} submit={text.create} onSubmit={send} close={close}>
      <label class="field">
        <span>{text.groupName}</span>
        <input name="displayName" required maxLength={128} autocomplete="off" />
      </label>
      <label class="field">
        <span>{text.groupDescription}</span>
        <input name="description" maxLength={2048} autocomplete="off" />
      </label>
      <fieldset class="field choices">
        <legend>{text.whoMayJoin}</legend>
        {policies.map((one) => (
          <label key={one}>
            <input type="radio" name="joining" checked={one === policy} onChange={() => setPolicy(one)} />
            <span>
              {text.policy[one]}
              <small>{text.policyText[one]}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <AmountField value={Math.min(GIB, most)} least={0} most={most} />
    </FormDialog>
  );
}
