import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Spaces } from '../requests/types.ts';
import { size, words } from '../words/index.ts';
import { Icon } from './icon.tsx';
import { LanguageChoice } from './language.tsx';
import { MenuHost } from './menu.tsx';
import { Meter } from './meter.tsx';
import { Queue } from './queue.tsx';
import { format, type Route, route } from './route.ts';
import { online, session, signOut, spaces, usages } from './store.ts';

/** What is around every page: the disks, who one is, and the uploads. */
export function Shell({ children }: { children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const text = words.value;
  const at = route.value;
  useEffect(() => setOpen(false), [at]);
  const { mode, notice } = session.value ?? { mode: 'ReadWrite' as const };
  const closed = mode === 'Offline' ? text.offlineNow : mode === 'ReadOnly' ? text.readOnlyNow : undefined;
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        {text.skipToContent}
      </button>
      <header class="top">
        <button
          type="button"
          class="icon-button only-narrow"
          aria-label={text.openMenu}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <Icon name="menu" />
        </button>
        <span class="brand">
          <span class="brand-mark" aria-hidden="true">
            <Icon name="disk" />
          </span>
          {text.product}
        </span>
      </header>
      <nav class={`side ${open ? 'open' : ''}`} aria-label={text.menu}>
        <span class="brand only-wide">
          <span class="brand-mark" aria-hidden="true">
            <Icon name="disk" />
          </span>
          {text.product}
        </span>
        {spaces.value && <Disks known={spaces.value} />}
        <a
          class="side-link"
          href={format({ at: 'devices' })}
          aria-current={at.at === 'devices' ? 'page' : undefined}
        >
          <Icon name="laptop" />
          <span>{text.devices.title}</span>
        </a>
        <footer class="who">
          <span class="avatar" aria-hidden="true">
            {initial(session.value?.member.displayName ?? '')}
          </span>
          <span class="who-name">
            {session.value?.member.displayName}
            <small>{session.value?.member.name}</small>
          </span>
          <LanguageChoice />
          <button
            type="button"
            class="icon-button"
            aria-label={text.signOut}
            title={text.signOut}
            onClick={signOut}
          >
            <Icon name="leave" />
          </button>
        </footer>
      </nav>
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the button does the same */}
      {open && <div class="veil only-narrow" onClick={() => setOpen(false)} />}
      <main class="main" id="content" tabIndex={-1}>
        {!online.value && (
          <p class="notice" role="status">
            <Icon name="alert" /> {text.noLine}
          </p>
        )}
        {(closed || notice) && (
          <p class="notice">
            <Icon name="alert" /> {notice ?? closed}
          </p>
        )}
        {children}
        <MenuHost />
      </main>
      <Queue />
    </div>
  );
}

export const initial = (name: string) => [...name][0]?.toUpperCase() ?? '';

function Disks({ known }: { known: Spaces }) {
  const text = words.value;
  const at = route.value;
  const isAt = (group: string | null) =>
    ('group' in at && at.group === group) || (at.at === 'group' && at.name === group);
  const pending =
    known.groups.reduce((sum, { requests }) => sum + requests.length, 0) + known.invitations.length;
  return (
    <div class="disks">
      <DiskLink
        to={{ at: 'files', group: null, path: '' }}
        current={isAt(null)}
        icon="disk"
        title={text.myDisk}
        space={known.own.space}
        limit={known.own.limit}
      />
      <h2>{text.groups}</h2>
      {known.groups.length === 0 && <p class="quiet small">{text.noGroups}</p>}
      {known.groups.map(({ name, displayName, space, capacity, requests }) => (
        <DiskLink
          key={name}
          to={{ at: 'files', group: name, path: '' }}
          current={isAt(name)}
          icon="group"
          title={displayName}
          space={space}
          limit={capacity}
          badge={requests.length}
        />
      ))}
      <a
        class="side-link"
        href={format({ at: 'groups' })}
        aria-current={at.at === 'groups' ? 'page' : undefined}
      >
        <Icon name="plus" />
        <span>{text.findGroups}</span>
        {pending > 0 && known.invitations.length > 0 && <span class="badge">{known.invitations.length}</span>}
      </a>
    </div>
  );
}

function DiskLink(props: {
  to: Route;
  current: boolean;
  icon: 'disk' | 'group';
  title: string;
  space: string;
  limit: number;
  badge?: number;
}) {
  const usage = usages.value.get(props.space);
  return (
    <a class="disk-link" href={format(props.to)} aria-current={props.current ? 'page' : undefined}>
      <Icon name={props.icon} />
      <span class="disk-title">
        {props.title}
        {props.badge ? <span class="badge">{props.badge}</span> : null}
      </span>
      <Meter usage={usage} limit={props.limit} thin />
      <small>{usage ? words.value.usedOf(size(usage.used), size(usage.limit)) : size(props.limit)}</small>
    </a>
  );
}
