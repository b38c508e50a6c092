// webdav, of Node: webdav_steps.mjs URL NAME PASSWORD
// With a fourth word, `write`, it writes the file `held` at the URL until it may: it says the status of each refusal once.

import { Buffer } from 'node:buffer';
import assert from 'node:assert/strict';

const installed = '../../../target/tools/webdav-node/node_modules/webdav/dist/node/index.js';
const { createClient } = await import(new URL(installed, import.meta.url));
const [url, username, password, mode] = process.argv.slice(2);
const client = createClient(url, username ? { username, password } : {});

if (mode === 'write') {
  for (let said; ; ) {
    try {
      await client.putFileContents('/held', 'of the writer');
      console.log('written');
      break;
    } catch (error) {
      if (error.status !== said) console.log((said = error.status));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  process.exit();
}

const HERE = '/webdav 한';
const NAMES = ['plain.txt', 'a b+c%20.txt', '한글 é.txt', '#&;=@.txt'];
const LARGE = Buffer.alloc(3 << 20, Buffer.from(Array.from({ length: 251 }, (_, number) => number)));
const read = async (path) => Buffer.from(await client.getFileContents(path));

const steps = {
  async directory() {
    await client.createDirectory(HERE);
    await client.createDirectory(`${HERE}/d/e`, { recursive: true });
    assert.equal((await client.stat(`${HERE}/d/e`)).type, 'directory');
  },
  async upload() {
    for (const name of NAMES) await client.putFileContents(`${HERE}/${name}`, name);
    await client.putFileContents(`${HERE}/large`, LARGE);
  },
  async list() {
    const found = await client.getDirectoryContents(HERE);
    assert.deepEqual(found.map(({ basename }) => basename).sort(), [...NAMES, 'd', 'large'].sort());
    assert.equal(found.find(({ basename }) => basename === 'large').size, LARGE.length);
  },
  async download() {
    for (const name of NAMES) assert.equal(String(await read(`${HERE}/${name}`)), name);
    assert.ok(LARGE.equals(await read(`${HERE}/large`)));
    const pieces = [];
    const part = client.createReadStream(`${HERE}/large`, { range: { start: 1000000, end: 1000999 } });
    for await (const piece of part) pieces.push(piece);
    assert.ok(LARGE.subarray(1000000, 1001000).equals(Buffer.concat(pieces)));
  },
  async copy() {
    await client.copyFile(`${HERE}/plain.txt`, `${HERE}/d/copy 한`);
    await client.copyFile(`${HERE}/d`, `${HERE}/c`);
    assert.equal(String(await read(`${HERE}/c/copy 한`)), 'plain.txt');
  },
  async move() {
    await client.moveFile(`${HERE}/c`, `${HERE}/f`);
    assert.equal(await client.exists(`${HERE}/c`), false);
    await client.moveFile(`${HERE}/plain.txt`, `${HERE}/f/copy 한`);
    assert.equal(String(await read(`${HERE}/f/copy 한`)), 'plain.txt');
  },
  async keep() {
    await client.putFileContents(`${HERE}/kept`, 'kept');
    assert.equal(await client.putFileContents(`${HERE}/kept`, 'other', { overwrite: false }), false);
    assert.equal(String(await read(`${HERE}/kept`)), 'kept');
  },
  async quota() {
    // By itself it hopes to be told without asking for it.
    const data = '<propfind xmlns="DAV:"><prop><quota-used-bytes/><quota-available-bytes/></prop></propfind>';
    const quota = await client.getQuota({ data });
    assert.ok(quota && quota.used > 0 && quota.available > 0, JSON.stringify(quota));
  },
  async lock() {
    const path = `${HERE}/large`;
    const token = String((await client.lock(path, { timeout: 'Second-60' })).token);
    await assert.rejects(client.putFileContents(path, 'without the token'), { status: 423 });
    const held = token.startsWith('<') ? token : `<${token}>`;
    await client.putFileContents(path, 'with the token', { headers: { If: `(${held})` } });
    await client.unlock(path, held);
    await client.putFileContents(path, 'after it');
    assert.equal(String(await read(path)), 'after it');
  },
  async delete() {
    await client.deleteFile(HERE);
    assert.equal(await client.exists(HERE), false);
  },
};

for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`${name}: ok`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`${name}: ${error.name}: ${error.message.split(/\s+/).join(' ').slice(0, 160)}`);
  }
}
