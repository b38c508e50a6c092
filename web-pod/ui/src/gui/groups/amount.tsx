import { useId } from 'preact/hooks';
import { size, words } from '../../words/index.ts';

const UNITS = { MiB: 1 << 20, GiB: 1 << 30, TiB: 2 ** 40 } as const;
type Unit = keyof typeof UNITS;

/** The amount that the fields of a form name, in bytes. */
export function amountOf(form: FormData): number {
  const unit = String(form.get('unit')) as Unit;
  return Math.round(Number(form.get('amount')) * (UNITS[unit] ?? 1));
}

/** The unit in which an amount is a short number. */
export function unitOf(bytes: number): Unit {
  if (bytes >= UNITS.TiB && bytes % UNITS.TiB === 0) return 'TiB';
  return bytes >= UNITS.GiB || bytes === 0 ? 'GiB' : 'MiB';
}

/** Asks for an amount of storage. */
export function AmountField({ value, least, most }: { value: number; least: number; most: number }) {
  const text = words.value;
  const unit = unitOf(value);
  const id = useId();
  return (
    <fieldset class="field amount">
      <legend>{text.giveAmount}</legend>
      <input
        name="amount"
        type="number"
        inputMode="decimal"
        min={0}
        step="any"
        required
        defaultValue={String(Number((value / UNITS[unit]).toFixed(2)))}
        aria-label={text.giveAmount}
        aria-describedby={id}
      />
      <select name="unit" aria-label={text.unit} defaultValue={unit}>
        {Object.keys(UNITS).map((one) => (
          <option key={one} selected={one === unit}>
            {one}
          </option>
        ))}
      </select>
      <p id={id} class="quiet small">
        {text.leftToGive(size(most))} {least > 0 && text.atLeast(size(least))}
      </p>
    </fieldset>
  );
}
