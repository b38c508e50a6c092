import type { Share } from '../../requests/types.ts';
import { date, words } from '../../words/index.ts';

/** What there is to say of a link, beside what it leads to. */
export function factsOf({ password, expires, mostUses, uses }: Share): string[] {
  const { link } = words.value;
  return [
    password ? link.hasPassword : '',
    expires ? link.endsAt(date(expires)) : link.endsNever,
    mostUses === undefined ? link.used(uses) : link.usedOf(uses, mostUses),
  ].filter(Boolean);
}
