// The directory that is shown: its entries, their order, what is selected.

import { computed, signal } from '@preact/signals';
import { parentOf } from '../../requests/paths.ts';
import { Problem } from '../../requests/problem.ts';
import type { Entry } from '../../requests/types.ts';
import { type Column, type Order, sorted } from './order.ts';

export interface Shown {
  readonly space: string;
  readonly path: string;
  /** Undefined until the first answer. */
  readonly entries: readonly Entry[] | undefined;
  readonly problem: Problem | undefined;
}

/** Many changes at once are one look. */
const LOOK_AGAIN_MS = 800;

class Listing {
  readonly shown = signal<Shown | null>(null);
  readonly order = signal<Order>({ column: 'name', descending: false });
  readonly selected = signal<ReadonlySet<string>>(new Set());
  readonly entries = computed(() => sorted(this.shown.value?.entries ?? [], this.order.value));
  private list: (space: string, path: string) => Promise<Entry[]> = async () => [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** How a directory is asked for. */
  use(list: (space: string, path: string) => Promise<Entry[]>): void {
    this.list = list;
  }

  show(space: string, path: string): void {
    this.shown.value = { space, path, entries: undefined, problem: undefined };
    this.selected.value = new Set();
    void this.refresh();
  }

  async refresh(): Promise<void> {
    const asked = this.shown.peek();
    if (!asked) return;
    const { space, path } = asked;
    const isStill = () => this.shown.peek()?.space === space && this.shown.peek()?.path === path;
    try {
      const entries = await this.list(space, path);
      if (!isStill()) return;
      this.shown.value = { space, path, entries, problem: undefined };
      const names = new Set(entries.map(({ name }) => name));
      this.selected.value = new Set([...this.selected.peek()].filter((name) => names.has(name)));
    } catch (error) {
      if (!isStill()) return;
      const problem = error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' });
      this.shown.value = { space, path, entries: asked.entries, problem };
    }
  }

  /** Something was stored at a path: if it shows here, one looks again soon. */
  touched(space: string, path: string): void {
    const shown = this.shown.peek();
    if (!shown || shown.space !== space) return;
    const within = shown.path === '' || path.startsWith(`${shown.path}/`);
    const direct = parentOf(path) === shown.path;
    const below = within ? path.slice(shown.path ? shown.path.length + 1 : 0).split('/')[0] : undefined;
    const isNew = !shown.entries?.some(({ name }) => name === below);
    if (!within || !(direct || isNew)) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.refresh();
    }, LOOK_AGAIN_MS);
  }

  sortBy(column: Column): void {
    const { column: before, descending } = this.order.value;
    this.order.value = { column, descending: column === before ? !descending : column !== 'name' };
  }

  select(name: string, on: boolean): void {
    const next = new Set(this.selected.value);
    if (on) next.add(name);
    else next.delete(name);
    this.selected.value = next;
  }

  selectAll(on: boolean): void {
    this.selected.value = new Set(on ? this.entries.value.map(({ name }) => name) : []);
  }
}

export const listing = new Listing();
