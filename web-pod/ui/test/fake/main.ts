// `npm run fake`: the page at http://disk.localhost:8090, without a cluster. A pod is taken away by typing, for
// example, `stop 0`, and comes back with `none 0`.

import { createInterface } from 'node:readline';
import type { Fault } from './disk-pod.ts';
import { crowd, furnish } from './example.ts';
import { Fake } from './fake.ts';

const fake = new Fake();
furnish(fake);
crowd(fake.own(), 'Scans', 100_000);
await fake.start(Number(process.env.PORT ?? 8090));
console.log(`${fake.web.url}  ${fake.me} / ${fake.password}`);
createInterface({ input: process.stdin }).on('line', (line) => {
  const [fault, number] = line.trim().split(' ');
  void fake.pods[Number(number)]?.take(fault as Fault);
});
