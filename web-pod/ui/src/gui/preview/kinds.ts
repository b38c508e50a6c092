import type { Entry } from '../../requests/types.ts';

/** How a file is shown. */
export type Kind = 'picture' | 'drawing' | 'sound' | 'film' | 'text' | 'document';

const ENDINGS: Record<Kind, string> = {
  picture: 'png jpg jpeg gif webp avif',
  // The disk pods call these bytes: as pages they could run scripts. As pictures they can not.
  drawing: 'svg bmp ico',
  sound: 'mp3 ogg opus flac wav',
  film: 'mp4 m4v webm mov',
  text: 'txt md log csv tsv json jsonl yaml yml toml ini conf cfg env xml html htm css js mjs ts tsx jsx rs go py rb java kt c h cpp hpp cs php sh bat ps1 sql tex bib srt vtt diff patch gitignore dockerfile',
  document: 'pdf',
};

const BY_ENDING = new Map<string, Kind>();
for (const [kind, endings] of Object.entries(ENDINGS))
  for (const ending of endings.split(' ')) BY_ENDING.set(ending, kind as Kind);

/** What is shown is fetched whole, but for films and sounds, and of a text the beginning. */
const LARGEST: Partial<Record<Kind, number>> = { picture: 200 << 20, drawing: 20 << 20 };

/** How a file can be shown, if it can. */
export function kindOf({ name, kind, size }: Pick<Entry, 'name' | 'kind' | 'size'>): Kind | undefined {
  if (kind !== 'file') return undefined;
  const shown = BY_ENDING.get(name.slice(name.lastIndexOf('.') + 1).toLowerCase());
  // `Dockerfile` is a text; a file that is called `png` is anything.
  if (!name.includes('.') && shown !== 'text') return undefined;
  return shown && (size ?? 0) <= (LARGEST[shown] ?? Number.POSITIVE_INFINITY) ? shown : undefined;
}

/** The type under which a drawing is a picture. */
export const drawingType = (name: string): string =>
  ({ svg: 'image/svg+xml', bmp: 'image/bmp' })[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ??
  'image/x-icon';
