import assert from 'node:assert/strict';
import { test } from 'node:test';
import { step, wakeAt } from '../../src/transfer/machine.ts';
import { FIRST_PIECE } from '../../src/transfer/pieces.ts';
import { begin, type Effect, type Event, type State } from '../../src/transfer/state.ts';

const MIB = 1 << 20;
const server = (name: string) => ({ name, url: `http://${name}` });
const [a, b, c] = [server('a'), server('b'), server('c')];

/** An upload on which events are played, with a clock of its own. */
class Play {
  state: State;
  now = 0;
  effects: readonly Effect[] = [];

  constructor(size = 100 * MIB, whole = false) {
    this.state = begin(size, whole, 0);
  }

  on(event: Event, after = 0): this {
    this.now += after;
    [this.state, this.effects] = step(this.state, event, this.world());
    return this;
  }

  world() {
    return { now: this.now, roundTrip: () => 2 };
  }

  /** Answers the request under way. */
  answer(
    event:
      | { on: 'created'; id: string; offset: number }
      | { on: 'located' | 'taken'; offset: number }
      | { on: 'broke' }
      | { on: 'progress'; sent: number }
      | { on: 'refused'; status: number; code: string; offset?: number; retryAfterMs?: number },
    after = 10,
  ): this {
    return this.on({ ...event, serial: this.state.serial } as Event, after);
  }

  says(server: string, says: 'answers' | 'refuses', offset?: number, after = 5): this {
    return this.on(
      { on: 'said', serial: this.state.serial, server, says, ...(offset === undefined ? {} : { offset }) },
      after,
    );
  }

  /** Lets time pass until the machine wants to be woken. */
  wake(): this {
    const at = wakeAt(this.state, this.world());
    assert.notEqual(at, null, 'it waits for nothing');
    this.now = at ?? this.now;
    return this.on({ on: 'tick' });
  }

  did(): string {
    return this.effects
      .map((effect) => {
        switch (effect.do) {
          case 'send':
            return `send ${effect.server.name} ${effect.from}+${effect.length}`;
          case 'moved':
            return `moved ${effect.from.name}>${effect.to.name} ${effect.standstill}`;
          case 'find':
            return effect.fresh ? 'find anew' : 'find';
          case 'drop':
            return 'drop';
          default:
            return `${effect.do} ${effect.server.name}`;
        }
      })
      .join(', ');
  }
}

/** An upload that is under way at server a, with the first piece acknowledged. */
function underWay(): Play {
  const play = new Play().on({ on: 'start' });
  assert.equal(play.did(), 'find');
  play.on({ on: 'servers', servers: [a, b, c] });
  assert.equal(play.did(), 'create a');
  play.answer({ on: 'created', id: 'u', offset: 0 });
  assert.equal(play.did(), `send a 0+${FIRST_PIECE}`);
  play.answer({ on: 'taken', offset: FIRST_PIECE });
  assert.equal(
    play.did(),
    `send a ${FIRST_PIECE}+${2 * FIRST_PIECE}`,
    'a quick piece is followed by a larger one',
  );
  return play;
}

test('a file goes up piece by piece', () => {
  const play = underWay();
  while (play.state.phase.at === 'sending') {
    const { from, length } = play.state.phase;
    play.answer({ on: 'progress', sent: from + length }).answer({ on: 'taken', offset: from + length }, 900);
  }
  assert.equal(play.state.phase.at, 'done');
  assert.equal(play.state.acknowledged, 100 * MIB);
});

test('a file that went into the line whole is waited for as long as a slow line needs', () => {
  const size = 2 * MIB;
  const play = new Play(size, true).on({ on: 'start' }).on({ on: 'servers', servers: [a, b] });
  play.answer({ on: 'progress', sent: size });
  const began = play.now;
  // All is handed over, and nothing more is told of it: both servers answer whenever they are asked.
  while (play.state.phase.at === 'sending' && play.now - began < 120_000) {
    const before = play.now;
    play.wake();
    if (play.state.doubt) play.says('b', 'answers').says('a', 'answers');
    if (play.did().includes('drop')) break;
    assert.ok(play.now > before, 'time passes');
  }
  const waited = play.now - began;
  assert.ok(waited > 30_000 && waited < 45_000, `${waited} ms`);
});

test('a small file goes up whole, and again whole to the next server', () => {
  const play = new Play(1000, true).on({ on: 'start' }).on({ on: 'servers', servers: [a, b] });
  assert.equal(play.did(), 'send a 0+1000');
  play.answer({ on: 'progress', sent: 1000 }).answer({ on: 'broke' });
  assert.equal(play.did(), 'drop, suspect a, send b 0+1000');
  play.answer({ on: 'taken', offset: 1000 });
  assert.equal(play.state.phase.at, 'done');
});

test('a broken connection leads to the next server at once, and on from what is durable there', () => {
  const play = underWay()
    .answer({ on: 'progress', sent: 2 * MIB }, 50)
    .answer({ on: 'broke' }, 30);
  assert.equal(play.did(), 'drop, suspect a, locate b');
  play.answer({ on: 'located', offset: 1.5 * MIB }, 20);
  assert.equal(
    play.did(),
    `send b ${1.5 * MIB}+${FIRST_PIECE}`,
    'the first piece there is small: its answer comes soon',
  );
  play.answer({ on: 'progress', sent: 1.6 * MIB }, 40);
  assert.equal(play.did(), 'moved a>b 90', 'from the last sign of progress to the first one there');
  play.answer({ on: 'progress', sent: 1.7 * MIB });
  assert.equal(play.did(), '', 'and it is told once');
});

test('a silent server is left when the next one answers', () => {
  const play = underWay().answer({ on: 'progress', sent: 2 * MIB }, 50);
  const last = play.now;
  play.wake();
  assert.equal(play.now - last, 500);
  assert.equal(play.did(), 'ask a, ask b');
  play.says('b', 'answers', FIRST_PIECE);
  assert.equal(play.did(), '', 'this one has its time, too');
  play.wake();
  assert.equal(
    play.did(),
    `drop, suspect a, send b ${FIRST_PIECE}+${FIRST_PIECE}`,
    'the offset is known already',
  );
  play.answer({ on: 'taken', offset: 2 * FIRST_PIECE }, 30);
  assert.match(play.did(), /^moved a>b 730, send b/);
  assert.ok(play.now - last < 1000);
});

test('a server that says that its storage does not answer is left without waiting', () => {
  const play = underWay().wake().says('a', 'refuses').says('b', 'answers', FIRST_PIECE);
  assert.equal(play.did(), `drop, suspect a, send b ${FIRST_PIECE}+${FIRST_PIECE}`);
});

test('a slow line is not a dead server', () => {
  const play = underWay();
  for (let round = 0; round < 5; round++) {
    play.wake();
    assert.match(play.did(), /^ask a, ask b$/);
    play.says('b', 'answers', FIRST_PIECE).says('a', 'answers', FIRST_PIECE);
    assert.equal(play.did(), '');
    assert.equal(play.state.phase.at, 'sending');
  }
  const { serial } = play.state;
  play.answer({ on: 'progress', sent: 2 * MIB });
  assert.equal(play.state.serial, serial, 'the request goes on all the time');
});

test('when neither answers it is the line, and one waits', () => {
  const play = underWay().wake().wake();
  assert.equal(play.did(), '');
  assert.equal(play.state.phase.at, 'sending');
  play.wake();
  assert.equal(play.did(), 'ask a, ask c', 'the one that was silent is not asked again');
});

test('a server that answers while nothing moves for long is left as well', () => {
  const play = underWay();
  let rounds = 0;
  while (play.state.phase.at === 'sending' && play.state.phase.server === a && rounds++ < 20) {
    play.wake().says('b', 'answers', FIRST_PIECE).says('a', 'answers', FIRST_PIECE);
  }
  assert.ok(play.now > 5000 && play.now < 6500, String(play.now));
  assert.match(play.did(), /send b/);
});

test('a line so slow that one hears of durable bytes alone is kept', () => {
  const play = underWay();
  for (let round = 0; round < 30; round++) {
    const durable = FIRST_PIECE + round * 1000;
    play.wake().says('b', 'answers', durable).says('a', 'answers', durable);
    assert.ok(play.state.phase.at === 'sending' && play.state.phase.server === a);
  }
  assert.ok(play.now > 15_000);
});

test('an only server is asked about at the web pod as well', () => {
  const play = new Play().on({ on: 'start' }).on({ on: 'servers', servers: [a] });
  play.answer({ on: 'created', id: 'u', offset: 0 }).wake();
  assert.equal(play.did(), 'ask a, find anew');
  play.on({ on: 'servers', servers: [a, b] }).wake();
  assert.equal(play.state.doubt, null);
  play.wake();
  assert.equal(play.did(), 'ask a, ask b');
});

test('what the answers lead to', () => {
  const refusals: [
    { status: number; code: string; offset?: number; retryAfterMs?: number },
    string,
    State['phase']['at'],
  ][] = [
    [
      { status: 503, code: 'draining', offset: 2 * MIB },
      `drop, suspect a, send b ${2 * MIB}+${FIRST_PIECE}`,
      'sending',
    ],
    [{ status: 503, code: 'storage-stalled', retryAfterMs: 1000 }, 'drop, suspect a, locate b', 'locating'],
    [{ status: 429, code: 'too-many-requests' }, 'drop, suspect a, locate b', 'locating'],
    [{ status: 502, code: 'no-ready-server' }, 'drop, suspect a, locate b', 'locating'],
    [
      { status: 409, code: 'offset-conflict', offset: 3 * MIB },
      `send a ${3 * MIB}+${2 * FIRST_PIECE}`,
      'sending',
    ],
    [{ status: 409, code: 'offset-conflict' }, 'locate a', 'locating'],
    [{ status: 400, code: 'body-incomplete' }, 'locate a', 'locating'],
    [{ status: 401, code: 'ticket-expired' }, 'find anew', 'finding'],
    [{ status: 410, code: 'upload-gone' }, 'create a', 'creating'],
    [{ status: 409, code: 'exists' }, '', 'conflict'],
    [{ status: 412, code: 'precondition-failed' }, '', 'conflict'],
    [{ status: 507, code: 'quota-exceeded' }, 'drop', 'failed'],
    [{ status: 403, code: 'read-only' }, 'drop', 'failed'],
    [{ status: 413, code: 'too-large' }, 'drop', 'failed'],
  ];
  for (const [refusal, did, at] of refusals) {
    const play = underWay().answer({ on: 'refused', ...refusal });
    assert.equal(play.did(), did, refusal.code);
    assert.equal(play.state.phase.at, at, refusal.code);
  }
});

test('a new ticket leads back to the same server, if it is still named', () => {
  const play = underWay().answer({ on: 'refused', status: 401, code: 'ticket-expired' });
  play.on({ on: 'servers', servers: [b, c, a] });
  assert.equal(play.did(), 'locate a');
  const other = underWay().answer({ on: 'refused', status: 401, code: 'ticket-expired' });
  other.on({ on: 'servers', servers: [b, c] });
  assert.equal(other.did(), 'locate b');
});

test('when every server failed the web pod is asked, then less and less often', () => {
  const play = underWay().answer({ on: 'broke' }).answer({ on: 'broke' }).answer({ on: 'broke' });
  assert.equal(play.did(), 'drop, suspect c, find anew');
  play.on({ on: 'servers', servers: [b, c] });
  assert.equal(play.did(), 'locate b');
  play.answer({ on: 'broke' }).answer({ on: 'broke' });
  assert.equal(play.state.phase.at, 'waiting');
  play.wake();
  assert.equal(play.did(), 'find anew');
  play.on({ on: 'no-servers', code: 'no-ready-server', retryAfterMs: 1000 });
  const { phase } = play.state;
  assert.ok(phase.at === 'waiting' && phase.until - play.now >= 1000);
  play.on({ on: 'online' });
  assert.equal(play.did(), 'find anew', 'when the line is back nothing is waited for');
  play
    .on({ on: 'servers', servers: [b] })
    .answer({ on: 'located', offset: MIB })
    .answer({ on: 'taken', offset: 2 * MIB });
  assert.equal(play.state.rounds, 0, 'and all is forgiven');
});

test('a disk that one has no part in any more is not waited for', () => {
  for (const code of ['not-found', 'forbidden']) {
    const play = new Play().on({ on: 'start' });
    play.on({ on: 'no-servers', code, retryAfterMs: 0 });
    assert.equal(play.state.phase.at, 'failed', code);
    assert.equal(play.state.phase.at === 'failed' && play.state.phase.code, 'disk-gone');
    // One may have joined again.
    play.on({ on: 'resume' });
    assert.equal(play.state.phase.at, 'finding');
  }
  for (const code of ['no-answer', 'unauthenticated', 'overloaded', 'read-only']) {
    const play = new Play().on({ on: 'start' });
    play.on({ on: 'no-servers', code, retryAfterMs: 0 });
    assert.equal(play.state.phase.at, 'waiting', code);
  }
});

test('a server that contradicts again and again is left', () => {
  const play = underWay();
  for (let quarrel = 0; quarrel < 4; quarrel++) {
    play.answer({ on: 'refused', status: 409, code: 'offset-conflict', offset: MIB });
    assert.match(play.did(), /^send a/);
  }
  play.answer({ on: 'refused', status: 409, code: 'offset-conflict', offset: MIB });
  assert.equal(play.did(), 'drop, suspect a, locate b');
});

test('pause, resume, and what comes too late', () => {
  const play = underWay();
  const before = play.state.serial;
  play.on({ on: 'pause' });
  assert.equal(play.did(), 'drop');
  assert.equal(wakeAt(play.state, play.world()), null);
  play.on({ on: 'taken', serial: before, offset: 50 * MIB });
  assert.equal(play.state.phase.at, 'paused', 'answers to what was dropped are not listened to');
  play.on({ on: 'resume' }, 60_000).on({ on: 'servers', servers: [a, b] });
  assert.equal(play.did(), 'locate a');
  play.answer({ on: 'located', offset: FIRST_PIECE }).answer({ on: 'progress', sent: 2 * FIRST_PIECE });
  assert.equal(play.did(), '', 'a pause is no standstill');
});

test('the member decides what becomes of a file that is there', () => {
  const play = underWay().answer({ on: 'refused', status: 409, code: 'exists' });
  play.on({ on: 'decided', replace: true }).on({ on: 'servers', servers: [a] });
  const [effect] = play.effects;
  assert.ok(effect?.do === 'create' && effect.replace);
});

test('the last byte may be acknowledged by an empty request', () => {
  const play = underWay()
    .answer({ on: 'broke' })
    .answer({ on: 'located', offset: 100 * MIB });
  assert.equal(play.did(), `send b ${100 * MIB}+0`);
  play.answer({ on: 'taken', offset: 100 * MIB });
  assert.equal(play.state.phase.at, 'done');
});

test('whatever happens, offsets stay within the file and no state is left without a way out', () => {
  // A generator of its own, so that a failure can be played again.
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  const codes = ['draining', 'offset-conflict', 'ticket-expired', 'body-incomplete', 'storage-stalled'];
  for (let run = 0; run < 400; run++) {
    const size = random(20 * MIB);
    const play = new Play(size, random(4) === 0).on({ on: 'start' });
    for (let turn = 0; turn < 60; turn++) {
      const { serial, phase } = play.state;
      const offset = random(size + 1);
      const events: Event[] = [
        { on: 'servers', servers: [a, b, c].slice(0, random(4)) },
        { on: 'created', serial, id: 'u', offset: 0 },
        { on: 'located', serial, offset },
        { on: 'progress', serial, sent: offset },
        { on: 'taken', serial, offset },
        { on: 'broke', serial },
        { on: 'refused', serial, status: 503, code: codes[random(codes.length)] ?? '', offset },
        {
          on: 'said',
          serial,
          server: ['a', 'b', 'c'][random(3)] ?? 'a',
          says: random(2) ? 'answers' : 'refuses',
          offset,
        },
        { on: 'tick' },
        { on: 'pause' },
        { on: 'resume' },
        { on: 'online' },
        { on: 'unreadable' },
        { on: 'no-servers', code: 'overloaded', retryAfterMs: random(3000) },
      ];
      play.on(events[random(events.length)] ?? { on: 'tick' }, random(400));
      const { acknowledged, sent } = play.state;
      assert.ok(acknowledged >= 0 && acknowledged <= size && sent <= size, `${run} ${turn} ${phase.at}`);
      for (const effect of play.effects) {
        if (effect.do === 'send') assert.ok(effect.from + effect.length <= size && effect.length >= 0);
      }
      const alive = play.state.phase.at;
      const waits = alive === 'finding' || wakeAt(play.state, play.world()) !== null;
      const rests = alive === 'paused' || alive === 'done' || alive === 'failed' || alive === 'conflict';
      assert.ok(waits || rests, `${run} ${turn}: ${alive} waits for nothing`);
    }
  }
});
