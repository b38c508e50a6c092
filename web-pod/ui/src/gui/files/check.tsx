import { words } from '../../words/index.ts';
import { listing } from './listing.ts';
import { toggled } from './selection.ts';

/** The box that selects an entry. */
export function Check({ name, selected, tabIndex }: { name: string; selected: boolean; tabIndex: number }) {
  return (
    <input
      type="checkbox"
      aria-label={words.value.select(name)}
      tabIndex={tabIndex}
      checked={selected}
      onChange={(event) => {
        listing.selection.value = toggled(listing.selection.value, name, event.currentTarget.checked);
      }}
    />
  );
}
