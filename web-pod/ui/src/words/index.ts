// The language of the page: the browser's, or the one that was chosen.

import { computed, signal } from '@preact/signals';
import { keep, kept } from '../keeping.ts';
import type { Problem } from '../requests/problem.ts';
import * as amounts from './amounts.ts';
import { en, type Words } from './en.ts';
import { ko } from './ko.ts';

export const LANGUAGES = { en: 'English', ko: '한국어' } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = 'language';

function preferred(): Language {
  const before = kept(KEPT);
  if (before === 'en' || before === 'ko') return before;
  const wanted = globalThis.navigator?.languages ?? [];
  return (
    wanted.map((tag) => tag.slice(0, 2)).find((tag): tag is Language => tag === 'en' || tag === 'ko') ?? 'en'
  );
}

export const language = signal<Language>(preferred());

/** The texts in the language of the moment. */
export const words = computed<Words>(() => (language.value === 'ko' ? ko : en));

export function speak(chosen: Language): void {
  language.value = chosen;
  keep(KEPT, chosen);
}

/** The language as it is written where the member is: dates differ within one. */
const locale = computed(() => {
  const wanted = globalThis.navigator?.languages ?? [];
  return wanted.find((tag) => tag.startsWith(language.value)) ?? language.value;
});

export const size = (bytes: number) => amounts.size(bytes, locale.value);
export const duration = (seconds: number) => amounts.duration(seconds, locale.value);
export const date = (text: string) => amounts.date(text, locale.value);
export const moment = (text: string) => amounts.moment(text, locale.value);
export const fullDate = (text: string) => amounts.fullDate(text, locale.value);

/** Refusals whose words say more than their code does. */
const PRECISE = new Set([
  'bad-request',
  'forbidden',
  'link-forbidden',
  'link-bad',
  'app-passwords-forbidden',
  'conflict',
  'quota-exceeded',
  'too-large',
  'name-invalid',
]);

/** What went wrong and what to do. The pods speak English alone. */
export function sentence({ code, detail }: Pick<Problem, 'code' | 'detail'>): string {
  if (language.value === 'en' && detail && PRECISE.has(code)) {
    return `${detail[0]?.toUpperCase()}${detail.slice(1)}${/[.!?]$/.test(detail) ? '' : '.'}`;
  }
  return words.value.problems[code] ?? words.value.problem;
}
