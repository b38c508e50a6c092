import type { Usage } from '../requests/types.ts';
import { size, words } from '../words/index.ts';

/** From this part on, a disk is nearly full. */
const NEARLY = 0.9;

/** How full a disk is. What uploads under way have set aside is shown as well: it cannot be used otherwise. */
export function Meter({
  usage,
  limit,
  thin = false,
}: {
  usage: Usage | undefined;
  limit: number;
  thin?: boolean;
}) {
  const most = usage?.limit ?? limit;
  const part = (bytes: number) => (most > 0 ? Math.min(bytes / most, 1) : bytes > 0 ? 1 : 0);
  const used = part(usage?.used ?? 0);
  const reserved = Math.min(part(usage?.reserved ?? 0), 1 - used);
  const over = usage !== undefined && usage.used > most;
  const state = over ? 'over' : used + reserved > NEARLY ? 'nearly' : '';
  const text = usage ? words.value.usedOf(size(usage.used), size(most)) : size(most);
  return (
    <div
      class={`meter ${state} ${thin ? 'thin' : ''}`}
      role="meter"
      aria-label={words.value.usage}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(used * 100)}
      aria-valuetext={text}
    >
      {/* A disk that is not empty must not look so. */}
      <span class="meter-used" style={{ width: `${used > 0 ? Math.max(used * 100, 0.75) : 0}%` }} />
      <span class="meter-reserved" style={{ width: `${reserved * 100}%` }} />
    </div>
  );
}
