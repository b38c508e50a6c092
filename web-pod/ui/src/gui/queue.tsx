// The uploads: how far they are, and what can be done about them.

import { useEffect, useState } from 'preact/hooks';
import type { Item, Status } from '../transfer/transfers.ts';
import { duration, sentence, size, words } from '../words/index.ts';
import { confirm } from './dialog.tsx';
import { Icon, type IconName } from './icon.tsx';
import { transfers } from './store.ts';

/** So many lines are drawn: those that want something or are under way come first. */
const LINES = 60;

const RANK: Record<Status, number> = {
  conflict: 0,
  failed: 1,
  running: 2,
  waiting: 2,
  paused: 3,
  queued: 4,
  done: 5,
};

/** When all went well the list folds itself up, so that it is not in the way. */
const FOLDS_AFTER_MS = 6_000;

export function Queue() {
  const [open, setOpen] = useState(true);
  const items = transfers.items.value;
  const well = items.every(({ status }) => status === 'done');
  useEffect(() => {
    if (!well) {
      setOpen(true);
      return;
    }
    const timer = setTimeout(() => setOpen(false), FOLDS_AFTER_MS);
    return () => clearTimeout(timer);
  }, [well]);
  if (items.length === 0) return null;
  const text = words.value;
  const shown = [...items].sort((a, b) => RANK[a.status] - RANK[b.status] || a.key - b.key).slice(0, LINES);
  return (
    <section class={`queue ${open ? '' : 'closed'}`} aria-label={text.transfers}>
      <Summary open={open} onToggle={() => setOpen(!open)} />
      {open && (
        <>
          <Decisions items={items} />
          <ul>
            {shown.map((item) => (
              <Line key={item.key} item={item} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Summary({ open, onToggle }: { open: boolean; onToggle: () => void }) {
  const text = words.value;
  const { files, done, bytes, sent, speed, left, active } = transfers.summary.value;
  const items = transfers.items.value;
  const count = (status: Status) => items.filter((item) => item.status === status).length;
  const paused = count('paused');
  const failed = count('failed');
  const title = active
    ? text.uploading(done, files)
    : failed > 0
      ? text.failedFiles(failed)
      : paused > 0
        ? text.paused
        : count('conflict') > 0
          ? text.needsYou(count('conflict'))
          : text.uploaded(done);
  const details = [
    active && speed > 0 ? text.perSecond(size(speed)) : '',
    active && left !== undefined ? text.left(duration(left)) : '',
  ].filter(Boolean);
  return (
    <header>
      <div class="queue-title">
        <strong>{title}</strong>
        {/* A screen reader is told of the beginning and the end, not of every file. */}
        <span class="hidden" role="status">
          {active ? text.uploadBegan(files) : title}
        </span>
        <span class="quiet small">{details.join(' · ')}</span>
      </div>
      <div class="queue-tools">
        {active && <Tool icon="pause" label={text.pauseAll} act={() => transfers.pauseAll()} />}
        {!active && paused > 0 && (
          <Tool icon="play" label={text.resumeAll} act={() => transfers.resumeAll()} />
        )}
        <Tool icon={open ? 'down' : 'up'} label={open ? text.collapse : text.expand} act={onToggle} />
        <Tool
          icon="close"
          label={active || paused > 0 ? text.cancelAll : text.clearDone}
          act={() => (active || paused > 0 ? cancelAll() : transfers.cancelAll())}
        />
      </div>
      <progress
        max={Math.max(bytes, 1)}
        value={bytes === 0 ? (done === files ? 1 : 0) : sent}
        aria-label={title}
      />
    </header>
  );
}

function cancelAll(): void {
  const text = words.value;
  confirm({ title: text.cancelAll, text: text.cancelAllText, yes: text.cancelAll }, () => {
    transfers.cancelAll();
    return undefined;
  });
}

/** When several files meet one that is there, one answer is enough. */
function Decisions({ items }: { items: readonly Item[] }) {
  const text = words.value;
  const keys = items.filter(({ status }) => status === 'conflict').map(({ key }) => key);
  if (keys.length < 2) return null;
  const all = (act: (key: number) => unknown) => () => {
    for (const key of keys) act(key);
  };
  return (
    <p class="decisions">
      <span>{text.forAll}</span>
      <button type="button" class="button small" onClick={all((key) => transfers.replace(key))}>
        {text.replace}
      </button>
      <button type="button" class="button small" onClick={all((key) => transfers.keepBoth(key))}>
        {text.keepBoth}
      </button>
      <button type="button" class="button small" onClick={all((key) => transfers.cancel(key))}>
        {text.skip}
      </button>
    </p>
  );
}

const ICONS: Partial<Record<Status, IconName>> = {
  done: 'check',
  failed: 'alert',
  conflict: 'alert',
  queued: 'clock',
  waiting: 'clock',
};

function Line({ item }: { item: Item }) {
  const text = words.value;
  const { key, name, path, status, sent, size: whole } = item;
  return (
    <li class={`line ${status}`}>
      <Icon name={ICONS[status] ?? 'upload'} />
      <div class="line-text">
        <span class="line-name" title={path}>
          {name}
        </span>
        <small>{says(item)}</small>
        {(status === 'running' || status === 'waiting' || status === 'paused') && whole > 0 && (
          <progress max={whole} value={sent} aria-label={name} />
        )}
        {status === 'conflict' && (
          <span class="line-buttons">
            <button type="button" class="button small" onClick={() => transfers.replace(key)}>
              {text.replace}
            </button>
            <button type="button" class="button small" onClick={() => void transfers.keepBoth(key)}>
              {text.keepBoth}
            </button>
          </span>
        )}
      </div>
      <span class="line-tools">
        {(status === 'running' || status === 'waiting' || status === 'queued') && (
          <Tool icon="pause" label={`${text.pause}: ${name}`} act={() => transfers.pause(key)} />
        )}
        {status === 'paused' && (
          <Tool icon="play" label={`${text.resume}: ${name}`} act={() => transfers.resume(key)} />
        )}
        {status === 'failed' && (
          <Tool icon="retry" label={`${text.retry}: ${name}`} act={() => transfers.resume(key)} />
        )}
        {status !== 'done' && (
          <Tool
            icon="close"
            label={`${status === 'conflict' ? text.skip : text.cancel}: ${name}`}
            act={() => transfers.cancel(key)}
          />
        )}
      </span>
    </li>
  );
}

function says({ status, sent, size: whole, code, detail }: Item): string {
  const text = words.value;
  switch (status) {
    case 'running':
      return `${size(sent)} / ${size(whole)}`;
    case 'waiting':
      return code && code !== 'no-answer' && code !== 'no-ready-server'
        ? sentence({ code, detail })
        : text.waitingFor;
    case 'failed':
      return sentence({ code: code ?? 'internal', detail });
    case 'conflict':
      return text.existsAlready;
    case 'paused':
      return `${text.paused} · ${size(sent)} / ${size(whole)}`;
    case 'queued':
      return `${text.queued} · ${size(whole)}`;
    case 'done':
      return `${text.done} · ${size(whole)}`;
  }
}

function Tool({ icon, label, act }: { icon: IconName; label: string; act: () => void }) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={act}>
      <Icon name={icon} />
    </button>
  );
}
