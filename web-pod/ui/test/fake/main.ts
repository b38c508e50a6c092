// `npm run fake`: the page at http://disk.localhost:8090, without a cluster. A pod is taken away by typing, for
// example, `stop 0`, and comes back with `none 0`.

import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Fault } from './disk-pod.ts';
import { Fake } from './fake.ts';
import type { Space } from './volume.ts';

const GIB = 2 ** 30;
const fake = new Fake();

function fill(space: Space, files: readonly (readonly [string, number])[]): void {
  for (const [path, size] of files) {
    if (size < 0) space.makeDirectory(path, true);
    else space.store(path, { size, hash: createHash('sha256').digest('hex') }, true);
  }
}

fill(fake.own(), [
  ['Documents', -1],
  ['Photos/2026 제주', -1],
  ['Invoices', -1],
  ['Quarterly report.pdf', 2_481_152],
  ['회의록 11월.docx', 184_320],
  ['budget.csv', 48_213],
  ['backup-2026-11.tar.gz', 1.62 * GIB],
  ['harbour at dawn.jpg', 6_815_744],
  ['interview.mp3', 41_943_040],
  ['a name that is so long that no column of any table is wide enough for the whole of it at once.txt', 120],
]);
const person = (displayName: string, role: string, granted: number) => ({
  displayName,
  role,
  granted: granted * GIB,
});
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
const design = fake.volume.spaces.get('group-design');
if (design)
  fill(design, [
    ['Drafts', -1],
    ['poster final.png', 912 * 2 ** 20],
    ['logo.svg', 12_000],
  ]);
const family = fake.volume.spaces.get('group-family');
if (family)
  fill(family, [
    ['2025', -1],
    ['추석.mp4', 3.8 * GIB],
  ]);

await fake.start(Number(process.env.PORT ?? 8090));
console.log(`${fake.web.url}  ${fake.me} / ${fake.password}`);
createInterface({ input: process.stdin }).on('line', (line) => {
  const [fault, number] = line.trim().split(' ');
  void fake.pods[Number(number)]?.take(fault as Fault);
});
