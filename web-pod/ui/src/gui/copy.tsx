import { useId, useRef } from 'preact/hooks';
import { words } from '../words/index.ts';
import { Icon } from './icon.tsx';
import { toast } from './toasts.tsx';

/** Something to be taken elsewhere: shown whole, and copied by a button. */
export function CopyField({ label, value }: { label: string; value: string }) {
  const text = words.value;
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    if (await copied(field.current, value)) toast(text.copiedText);
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <span class="copy-field">
        <input
          id={id}
          ref={field}
          readOnly
          dir="ltr"
          value={value}
          spellcheck={false}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="button" aria-label={`${text.copyText}: ${label}`} onClick={copy}>
          <Icon name="copy" />
          <span>{text.copyText}</span>
        </button>
      </span>
    </div>
  );
}

/** Without TLS a browser has no clipboard for pages; then what is selected is copied, as by the keyboard. */
async function copied(field: HTMLInputElement | null, value: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    field?.focus();
    field?.select();
    return document.execCommand('copy');
  }
}
