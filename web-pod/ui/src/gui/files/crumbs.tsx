import { words } from '../../words/index.ts';
import type { Here } from './actions.tsx';
import { dropsInto, target } from './drag.ts';

/** The way from the root of a disk to where one is. */
export function Crumbs({
  title,
  path,
  href,
  onGo,
  here,
}: {
  title: string;
  path: string;
  /** Links, where one goes by address… */
  href?: (path: string) => string;
  /** …or buttons, where one does not. */
  onGo?: (path: string) => void;
  /** Where things can be dragged onto the steps. */
  here?: Here;
}) {
  const names = path ? path.split('/') : [];
  const steps = [title, ...names].map((name, depth) => ({ name, path: names.slice(0, depth).join('/') }));
  return (
    <nav class="crumbs" aria-label={words.value.files}>
      <ol>
        {steps.map((step, depth) => (
          <li key={step.path}>
            {depth === steps.length - 1 ? (
              <span aria-current="page" dir="auto">
                {step.name}
              </span>
            ) : href ? (
              <a
                href={href(step.path)}
                dir="auto"
                class={here && target.value === step.path ? 'lands' : ''}
                {...(here ? dropsInto(here, step.path) : {})}
              >
                {step.name}
              </a>
            ) : (
              <button type="button" onClick={() => onGo?.(step.path)}>
                {step.name}
              </button>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
