import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

export interface Choice {
  readonly label: string;
  readonly icon: IconName;
  /** The key that does the same. */
  readonly keys?: string;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  readonly act: () => void;
}

interface Open {
  readonly label: string;
  readonly choices: readonly Choice[];
  /** Where it opens: below a button, or at a point. */
  readonly at: { readonly x: number; readonly y: number; readonly above: number; readonly toLeft: boolean };
  /** What has the focus again afterwards. */
  readonly from: HTMLElement | null;
}

/** The menu that is open. It is drawn over everything, so that nothing it belongs to cuts it off. */
const current = signal<Open | null>(null);

/** Opens a menu at a point, as a click with the right button does. */
export function openMenuAt(
  point: { x: number; y: number },
  label: string,
  choices: readonly Choice[],
  from: HTMLElement | null,
): void {
  if (choices.length === 0) return;
  current.value = { label, choices, at: { ...point, above: point.y, toLeft: false }, from };
}

function openBelow(button: HTMLElement, label: string, choices: readonly Choice[]): void {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const toLeft = left > innerWidth / 2;
  const at = { x: toLeft ? right : left, y: bottom + 4, above: top - 4, toLeft };
  current.value = { label, choices, at, from: button };
}

function close(focus: boolean): void {
  const { from } = current.value ?? {};
  current.value = null;
  if (focus && from?.isConnected) from.focus({ preventScroll: true });
}

/** A button that opens a list of actions. */
export function Menu({
  label,
  icon,
  text,
  kind = 'icon-button',
  choices,
  tabIndex,
}: {
  label: string;
  icon: IconName;
  text?: string;
  kind?: string;
  choices: () => readonly Choice[];
  tabIndex?: number;
}) {
  const button = useRef<HTMLButtonElement>(null);
  const open =
    current.value !== null && current.value.from === button.current && current.value.label === label;
  return (
    <button
      ref={button}
      type="button"
      class={kind}
      tabIndex={tabIndex}
      aria-haspopup="menu"
      aria-expanded={open}
      aria-label={label}
      title={text ? undefined : label}
      onClick={(event) => (open ? close(true) : openBelow(event.currentTarget, label, choices()))}
    >
      <Icon name={icon} />
      {text && <span>{text}</span>}
    </button>
  );
}

/** Where menus appear. Arrows move in one, Escape closes it. */
export function MenuHost() {
  const open = current.value;
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = list.current;
    if (!open || !element) return;
    const { width, height } = element.getBoundingClientRect();
    const { x, y, above, toLeft } = open.at;
    const left = toLeft ? x - width : x;
    element.style.left = `${Math.max(Math.min(left, innerWidth - width - 8), 8)}px`;
    // Near the lower edge it opens upwards.
    const top = y + height > innerHeight - 8 ? above - height : y;
    element.style.top = `${Math.max(top, 8)}px`;
    items(element)[0]?.focus({ preventScroll: true });
  }, [open]);
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => {
      const inside = list.current?.contains(event.target as Node);
      // A click on the button itself closes it by its own.
      if (!inside && !open.from?.contains(event.target as Node)) close(false);
    };
    const gone = () => close(false);
    addEventListener('pointerdown', away);
    addEventListener('scroll', gone, { passive: true });
    addEventListener('resize', gone);
    addEventListener('hashchange', gone);
    return () => {
      removeEventListener('pointerdown', away);
      removeEventListener('scroll', gone);
      removeEventListener('resize', gone);
      removeEventListener('hashchange', gone);
    };
  }, [open]);
  if (!open) return null;
  return (
    <div
      class="menu-list"
      role="menu"
      aria-label={open.label}
      tabIndex={-1}
      ref={list}
      onKeyDown={walk}
      onContextMenu={(event) => event.preventDefault()}
    >
      {open.choices.map((choice) => (
        <button
          key={choice.label}
          type="button"
          role="menuitem"
          class={choice.danger ? 'danger' : ''}
          disabled={choice.disabled ?? false}
          aria-keyshortcuts={choice.keys}
          onClick={() => {
            close(true);
            choice.act();
          }}
        >
          <Icon name={choice.icon} />
          <span>{choice.label}</span>
          {choice.keys && (
            <span class="keys" aria-hidden="true">
              {choice.keys}
            </span>
          )}
        </button>
      ))}
    </div>
  );
}

const items = (list: HTMLElement) => [
  ...list.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)'),
];

function walk(event: KeyboardEvent): void {
  const list = items(event.currentTarget as HTMLElement);
  const at = list.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
  event.stopPropagation();
  if (to !== undefined) {
    event.preventDefault();
    list.at(to % list.length)?.focus();
  }
  if (event.key === 'Escape' || event.key === 'Tab') {
    event.preventDefault();
    close(true);
  }
}
