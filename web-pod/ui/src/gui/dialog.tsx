import { signal } from '@preact/signals';
import type { ComponentChildren, TargetedSubmitEvent } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Problem } from '../requests/problem.ts';
import { sentence, words } from '../words/index.ts';
import { Icon } from './icon.tsx';

/** The dialog that is open, drawn by a function that is given how to close it. */
const current = signal<((close: () => void) => ComponentChildren) | null>(null);

export function openDialog(draw: (close: () => void) => ComponentChildren): void {
  current.value = draw;
}

function closeDialog(): void {
  current.value = null;
}

/** Where dialogs appear. The browser's own element keeps the focus inside and gives it back. */
export function DialogHost() {
  const draw = current.value;
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (draw && !element.current?.open) element.current?.showModal();
    if (!draw && element.current?.open) element.current.close();
  }, [draw]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it already; the click is one on what is around it
    <dialog
      ref={element}
      class="dialog"
      onClose={closeDialog}
      onClick={(event) => event.target === element.current && closeDialog()}
    >
      {draw?.(closeDialog)}
    </dialog>
  );
}

/** What a form answers that has more to say. */
export const STAY = Symbol('stay');

/** Something to read or take, without a question. */
export function Sheet({
  title,
  close,
  children,
}: {
  title: string;
  close: () => void;
  children?: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class="form" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="icon-button" aria-label={words.value.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="form-body">{children}</div>
      <footer>
        <button type="button" class="button primary" onClick={close}>
          {words.value.finished}
        </button>
      </footer>
    </section>
  );
}

/** A question with a form: what is refused is told right there. */
export function FormDialog({
  title,
  submit,
  danger = false,
  onSubmit,
  close,
  children,
}: {
  title: string;
  submit: string;
  danger?: boolean;
  /** Closes the dialog when it succeeds, unless it answers `STAY`. */
  onSubmit: (form: FormData) => Promise<unknown> | undefined;
  close: () => void;
  children?: ComponentChildren;
}) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Problem | null>(null);
  const id = useId();
  const send = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    setWrong(null);
    try {
      if ((await onSubmit(new FormData(event.currentTarget))) !== STAY) close();
    } catch (error) {
      setWrong(error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' }));
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={send} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="icon-button" aria-label={words.value.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="form-body">{children}</div>
      <p class="form-problem" role="alert">
        {wrong ? sentence(wrong) : ''}
      </p>
      <footer>
        <button type="button" class="button" onClick={close}>
          {words.value.cancel}
        </button>
        <button type="submit" class={`button ${danger ? 'danger' : 'primary'}`} disabled={busy}>
          {submit}
        </button>
      </footer>
    </form>
  );
}

/** Asks before something that can not be taken back. */
export function confirm(
  question: { title: string; text: string; yes: string },
  onYes: () => Promise<unknown> | undefined,
): void {
  openDialog((close) => (
    <FormDialog title={question.title} submit={question.yes} danger onSubmit={onYes} close={close}>
      <p>{question.text}</p>
    </FormDialog>
  ));
}

/** Asks for a name. */
export function askName(
  question: { title: string; label: string; submit: string; value?: string },
  onName: (name: string) => Promise<unknown>,
): void {
  openDialog((close) => (
    <FormDialog
      title={question.title}
      submit={question.submit}
      onSubmit={(form) => onName(String(form.get('name') ?? '').trim())}
      close={close}
    >
      <NameField label={question.label} value={question.value ?? ''} />
    </FormDialog>
  ));
}

function NameField({ label, value }: { label: string; value: string }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // The ending of a name is rarely what one wants to change.
    const dot = value.lastIndexOf('.');
    input.current?.focus();
    input.current?.setSelectionRange(0, dot > 0 ? dot : value.length);
  }, [value]);
  return (
    <label class="field">
      <span>{label}</span>
      <input
        ref={input}
        name="name"
        defaultValue={value}
        required
        maxLength={255}
        pattern="[^\/]+"
        autocomplete="off"
      />
    </label>
  );
}
