import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

export interface Choice {
  readonly label: string;
  readonly icon: IconName;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  readonly act: () => void;
}

/** A button that opens a list of actions; arrows move in it, Escape closes it. */
export function Menu({
  label,
  icon,
  text,
  kind = 'icon-button',
  choices,
}: {
  label: string;
  icon: IconName;
  text?: string;
  kind?: string;
  choices: readonly Choice[];
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const list = root.current?.querySelector('[role=menu]');
    // Near the lower edge it opens upwards.
    if (list && list.getBoundingClientRect().bottom > innerHeight) list.classList.add('upwards');
    root.current
      ?.querySelector<HTMLElement>('[role=menuitem]:not(:disabled)')
      ?.focus({ preventScroll: true });
    const away = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener('pointerdown', away);
    return () => removeEventListener('pointerdown', away);
  }, [open]);
  const move = (event: KeyboardEvent) => {
    const list = [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)') ?? [])];
    const at = list.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      list.at(to % list.length)?.focus();
    }
    if (event.key === 'Escape' || event.key === 'Tab') {
      setOpen(false);
      if (event.key === 'Escape') root.current?.querySelector('button')?.focus();
    }
  };
  return (
    <div class="menu" ref={root}>
      <button
        type="button"
        class={kind}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={label}
        title={text ? undefined : label}
        onClick={() => setOpen(!open)}
      >
        <Icon name={icon} />
        {text && <span>{text}</span>}
      </button>
      {open && (
        <div class="menu-list" role="menu" aria-label={label} tabIndex={-1} onKeyDown={move}>
          {choices.map((choice) => (
            <button
              key={choice.label}
              type="button"
              role="menuitem"
              class={choice.danger ? 'danger' : ''}
              disabled={choice.disabled ?? false}
              onClick={() => {
                setOpen(false);
                choice.act();
              }}
            >
              <Icon name={choice.icon} />
              {choice.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
