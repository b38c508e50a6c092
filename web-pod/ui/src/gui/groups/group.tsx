import type { TargetedSubmitEvent } from 'preact';
import type { Fellow, Group, Role, Spaces } from '../../requests/types.ts';
import { size, words } from '../../words/index.ts';
import { confirm } from '../dialog.tsx';
import { Icon } from '../icon.tsx';
import { Meter } from '../meter.tsx';
import { format } from '../route.ts';
import { initial } from '../shell.tsx';
import { attempt, session, usages } from '../store.ts';
import { admit, dismiss, give, leave } from './actions.tsx';
import { Parts } from './parts.tsx';

const ROLES: readonly Role[] = ['Owner', 'Editor', 'Viewer'];

/** Who takes part in a group, who gave what, how full it is. */
export function GroupPage({ known, name }: { known: Spaces; name: string }) {
  const text = words.value;
  const group = known.groups.find((one) => one.name === name);
  if (!group) {
    // One that was just made is in the roster a moment later.
    const mine = known.own.allocations.find((one) => one.group === name);
    return <p class="empty">{mine ? text.allocation[mine.state] : text.problems['not-found']}</p>;
  }
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{group.displayName}</h1>
          {group.description && <p class="quiet">{group.description}</p>}
        </div>
        <a class="button primary" href={format({ at: 'files', group: group.name, path: '' })}>
          <Icon name="folder" />
          <span>{text.toFiles}</span>
        </a>
      </header>
      <Shares group={group} />
      <OwnShare group={group} />
      {group.role === 'Owner' && <Requests group={group} />}
      <People group={group} />
    </div>
  );
}

function Shares({ group }: { group: Group }) {
  const text = words.value;
  const usage = usages.value.get(group.space);
  const given = group.participants.filter(({ granted }) => granted > 0).sort((a, b) => b.granted - a.granted);
  return (
    <section class="panel">
      <div class="fullness-line">
        <p>
          <strong>
            {usage
              ? text.usedOf(size(usage.used), size(group.capacity))
              : `${text.capacity}: ${size(group.capacity)}`}
          </strong>
        </p>
        <p class="quiet small">
          {text.policy[group.joining.policy]}
          {group.joining.minimum > 0 && ` · ${text.atLeast(size(group.joining.minimum))}`}
        </p>
      </div>
      <Meter usage={usage} limit={group.capacity} />
      <Parts
        parts={given.map(({ name, displayName, granted }) => {
          return { key: name, amount: granted, label: text.givenBy(displayName, size(granted)) };
        })}
      />
    </section>
  );
}

function OwnShare({ group }: { group: Group }) {
  const text = words.value;
  const { size: wanted, granted } = group;
  return (
    <section class="panel row">
      <div>
        <h2>{text.yourShare}</h2>
        <p>{wanted === granted ? text.youGive(size(granted)) : text.changing(size(granted), size(wanted))}</p>
      </div>
      <div class="actions">
        <button type="button" class="button" onClick={() => give(group, wanted)}>
          <Icon name="edit" />
          <span>{text.change}</span>
        </button>
        <button type="button" class="button" onClick={() => leave(group)}>
          <Icon name="leave" />
          <span>{text.leave}</span>
        </button>
      </div>
    </section>
  );
}

function Requests({ group }: { group: Group }) {
  const text = words.value;
  const invite = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const role = String(data.get('role')) as Role;
    if (await attempt(() => admit(group, String(data.get('member')).trim(), role))) form.reset();
  };
  return (
    <>
      {group.requests.length > 0 && (
        <section class="panel">
          <h2>{text.requests}</h2>
          <ul class="people">
            {group.requests.map(({ name, size: offered }) => (
              <li key={name}>
                <span class="avatar" aria-hidden="true">
                  {initial(name)}
                </span>
                <span class="person">{text.wantsToJoin(name, size(offered))}</span>
                <span class="actions">
                  {(['Editor', 'Viewer'] as const).map((role) => (
                    <button
                      key={role}
                      type="button"
                      class={`button small ${role === 'Editor' ? 'primary' : ''}`}
                      onClick={() => attempt(() => admit(group, name, role))}
                    >
                      {text.admitAs(text.role[role])}
                    </button>
                  ))}
                  <button
                    type="button"
                    class="button small"
                    onClick={() => attempt(() => admit(group, name, 'Blocked'))}
                  >
                    {text.decline}
                  </button>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section class="panel">
        <h2>{text.invite}</h2>
        <form class="inline-form" onSubmit={invite}>
          <label class="field">
            <span>{text.inviteName}</span>
            <input name="member" required autocomplete="off" autocapitalize="none" spellcheck={false} />
          </label>
          <div class="field">
            <span aria-hidden="true">{text.inviteAs}</span>
            <RoleChoice value="Editor" name="role" label={text.inviteAs} />
          </div>
          <button type="submit" class="button">
            {text.invite}
          </button>
        </form>
        {group.invited.length > 0 && (
          <ul class="people">
            {group.invited.map(({ name, role }) => (
              <li key={name}>
                <span class="avatar pale" aria-hidden="true">
                  {initial(name)}
                </span>
                <span class="person">
                  {name}
                  <small>{`${text.invited} · ${text.role[role]}`}</small>
                </span>
                <button
                  type="button"
                  class="button small"
                  onClick={() => attempt(() => dismiss(group, name))}
                >
                  {text.withdraw}
                </button>
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}

function People({ group }: { group: Group }) {
  const text = words.value;
  return (
    <section class="panel">
      <h2>
        {text.people} <span class="quiet">{text.participants(group.participants.length)}</span>
      </h2>
      <ul class="people">
        {group.participants.map((fellow) => (
          <Person key={fellow.name} group={group} fellow={fellow} />
        ))}
      </ul>
    </section>
  );
}

function Person({ group, fellow }: { group: Group; fellow: Fellow }) {
  const text = words.value;
  const { name, displayName, role, granted } = fellow;
  const isMe = name === session.value?.member.name;
  const decides = group.role === 'Owner' && !isMe;
  return (
    <li>
      <span class="avatar" aria-hidden="true">
        {initial(displayName)}
      </span>
      <span class="person">
        <span>
          {displayName} {isMe && <em class="quiet">({text.you})</em>}
        </span>
        <small>{granted > 0 ? `${text.given} ${size(granted)}` : text.given0}</small>
      </span>
      {decides ? (
        <>
          <RoleChoice
            value={role}
            label={text.roleOf(displayName)}
            onChange={(to) => attempt(() => admit(group, name, to))}
          />
          <button
            type="button"
            class="icon-button"
            aria-label={text.dismiss(displayName)}
            title={text.dismiss(displayName)}
            onClick={() =>
              confirm({ title: text.dismiss(displayName), text: text.leaveText, yes: text.remove }, () =>
                dismiss(group, name),
              )
            }
          >
            <Icon name="close" />
          </button>
        </>
      ) : (
        <span class="tag">{text.role[role]}</span>
      )}
    </li>
  );
}

function RoleChoice(props: { value: Role; name?: string; label?: string; onChange?: (role: Role) => void }) {
  return (
    <select
      name={props.name}
      aria-label={props.label}
      value={props.value}
      onChange={(event) => props.onChange?.(event.currentTarget.value as Role)}
    >
      {ROLES.map((role) => (
        <option key={role} value={role} selected={role === props.value}>
          {words.value.role[role]}
        </option>
      ))}
    </select>
  );
}
