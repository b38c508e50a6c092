import { useEffect } from 'preact/hooks';
import { size, words } from '../../words/index.ts';
import { Icon } from '../icon.tsx';
import { Meter } from '../meter.tsx';
import { format, go, route } from '../route.ts';
import { initial } from '../shell.tsx';
import { disk, type Place, place, spaces, usages } from '../store.ts';
import type { Here } from './actions.tsx';
import { Actions, DropTarget } from './adding.tsx';
import { Instead } from './browse.tsx';
import { Crumbs } from './crumbs.tsx';
import { listing } from './listing.ts';
import { anHourAgo } from './past.tsx';
import { Rows } from './rows.tsx';
import { Tiles } from './tiles.tsx';
import { Tools } from './tools.tsx';

listing.use((space, path, first, at) => disk.list(space, path, first, at));

export function FilesPage() {
  const at = route.value;
  const here = place.value;
  const path = at.at === 'files' ? at.path : '';
  const space = here?.space;
  useEffect(() => {
    if (space) listing.show(space, path);
  }, [space, path]);
  if (!here) return <p class="empty">{words.value.problems['not-found']}</p>;
  return <Directory here={{ place: here, path }} />;
}

function Directory({ here }: { here: Here }) {
  const { place, path } = here;
  const group = place.group?.name ?? null;
  const href = (to: string) => format({ at: 'files', group, path: to });
  const folder = path ? (path.split('/').at(-1) ?? '') : place.title;
  return (
    <DropTarget here={here} name={folder}>
      <header class="page-head">
        <h1 class="hidden">{folder}</h1>
        <Crumbs title={place.title} path={path} href={href} here={here} />
        <Actions here={here} />
      </header>
      <Fullness place={place} path={path} />
      <Tools here={here} />
      <Entries here={here} label={folder} />
    </DropTarget>
  );
}

export function Entries({ here, label }: { here: Here; label: string }) {
  if (listing.entries.value.length === 0) return <Instead here={here} />;
  return listing.view.value === 'list' ? (
    <Rows here={here} label={label} />
  ) : (
    <Tiles here={here} label={label} />
  );
}

function Fullness({ place, path }: { place: Place; path: string }) {
  const text = words.value;
  const group = place.group?.name ?? null;
  const usage = usages.value.get(place.space);
  const limit = usage?.limit ?? place.limit;
  const lent = place.group
    ? 0
    : (spaces.value?.own.allocations ?? []).reduce((sum, one) => sum + one.granted, 0);
  const over = usage !== undefined && usage.used > limit;
  return (
    <section class="fullness" aria-label={text.usage}>
      <div class="fullness-line">
        <p>
          <strong>{usage ? text.usedOf(size(usage.used), size(limit)) : size(limit)}</strong>
          {usage && !over && (
            <span class="quiet"> · {text.free(size(Math.max(limit - usage.used - usage.reserved, 0)))}</span>
          )}
          {lent > 0 && <span class="quiet"> · {text.lentOut(size(lent))}</span>}
        </p>
        <span class="to-others">
          <a
            class="to-trash quiet"
            href={format({ at: 'trash', group })}
            title={usage?.trash ? size(usage.trash) : undefined}
          >
            <Icon name="trash" />
            {text.trash}
          </a>
          <button
            type="button"
            class="to-trash quiet"
            onClick={() => go({ at: 'past', group, moment: anHourAgo(), path })}
          >
            <Icon name="clock" />
            {text.past.asItWas}
          </button>
          {place.writable && (
            <a class="to-trash quiet" href={format({ at: 'links', group })}>
              <Icon name="link" />
              {text.link.links}
            </a>
          )}
        </span>
        {place.group && (
          <a class="fellows" href={format({ at: 'group', name: place.group.name })}>
            <span class="avatars" aria-hidden="true">
              {place.group.participants.slice(0, 4).map(({ name, displayName }) => (
                <span key={name} class="avatar">
                  {initial(displayName)}
                </span>
              ))}
            </span>
            {text.groupDetails}
          </a>
        )}
      </div>
      <Meter usage={usage} limit={limit} />
      {over && <p class="warning small">{text.overLimit}</p>}
    </section>
  );
}
