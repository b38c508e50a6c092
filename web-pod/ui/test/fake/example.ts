// A disk and some groups with something in them, for looking at the page and for taking pictures of it.

import { createHash } from 'node:crypto';
import type { Fake } from './fake.ts';
import { landscape, tone } from './pictures.ts';
import { makeShare } from './shares.ts';
import type { Space } from './volume.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** The day of the example is always the same: what is pictured must not change with the calendar. */
export const NOW = Date.parse('2026-11-25T10:24:00Z');
const HOUR = 3_600_000;

/** A path, a size or what is in it, and how many hours ago it was changed. A folder has no size. */
type Example = readonly [path: string, what: number | Buffer | 'folder', ago: number];

function fill(space: Space | undefined, files: readonly Example[]): void {
  for (const [path, what, ago] of files) {
    if (what === 'folder') space?.makeDirectory(path, true);
    else {
      const content = typeof what === 'number' ? undefined : what;
      const hash = createHash('sha256')
        .update(content ?? '')
        .digest('hex');
      space?.store(path, { size: typeof what === 'number' ? what : what.length, hash, content }, true);
    }
    const node = space?.nodes.get(path);
    // What is drawn is small; what is photographed is not.
    if (node && path.endsWith('.jpg')) node.size *= 997;
    if (node) node.modified = new Date(NOW - ago * HOUR).toISOString();
  }
}

const HILLS = [
  [
    'dawn over the harbour.jpg',
    [
      [214, 150, 130],
      [255, 236, 190],
      [58, 62, 84],
    ],
  ],
  [
    'Hallasan.jpg',
    [
      [120, 170, 214],
      [255, 244, 214],
      [64, 104, 74],
    ],
  ],
  [
    'evening.jpg',
    [
      [92, 74, 128],
      [250, 190, 120],
      [40, 36, 58],
    ],
  ],
  [
    'field.jpg',
    [
      [150, 200, 220],
      [255, 250, 230],
      [128, 146, 66],
    ],
  ],
  [
    'snow.jpg',
    [
      [168, 186, 204],
      [255, 255, 250],
      [206, 214, 222],
    ],
  ],
  [
    'tea hills.jpg',
    [
      [190, 214, 190],
      [255, 240, 200],
      [44, 92, 60],
    ],
  ],
] as const;

const NOTES = `Minutes, 25 November

- The harbour pictures go to the printer on Friday.
- Dora asks for the poster in A2, with bleed.
- 회의록은 다음 주까지 공유하기로 했다.

Next time: 2 December, 10:00.
`;

const person = (displayName: string, role: string, granted: number) => ({
  displayName,
  role,
  granted: granted * GIB,
});

/** Puts the example into a fake. */
export function furnish(fake: Fake): void {
  fill(fake.own(), [
    ['Documents/old draft.txt', Buffer.from('draft'), 30],
    ['Trip 2024/route.txt', Buffer.from('route'), 30],
    ['poster v1.png', 5_120_000, 30],
    ['notes.txt', Buffer.from('Minutes\n'), 200],
    ['notes.txt', Buffer.from('Minutes, 25 November\n'), 26],
  ]);
  for (const path of ['Documents/old draft.txt', 'Trip 2024', 'poster v1.png'])
    fake.own().operate({ op: 'delete', path });
  for (const [index, one] of fake.own().trash.entries())
    one.deleted = new Date(NOW - (2 + index * 31) * HOUR).toISOString();
  fill(fake.own(), [
    ['Documents', 'folder', 40],
    ['Documents/Contracts', 'folder', 500],
    ['Documents/Handbook.txt', Buffer.from(NOTES), 90],
    ['Photos/2026 제주', 'folder', 300],
    ['Photos', 'folder', 21],
    ['Invoices', 'folder', 700],
    ['Quarterly report.pdf', 2_481_152, 3],
    ['회의록 11월.docx', 184_320, 26],
    ['budget.csv', Buffer.from('month,amount\nNovember,48213\n'), 51],
    ['notes.txt', Buffer.from(NOTES), 1],
    ['backup-2026-11.tar.gz', Math.round(1.62 * GIB), 240],
    ['harbour at dawn.jpg', landscape(900, 640, HILLS[0][1]), 75],
    ['interview.wav', tone(440), 120],
    [
      'a name that is so long that no column of any table is wide enough for the whole of it at once.txt',
      120,
      9000,
    ],
    ...HILLS.map(([name, colours], index): Example => {
      return [`Photos/${name}`, landscape(640, 440, colours), 20 + index * 7];
    }),
    ['Photos/2026 제주/list.txt', 700, 300],
  ]);
  // A week ago there was a folder that has gone since, and other minutes.
  const own = fake.own();
  const now = new Map(own.nodes);
  own.moments = [];
  own.nodes.delete('Quarterly report.pdf');
  fill(own, [
    ['Draft of the book', 'folder', 24 * 9],
    ['Draft of the book/chapter 1.txt', Buffer.from('Once upon a time\n'), 24 * 9],
    ['notes.txt', Buffer.from('Minutes\n'), 200],
  ]);
  own.remember(NOW - 24 * 40 * HOUR);
  own.nodes.clear();
  for (const [path, node] of now) own.nodes.set(path, node);
  own.remember(NOW - HOUR / 2);
  const ago = (hours: number) => new Date(NOW - hours * HOUR).toISOString();
  fake.passwords = [
    { id: 'p1', name: 'Laptop at home', access: 'ReadWrite', created: ago(24 * 90), lastUsed: ago(2) },
    { id: 'p2', name: '사무실 컴퓨터', access: 'ReadWrite', space: 'own', created: ago(24 * 40) },
    {
      id: 'p3',
      name: 'Picture frame',
      access: 'Read',
      space: 'group-family',
      created: ago(24 * 12),
      lastUsed: ago(24 * 3),
    },
  ];
  fake.own().shares = [];
  const share = (wish: Parameters<typeof makeShare>[1], uses: number) => {
    const made = makeShare(fake.own(), wish);
    for (let use = 0; use < uses; use++) made.used.add(String(use));
  };
  share({ path: 'harbour at dawn.jpg' }, 41);
  share({ path: 'Photos', access: 'ReadAndUpload', expires: ago(-24 * 30), lasting: true }, 7);
  share({ path: 'Invoices', access: 'Upload' }, 3);
  share({ path: 'Documents', password: 'secret', expires: ago(-24 * 9), mostUses: 10, lasting: true }, 2);
  share({ path: 'budget.csv', mostUses: 3 }, 1);
  fake.addGroup({
    name: 'design',
    displayName: 'Design team',
    description: 'Drafts, pictures and what came of them.',
    policy: 'OnRequest',
    minimum: 100 * 2 ** 20,
    members: new Map([
      ['alice', person('Alice Kim', 'Owner', 2)],
      ['bob', person('Bob Ortiz', 'Editor', 1)],
      ['dora', person('Dora Lind', 'Viewer', 0.5)],
    ]),
    requests: [{ name: 'carol', size: GIB / 2 }],
    invited: [{ name: 'erik', role: 'Editor' }],
  });
  fake.addGroup({
    name: 'family',
    displayName: '가족 앨범',
    description: '여행과 명절 사진',
    policy: 'InviteOnly',
    minimum: 0,
    members: new Map([
      ['alice', person('Alice Kim', 'Editor', 1)],
      ['minsu', person('김민수', 'Owner', 3)],
    ]),
  });
  fake.addGroup({
    name: 'archive',
    displayName: 'Paper archive',
    description: 'Scans of the old files.',
    policy: 'Open',
    minimum: GIB,
    members: new Map([['bob', person('Bob Ortiz', 'Owner', 4)]]),
  });
  fake.addGroup({
    name: 'choir',
    displayName: 'Choir',
    description: null,
    policy: 'OnRequest',
    minimum: 0,
    members: new Map([['carol', person('Carol Novak', 'Owner', 2)]]),
    invited: [{ name: 'alice', role: 'Viewer' }],
  });
  fill(fake.volume.spaces.get('group-design'), [
    ['Drafts', 'folder', 30],
    ['poster final.png', 912 * MIB, 5],
    [
      'logo.svg',
      Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="3" fill="#256b58"/></svg>',
      ),
      400,
    ],
  ]);
  fill(fake.volume.spaces.get('group-family'), [
    ['2025', 'folder', 4000],
    ['추석.mp4', Math.round(3.8 * GIB), 1400],
  ]);
}

/** One more directory, with many files in it. */
export function crowd(space: Space, path: string, count: number): void {
  space.makeDirectory(path, true);
  for (let number = 0; number < count; number++) {
    const name = `${path}/scan ${(number * 7919) % count} of ${count}.tif`;
    const etag = `"c${number}"`;
    const modified = new Date(NOW - ((number * 104_729) % 90_000) * 60_000).toISOString();
    space.nodes.set(name, {
      kind: 'file',
      size: (number * 31) % 20_000,
      hash: '',
      content: undefined,
      modified,
      etag,
    });
  }
  space.generation++;
}
