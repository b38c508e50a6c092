import { signal } from '@preact/signals';
import { words } from '../words/index.ts';
import { Icon } from './icon.tsx';

/** What can still be done about it. */
export interface Action {
  readonly label: string;
  readonly act: () => void;
}

interface Toast {
  readonly key: number;
  readonly text: string;
  readonly kind: 'good' | 'bad';
  readonly action: Action | undefined;
}

const shown = signal<readonly Toast[]>([]);
const timers = new Map<number, ReturnType<typeof setTimeout>>();
let nextKey = 1;

const STAYS_MS = { good: 4_000, bad: 9_000 };
/** What offers something stays until one has read it and found the button. */
const STAYS_WITH_ACTION_MS = 15_000;

/** Says something that needs no answer. */
export function toast(text: string, kind: Toast['kind'] = 'good', action?: Action): void {
  const key = nextKey++;
  for (const one of shown.peek().filter((one) => one.text === text)) close(one.key);
  for (const one of shown.peek().slice(0, -3)) close(one.key);
  shown.value = [...shown.peek(), { key, text, kind, action }];
  leave(key, action ? STAYS_WITH_ACTION_MS : STAYS_MS[kind]);
}

function leave(key: number, after: number): void {
  stay(key);
  timers.set(
    key,
    setTimeout(() => close(key), after),
  );
}

/** While somebody is at it, it does not go. */
function stay(key: number): void {
  clearTimeout(timers.get(key));
  timers.delete(key);
}

function close(key: number): void {
  stay(key);
  shown.value = shown.peek().filter((one) => one.key !== key);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.value.map(({ key, text, kind, action }) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: it only stays while one points at it
        <div
          key={key}
          class={`toast ${kind}`}
          onMouseEnter={() => stay(key)}
          onMouseLeave={() => leave(key, STAYS_MS[kind])}
          onFocusIn={() => stay(key)}
          onFocusOut={() => leave(key, STAYS_MS[kind])}
        >
          <Icon name={kind === 'bad' ? 'alert' : 'check'} />
          <span>{text}</span>
          {action && (
            <button
              type="button"
              class="button small"
              onClick={() => {
                close(key);
                action.act();
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" class="icon-button" aria-label={words.value.close} onClick={() => close(key)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
