import type { TargetedSubmitEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Problem } from '../requests/problem.ts';
import type { Ways } from '../requests/types.ts';
import * as web from '../requests/web.ts';
import { sentence, words } from '../words/index.ts';
import { Icon } from './icon.tsx';
import { LanguageChoice } from './language.tsx';
import { format, route } from './route.ts';
import { expired, signIn } from './store.ts';

const BY_PASSWORD: Ways = { passwords: true, providers: [] };

export function SignIn() {
  const text = words.value;
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);
  const [wrong, setWrong] = useState<Problem | null>(null);
  const [ways, setWays] = useState<Ways>(BY_PASSWORD);
  // Where one wants to be is where one comes back to.
  const wanted = format(route.value);
  useEffect(() => {
    // Whatever keeps that from being known, a password can be tried.
    web.waysToSignIn().then(setWays, () => undefined);
  }, []);
  const kind: { type: 'password' } | { type?: 'text' } = shown ? { type: 'text' } : { type: 'password' };
  const send = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setWrong(null);
    try {
      await signIn(String(form.get('member')), String(form.get('password')));
    } catch (error) {
      setWrong(error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' }));
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <span class="brand-mark" aria-hidden="true">
          <Icon name="disk" />
        </span>
        <h1>{text.product}</h1>
        <p class="quiet">{expired.value ? text.signedOut : text.welcome}</p>
        {ways.providers.length > 0 && (
          <div class="providers">
            {ways.providers.map(({ name, displayName }) => (
              <a key={name} class="button wide" href={web.providerUrl(name, `/${wanted}`)}>
                {text.signInBy(displayName)}
              </a>
            ))}
          </div>
        )}
        {ways.passwords && (
          <form onSubmit={send}>
            <label class="field">
              <span>{text.member}</span>
              <input
                name="member"
                autocomplete="username"
                autocapitalize="none"
                spellcheck={false}
                required
              />
            </label>
            <label class="field">
              <span>{text.password}</span>
              <span class="with-button">
                <input name="password" {...kind} autocomplete="current-password" required />
                <button
                  type="button"
                  class="icon-button"
                  aria-label={text.showPassword}
                  aria-pressed={shown}
                  onClick={() => setShown(!shown)}
                >
                  <Icon name="eye" />
                </button>
              </span>
            </label>
            <p class="form-problem" role="alert">
              {wrong ? sentence(wrong) : ''}
            </p>
            <button type="submit" class="button primary wide" disabled={busy}>
              {busy ? text.signingIn : text.signIn}
            </button>
          </form>
        )}
      </div>
      <LanguageChoice />
    </main>
  );
}
