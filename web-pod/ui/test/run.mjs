// Compiles the tests and what they test with the same compiler as `npm run check`, and runs them with node's own
// runner: node 20 cannot read TypeScript itself. With --fake it runs the server that stands for the pods, with
// --pictures it takes pictures of every screen.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'node_modules/.cache/test');

function run(program, args) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(out, { recursive: true, force: true });
run(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.test.json']);
if (process.argv.includes('--fake')) {
  run(process.execPath, [join(out, 'test/fake/main.js')]);
} else if (process.argv.includes('--pictures')) {
  run(process.execPath, [join(out, 'test/browser/pictures.js'), ...process.argv.slice(3)]);
} else {
  const tests = readdirSync(join(out, 'test'), { recursive: true }).filter((name) =>
    name.endsWith('.test.js'),
  );
  const paths = tests.map((name) => join(out, 'test', name));
  // What measures how long an upload stands still has the machine to itself.
  const timed = paths.filter((path) => /failover|line\.test/.test(path));
  run(process.execPath, ['--test', ...timed]);
  run(process.execPath, ['--test', '--test-concurrency=2', ...paths.filter((path) => !timed.includes(path))]);
}
