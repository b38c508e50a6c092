import type { Offer, Spaces } from '../../requests/types.ts';
import { size, words } from '../../words/index.ts';
import { Icon } from '../icon.tsx';
import { session } from '../store.ts';
import { create, give, leave } from './actions.tsx';
import { Parts } from './parts.tsx';

/** Groups that one is invited to, asked for, or can join; and making one. */
export function FindGroups({ known }: { known: Spaces }) {
  const text = words.value;
  const mayCreate = session.value?.groups.creation === 'Members';
  const mine = new Set(known.groups.map(({ name }) => name));
  const pending = known.own.allocations.filter(({ group }) => !mine.has(group));
  return (
    <div class="page">
      <header class="page-head">
        <h1>{text.groups}</h1>
        {mayCreate ? (
          <button type="button" class="button primary" onClick={create}>
            <Icon name="plus" />
            <span>{text.newGroup}</span>
          </button>
        ) : (
          <p class="quiet small">{text.onlyAdministrators}</p>
        )}
      </header>
      <Quota known={known} />
      {known.invitations.length > 0 && (
        <section>
          <h2>{text.invitations}</h2>
          <ul class="cards">
            {known.invitations.map((offer) => (
              <OfferCard key={offer.uid} offer={offer} verb={text.join} />
            ))}
          </ul>
        </section>
      )}
      {pending.length > 0 && (
        <section>
          <h2>{text.pending}</h2>
          <ul class="cards">
            {pending.map(({ group, size: wanted, granted, state }) => (
              <li key={group} class="card">
                <div class="card-text">
                  <h3>{group}</h3>
                  <p class="quiet">{text.allocation[state]}</p>
                  <p class="small">{text.youGive(size(Math.max(wanted, granted)))}</p>
                </div>
                {wanted > 0 && state !== 'Returning' && (
                  <button
                    type="button"
                    class="button"
                    onClick={() => leave({ name: group, displayName: group })}
                  >
                    {text.takeBack}
                  </button>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h2>{text.openGroups}</h2>
        {known.open.length === 0 ? (
          <p class="quiet">{text.noOpenGroups}</p>
        ) : (
          <ul class="cards">
            {known.open.map((offer) => (
              <OfferCard
                key={offer.uid}
                offer={offer}
                verb={offer.policy === 'Open' ? text.join : text.ask}
              />
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}

/** What is lent to which group, and what is left to the own disk. */
function Quota({ known }: { known: Spaces }) {
  const text = words.value;
  const titles = new Map(known.groups.map(({ name, displayName }) => [name, displayName]));
  const lent = known.own.allocations.filter(({ granted }) => granted > 0);
  if (lent.length === 0) return null;
  return (
    <section class="panel">
      <h2>{text.yourQuota(size(known.own.quota))}</h2>
      <Parts
        parts={[
          { key: '', amount: known.own.limit, label: text.partOf(text.myDisk, size(known.own.limit)) },
          ...lent.map(({ group, granted }) => {
            return {
              key: group,
              amount: granted,
              label: text.partOf(titles.get(group) ?? group, size(granted)),
            };
          }),
        ]}
      />
    </section>
  );
}

function OfferCard({ offer, verb }: { offer: Offer; verb: string }) {
  const text = words.value;
  const facts = [
    text.policy[offer.policy],
    text.participants(offer.participants),
    offer.minimum > 0 ? text.atLeast(size(offer.minimum)) : '',
  ];
  return (
    <li class="card">
      <span class="card-icon" aria-hidden="true">
        <Icon name="group" />
      </span>
      <div class="card-text">
        <h3>{offer.displayName}</h3>
        {offer.description && <p class="quiet">{offer.description}</p>}
        <p class="small quiet">{facts.filter(Boolean).join(' · ')}</p>
      </div>
      <button
        type="button"
        class="button"
        aria-label={`${verb}: ${offer.displayName}`}
        onClick={() => give(offer, 0)}
      >
        {verb}
      </button>
    </li>
  );
}
