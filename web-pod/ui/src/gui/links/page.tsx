// The links into a disk: where each leads, what it allows, and how it is taken back.

import { useCallback, useEffect, useState } from 'preact/hooks';
import { nameOf, parentOf } from '../../requests/paths.ts';
import { Problem } from '../../requests/problem.ts';
import type { Share } from '../../requests/types.ts';
import { sentence, words } from '../../words/index.ts';
import { confirm } from '../dialog.tsx';
import { Icon } from '../icon.tsx';
import { format } from '../route.ts';
import { disk, type Place, session } from '../store.ts';
import { toast } from '../toasts.tsx';
import { factsOf } from './facts.ts';

export function LinksPage({ place }: { place: Place }) {
  const text = words.value;
  const { space } = place;
  const group = place.group?.name ?? null;
  const [shares, setShares] = useState<readonly Share[]>();
  const [problem, setProblem] = useState<Problem>();
  const look = useCallback(async () => {
    try {
      setShares(await disk.shares(space));
      setProblem(undefined);
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' }));
    }
  }, [space]);
  useEffect(() => {
    setShares(undefined);
    void look();
  }, [look]);
  const revoke = ({ id, path }: Share) =>
    confirm(
      { title: text.link.revokeTitle(nameOf(path)), text: text.link.revokeText, yes: text.link.revoke },
      async () => {
        await disk.unshare(space, id);
        toast(text.link.revoked);
        await look();
      },
    );
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{text.link.linksOf(place.title)}</h1>
          <p class="quiet">{text.link.linksText}</p>
        </div>
        <div class="actions">
          <a class="button" href={format({ at: 'files', group, path: '' })}>
            <Icon name="folder" />
            <span>{text.toFiles}</span>
          </a>
        </div>
      </header>
      {problem && (
        <p class="warning" role="alert">
          {sentence(problem)}
        </p>
      )}
      {!shares && !problem && <p role="status">{text.loading}</p>}
      {shares?.length === 0 && (
        <div class="empty">
          <Icon name="link" />
          <p>{text.link.none}</p>
        </div>
      )}
      <ul class="plain-list">
        {shares?.map((share) => (
          <Line key={share.id} share={share} place={place} revoke={() => revoke(share)} />
        ))}
      </ul>
    </div>
  );
}

function Line({ share, place, revoke }: { share: Share; place: Place; revoke: () => void }) {
  const text = words.value;
  const { path, access, creator } = share;
  const name = path ? nameOf(path) : place.title;
  const others = place.group !== null && creator !== session.value?.member.uid;
  const made = others ? text.link.byOther : '';
  const facts = [text.link.access[access], ...factsOf(share), made].filter(Boolean);
  const group = place.group?.name ?? null;
  return (
    <li>
      <Icon name={share.password ? 'lock' : 'link'} />
      <span class="plain-text">
        <a class="plain-name" dir="auto" href={format({ at: 'files', group, path: parentOf(path) })}>
          {name}
        </a>
        <small>{facts.join(' · ')}</small>
      </span>
      <button type="button" class="button small" aria-label={`${text.link.revoke}: ${name}`} onClick={revoke}>
        {text.link.revoke}
      </button>
    </li>
  );
}
