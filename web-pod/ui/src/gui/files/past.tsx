// A disk as it was: one goes through it as through the disk itself, fetches what was there, and brings it back.

import type { TargetedSubmitEvent } from 'preact';
import { useEffect } from 'preact/hooks';
import { nameOf } from '../../requests/paths.ts';
import { moment as saidMoment, words } from '../../words/index.ts';
import { Icon } from '../icon.tsx';
import { format, go, route } from '../route.ts';
import { place } from '../store.ts';
import { type Here, routeTo } from './actions.tsx';
import { Crumbs } from './crumbs.tsx';
import { listing } from './listing.ts';
import { before, localText, momentOf } from './moment.ts';
import { Entries } from './page.tsx';
import { Tools } from './tools.tsx';

const HOUR_MS = 3_600_000;
/** The moments that are one step away. */
const AGO = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS, month: 30 * 24 * HOUR_MS } as const;

/** Where one first looks: not long ago. */
export const anHourAgo = (): string => before(Date.now(), AGO.hour);

export function PastPage() {
  const at = route.value;
  const here = place.value;
  const path = at.at === 'past' ? at.path : '';
  const moment = at.at === 'past' ? at.moment : '';
  const space = here?.space;
  useEffect(() => {
    if (space) listing.show(space, path, moment);
  }, [space, path, moment]);
  if (!here) return <p class="empty">{words.value.problems['not-found']}</p>;
  return <Past here={{ place: here, path }} moment={moment} />;
}

function Past({ here, moment }: { here: Here; moment: string }) {
  const text = words.value;
  const { place, path } = here;
  const group = place.group?.name ?? null;
  const folder = path ? nameOf(path) : place.title;
  const goTo = (other: string) => go({ at: 'past', group, moment: other, path });
  const send = (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const other = momentOf(String(new FormData(event.currentTarget).get('moment')));
    if (other !== undefined) goTo(other);
  };
  return (
    <div class="page">
      <header class="page-head">
        <h1 class="hidden">{text.past.title(folder)}</h1>
        <Crumbs title={place.title} path={path} href={(to) => format(routeTo(place, to))} />
        <div class="actions">
          <a class="button" href={format({ at: 'files', group, path })}>
            <Icon name="folder" />
            <span>{text.past.backToNow}</span>
          </a>
        </div>
      </header>
      <section class="past" aria-label={text.past.asItWas}>
        <p class="past-said">
          <Icon name="clock" />
          <span>{text.past.at(saidMoment(moment))}</span>
        </p>
        <form onSubmit={send}>
          <label>
            <span class="hidden">{text.past.moment}</span>
            <input
              key={moment}
              type="datetime-local"
              name="moment"
              required
              max={localText(new Date())}
              defaultValue={localText(new Date(moment))}
            />
          </label>
          <button type="submit" class="button">
            {text.past.show}
          </button>
          <span class="past-ago">
            {(Object.keys(AGO) as (keyof typeof AGO)[]).map((one) => (
              <button
                key={one}
                type="button"
                class="button small quiet-button"
                onClick={() => goTo(before(Date.now(), AGO[one]))}
              >
                {text.past.ago[one]}
              </button>
            ))}
          </span>
        </form>
      </section>
      <Tools here={here} />
      <Entries here={here} label={folder} />
    </div>
  );
}
