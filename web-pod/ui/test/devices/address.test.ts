import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addresses, systemOf } from '../../src/gui/devices/address.ts';

test('a disk has the addresses that each program wants', () => {
  const own = addresses('https://files.example.org/', null, 'alice');
  assert.equal(own.web, 'https://files.example.org/dav/home/');
  assert.equal(own.gnome, 'davs://files.example.org/dav/home/');
  assert.equal(own.kde, 'webdavs://files.example.org/dav/home/');
  assert.match(own.netUse, /home\/ \/user:alice$/);
  const group = addresses('http://1.files.localhost:8080', 'a b', 'alice');
  assert.equal(group.web, 'http://1.files.localhost:8080/dav/groups/a%20b/');
  assert.equal(group.gnome, 'dav://1.files.localhost:8080/dav/groups/a%20b/');
  assert.match(group.rclone, /url=http:\/\/1\.files\.localhost:8080\/dav\/groups\/a%20b\/ .*user=alice/);
});

test('the system in front of which one sits is shown first', () => {
  assert.equal(systemOf('Mozilla/5.0 (Windows NT 10.0; Win64; x64)'), 'windows');
  assert.equal(systemOf('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)'), 'mac');
  assert.equal(systemOf('Mozilla/5.0 (X11; Linux x86_64)'), 'linux');
});
