// The directory that is shown: its entries, their order, what is selected.

import { computed, effect, signal } from '@preact/signals';
import { keep, kept as keptText } from '../../keeping.ts';
import { parentOf } from '../../requests/paths.ts';
import { Problem } from '../../requests/problem.ts';
import type { Entry } from '../../requests/types.ts';
import { type Column, comparison, finder, type Item, isFindersOwn, keyed, type Order } from './order.ts';
import { kept, NOTHING, namesOf, type Selection } from './selection.ts';
import { AT_ONCE, mappedInSlices, namesInSlices, sortedInSlices } from './slices.ts';

/** How entries are laid out. */
export type View = 'list' | 'grid';

export interface Shown {
  readonly space: string;
  readonly path: string;
  /** The moment in the past that is shown; null: now. */
  readonly at: string | null;
  /** Undefined until the first answer. */
  readonly items: readonly Item[] | undefined;
  /** Whether these are all. */
  readonly complete: boolean;
  readonly problem: Problem | undefined;
}

/** Those that came first, and of which state of the space they are. */
type First = (entries: Entry[], generation: number) => void;

/** Asks for a directory; tells of those that came first, when there are many. */
export type List = (space: string, path: string, first: First, at: string | null) => Promise<Entry[]>;

/** So many names are compared sooner than a hash is made of every name that there is. */
const FEW = 8;

/** Many changes at once are one look; where a look takes long, there are fewer. */
const LOOK_AGAIN_MS = 800;
const LOOK_PART = 2;

class Listing {
  readonly shown = signal<Shown | null>(null);
  readonly order = signal<Order>({ column: 'name', descending: false });
  readonly view = signal<View>(keptText('view') === 'grid' ? 'grid' : 'list');
  readonly filter = signal('');
  readonly selection = signal<Selection>(NOTHING);
  /** The entry whose name is being written. */
  readonly renaming = signal<string | null>(null);
  private names: ReadonlySet<string> = NOTHING.names;
  private readonly ordered = signal<readonly Item[]>([]);
  /** In their order, without those that the filter leaves out. */
  readonly entries = computed<readonly Item[]>(() => {
    const wanted = this.filter.value.trim();
    if (!wanted) return this.ordered.value;
    const found = finder(wanted);
    return this.ordered.value.filter(({ name }) => found(name));
  });
  readonly selected = computed<readonly Item[]>(() => {
    const { names } = this.selection.value;
    const entries = this.entries.value;
    if (names.size === 0) return [];
    // Nothing that is not there is selected: as many as there are, are all.
    if (names.size === entries.length && entries === this.ordered.value) return entries;
    if (names.size > FEW) return entries.filter(({ name }) => names.has(name));
    const few = [...names];
    return entries.filter(({ name }) => few.includes(name));
  });
  private list: List = async () => [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sorting = 0;
  /** Of which state of the space the entries are, and how long it took to ask for them. */
  private generation = 0;
  private took = 0;

  constructor() {
    effect(() => {
      void this.sort(this.shown.value?.items ?? [], this.order.value);
    });
  }

  /** How a directory is asked for. */
  use(list: List): void {
    this.list = list;
  }

  show(space: string, path: string, at: string | null = null): void {
    this.shown.value = { space, path, at, items: undefined, complete: false, problem: undefined };
    this.selection.value = NOTHING;
    this.filter.value = '';
    this.renaming.value = null;
    void this.refresh();
  }

  async refresh(): Promise<void> {
    const asked = this.shown.peek();
    if (!asked) return;
    const { space, path, at } = asked;
    const began = performance.now();
    const isStill = () => {
      const shown = this.shown.peek();
      return shown?.space === space && shown.path === path && shown.at === at;
    };
    try {
      let generation = 0;
      const first: First = (some, of) => {
        generation = of;
        // Something to look at until all of it is there.
        if (!isStill() || this.shown.peek()?.items) return;
        const items = some.filter((entry) => !isFindersOwn(entry)).map(keyed);
        this.shown.value = { space, path, at, items, complete: false, problem: undefined };
      };
      const entries = (await this.list(space, path, first, at)).filter((entry) => !isFindersOwn(entry));
      const items = entries.length > AT_ONCE ? await mappedInSlices(entries, keyed) : entries.map(keyed);
      if (!isStill()) return;
      this.generation = generation;
      this.took = performance.now() - began;
      this.shown.value = { space, path, at, items, complete: true, problem: undefined };
    } catch (error) {
      if (!isStill()) return;
      const problem = error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' });
      this.shown.value = { ...asked, items: this.shown.peek()?.items, problem };
    }
  }

  /** Something was stored at a path: if it shows here, one looks again soon. */
  touched(space: string, path: string): void {
    const shown = this.shown.peek();
    if (!shown || shown.space !== space || shown.at !== null) return;
    const within = shown.path === '' || path.startsWith(`${shown.path}/`);
    const direct = parentOf(path) === shown.path;
    const below = within ? path.slice(shown.path ? shown.path.length + 1 : 0).split('/')[0] : undefined;
    const isNew = !shown.items?.some(({ name }) => name === below);
    if (within && (direct || isNew)) this.refreshSoon(LOOK_AGAIN_MS);
  }

  /** A space has come to a newer state: perhaps somebody else changed what is shown. */
  newer(space: string, generation: number): void {
    const shown = this.shown.peek();
    if (shown?.complete && shown.at === null && shown.space === space && generation > this.generation)
      this.refreshSoon(0);
  }

  private refreshSoon(after: number): void {
    this.timer ??= setTimeout(
      () => {
        this.timer = undefined;
        void this.refresh();
      },
      Math.max(after, LOOK_PART * this.took),
    );
  }

  sortBy(column: Column): void {
    const { column: before, descending } = this.order.value;
    this.order.value = { column, descending: column === before ? !descending : column !== 'name' };
  }

  look(view: View): void {
    this.view.value = view;
    keep('view', view);
  }

  /** Takes entries off the page before the servers say so; they come back when it is looked again. */
  hide(names: ReadonlySet<string>): void {
    const shown = this.shown.peek();
    if (!shown?.items) return;
    this.shown.value = { ...shown, items: shown.items.filter(({ name }) => !names.has(name)) };
  }

  private async sort(items: readonly Item[], order: Order): Promise<void> {
    const turn = ++this.sorting;
    const compare = comparison(order);
    const sorted =
      items.length <= AT_ONCE
        ? [...items].sort(compare)
        : await sortedInSlices(items, compare, () => turn === this.sorting);
    if (!sorted || turn !== this.sorting) return;
    const before = this.ordered.peek();
    // Made here, in slices: whoever selects all of them wants it at once.
    const names = sorted.length <= AT_ONCE ? namesOf(sorted) : await namesInSlices(sorted);
    if (turn !== this.sorting) return;
    this.names = names;
    this.ordered.value = sorted;
    const selection = this.selection.peek();
    if (selection !== NOTHING) this.selection.value = kept(selection, before, sorted, names);
  }

  /** The names of all that is shown. */
  all(): ReadonlySet<string> {
    const entries = this.entries.value;
    return entries === this.ordered.value ? this.names : namesOf(entries);
  }
}

export const listing = new Listing();
