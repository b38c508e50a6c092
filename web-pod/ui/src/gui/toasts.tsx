import { signal } from '@preact/signals';
import { words } from '../words/index.ts';
import { Icon } from './icon.tsx';

interface Toast {
  readonly key: number;
  readonly text: string;
  readonly kind: 'good' | 'bad';
}

const shown = signal<readonly Toast[]>([]);
let nextKey = 1;

const STAYS_MS = { good: 4_000, bad: 9_000 };

/** Says something that needs no answer. */
export function toast(text: string, kind: Toast['kind'] = 'good'): void {
  const key = nextKey++;
  shown.value = [...shown.value.filter((one) => one.text !== text).slice(-3), { key, text, kind }];
  setTimeout(() => close(key), STAYS_MS[kind]);
}

function close(key: number): void {
  shown.value = shown.value.filter((one) => one.key !== key);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.value.map(({ key, text, kind }) => (
        <div key={key} class={`toast ${kind}`}>
          <Icon name={kind === 'bad' ? 'alert' : 'check'} />
          <span>{text}</span>
          <button type="button" class="icon-button" aria-label={words.value.close} onClick={() => close(key)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
