// The uploads: how far they are, and what can be done about them.

import { useEffect, useState } from 'preact/hooks';
import type { Item, Status } from '../transfer/item.ts';
import type { Answer } from '../transfer/transfers.ts';
import { duration, sentence, size, words } from '../words/index.ts';
import { confirm } from './dialog.tsx';
import { Icon, type IconName } from './icon.tsx';
import { transfers } from './store.ts';

/** When all went well the list folds itself up, so that it is not in the way. */
const FOLDS_AFTER_MS = 6_000;

export function Queue() {
  const [open, setOpen] = useState(true);
  const items = transfers.items.value;
  const { files, done } = transfers.summary.value;
  const well = files === done;
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
  return (
    <section class={`queue ${open ? '' : 'closed'}`} aria-label={text.transfers}>
      <Summary open={open} onToggle={() => setOpen(!open)} />
      {open && (
        <>
          <Decisions />
          <Room />
          <ul>
            {items.map((item) => (
              <Line key={item.key} item={item} />
            ))}
            {files > items.length && <li class="more quiet small">{text.moreFiles(files - items.length)}</li>}
          </ul>
        </>
      )}
    </section>
  );
}

function Summary({ open, onToggle }: { open: boolean; onToggle: () => void }) {
  const text = words.value;
  const { files, done, bytes, sent, speed, left, active, counts } = transfers.summary.value;
  const { paused, failed, conflict } = counts;
  const title = active
    ? text.uploading(done, files)
    : failed > 0
      ? text.failedFiles(failed)
      : paused > 0
        ? text.paused
        : conflict > 0
          ? text.needsYou(conflict)
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
        {!active && failed > 1 && (
          <Tool icon="retry" label={text.retryAll} act={() => transfers.retryAll()} />
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

/** When several files meet one that is there, one answer is enough, also for those that come later. */
function Decisions() {
  const text = words.value;
  const { conflict, queued, running } = transfers.summary.value.counts;
  if (conflict === 0 || conflict + queued + running < 2) return null;
  const answer = (label: string, how: Answer) => (
    <button type="button" class="button small" onClick={() => transfers.decideAll(how)}>
      {label}
    </button>
  );
  return (
    <div class="decisions" role="group" aria-label={text.forAll}>
      <span>{text.forAll}</span>
      {answer(text.replace, 'replace')}
      {answer(text.keepBoth, 'both')}
      {answer(text.skip, 'skip')}
    </div>
  );
}

/** There is no room left: what happened, and what can be done about it. */
function Room() {
  const text = words.value;
  const { full } = transfers.summary.value;
  if (!full) return null;
  return (
    <div class="decisions full" role="alert">
      <p>
        <strong>{text.noRoom(full.files, size(full.bytes))}</strong>{' '}
        {full.code === 'quota-exceeded' ? text.makeRoom : sentence({ code: full.code, detail: undefined })}
      </p>
      <button type="button" class="button small" onClick={() => transfers.retryAll()}>
        {text.retry}
      </button>
    </div>
  );
}

const ANSWERS: Record<Answer, () => string> = {
  replace: () => words.value.replace,
  both: () => words.value.keepBoth,
  skip: () => words.value.skip,
};

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
        <span class="line-name" dir="auto" title={path}>
          {name}
        </span>
        <small>{says(item)}</small>
        {(status === 'running' || status === 'waiting' || status === 'paused') && whole > 0 && (
          <progress max={whole} value={sent} aria-label={name} />
        )}
        {status === 'conflict' && (
          <span class="line-buttons">
            {(['replace', 'both', 'skip'] as const).map((answer) => (
              <button
                key={answer}
                type="button"
                class="button small"
                aria-label={`${ANSWERS[answer]()}: ${name}`}
                onClick={() => transfers.decide(key, answer)}
              >
                {ANSWERS[answer]()}
              </button>
            ))}
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
        {status !== 'done' && status !== 'conflict' && (
          <Tool icon="close" label={`${text.cancel}: ${name}`} act={() => transfers.cancel(key)} />
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
