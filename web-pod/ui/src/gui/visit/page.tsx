// What somebody sees who came by a share link. Nobody needs to be a member.

import type { ComponentChildren, TargetedSubmitEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Problem } from '../../requests/problem.ts';
import type { LinkShown } from '../../requests/types.ts';
import { date, sentence, size, words } from '../../words/index.ts';
import { DialogHost } from '../dialog.tsx';
import { Icon, type IconName, iconOf } from '../icon.tsx';
import { LanguageChoice } from '../language.tsx';
import { MenuHost } from '../menu.tsx';
import { PreviewHost } from '../preview/preview.tsx';
import { Queue } from '../queue.tsx';
import { Toasts } from '../toasts.tsx';
import { Inside } from './inside.tsx';
import { fail, look, open, visit } from './visit.ts';

export function Visit({ token }: { token: string }) {
  const text = words.value;
  useEffect(() => {
    void look(token);
  }, [token]);
  const now = visit.value;
  const name = now.at === 'open' ? now.opened.name : now.at === 'closed' ? now.link.name : undefined;
  useEffect(() => {
    document.documentElement.lang = text.locale;
    document.title = name ? `${name} — ${text.product}` : text.product;
  }, [text, name]);
  return (
    <div class="visit">
      <header class="visit-head">
        <span class="brand">
          <span class="brand-mark" aria-hidden="true">
            <Icon name="disk" />
          </span>
          {text.product}
        </span>
        <LanguageChoice />
      </header>
      <main class="main" id="content">
        <State token={token} />
        <MenuHost />
      </main>
      <Queue />
      <PreviewHost />
      <DialogHost />
      <Toasts />
    </div>
  );
}

function State({ token }: { token: string }) {
  const { link: text, retry } = words.value;
  const now = visit.value;
  switch (now.at) {
    case 'looking':
      return (
        <p class="first" role="status">
          {words.value.loading}
        </p>
      );
    case 'gone':
      return (
        <Word icon="link" title={text.gone}>
          <p>{now.ended === undefined ? text.goneText : text.endedText(date(now.ended))}</p>
        </Word>
      );
    case 'used-up':
      return (
        <Word icon="link" title={text.usedUp}>
          <p>{text.usedUpText}</p>
        </Word>
      );
    case 'away':
      return (
        <Word icon="alert" title={text.away}>
          <p>{sentence(now.problem)}</p>
          <button type="button" class="button" onClick={() => void look(token)}>
            {retry}
          </button>
        </Word>
      );
    case 'closed':
      return <Door link={now.link} />;
    case 'open':
      return <Inside opened={now.opened} />;
  }
}

/** Why there is nothing to see, or not yet. */
function Word({ icon, title, children }: { icon: IconName; title: string; children: ComponentChildren }) {
  return (
    <section class="visit-card" role="status">
      <Icon name={icon} />
      <h1>{title}</h1>
      {children}
    </section>
  );
}

/** Before the link is opened: what it leads to, as far as that may be known, and its password. */
function Door({ link }: { link: LinkShown }) {
  const text = words.value;
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Problem | null>(null);
  const { name, directory, needsPassword, expires, usesLeft } = link;
  const send = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = new FormData(event.currentTarget).get('password');
    setBusy(true);
    setWrong(null);
    try {
      await open(password === null ? undefined : String(password));
    } catch (error) {
      const stays = !(error instanceof Problem) || !['not-found', 'forbidden'].includes(error.code);
      if (!stays) return fail(error);
      setWrong(error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' }));
      setBusy(false);
    }
  };
  const facts = [
    link.size === undefined ? '' : size(link.size),
    usesLeft === undefined ? '' : text.link.usesLeft(usesLeft),
    expires ? text.link.endsAt(date(expires)) : '',
  ];
  const said = wrong?.code === 'wrong-credentials' ? text.link.wrongPassword : wrong ? sentence(wrong) : '';
  return (
    <section class="visit-card">
      <Icon name={needsPassword ? 'lock' : iconOf(name ?? '', directory ? 'directory' : 'file')} />
      <h1 dir="auto">{name ?? (directory ? text.link.folderFor : text.link.fileFor)}</h1>
      <p class="quiet">{facts.filter(Boolean).join(' · ')}</p>
      <form onSubmit={send}>
        {needsPassword && (
          <label class="field">
            <span>{text.link.itsPassword}</span>
            <input name="password" type="password" autocomplete="off" required />
          </label>
        )}
        <p class="form-problem" role="alert">
          {said}
        </p>
        <button type="submit" class="button primary wide" disabled={busy}>
          {text.open}
        </button>
      </form>
    </section>
  );
}
