/** Parts are told apart by shade; the list below the bar says the same in words. */
const SHADES = 6;

export interface Part {
  readonly key: string;
  readonly amount: number;
  readonly label: string;
}

/** A whole and what it is made of. */
export function Parts({ parts }: { parts: readonly Part[] }) {
  const total = Math.max(
    parts.reduce((sum, { amount }) => sum + amount, 0),
    1,
  );
  return (
    <>
      <div class="shares" aria-hidden="true">
        {parts.map(({ key, amount, label }, index) => (
          <span
            key={key}
            class={`share shade-${index % SHADES}`}
            style={{ flexGrow: amount / total }}
            title={label}
          />
        ))}
      </div>
      <ul class="legend">
        {parts.map(({ key, label }, index) => (
          <li key={key}>
            <span class={`dot shade-${index % SHADES}`} aria-hidden="true" />
            {label}
          </li>
        ))}
      </ul>
    </>
  );
}
