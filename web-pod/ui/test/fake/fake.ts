// A small service that stands for the pods while the page is tried: three disk pods, one web pod, one member.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DiskPod } from './disk-pod.ts';
import { Refused, Space, Volume } from './volume.ts';
import { WebPod } from './web-pod.ts';

const GIB = 2 ** 30;

/** The root of this package, from where the compiled tests lie: node_modules/.cache/test/test/fake. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../../../..');

interface FakeGroup {
  name: string;
  displayName: string;
  description: string | null;
  policy: string;
  minimum: number;
  members: Map<string, { displayName: string; role: string; granted: number }>;
  requests: { name: string; size: number }[];
  invited: { name: string; role: string }[];
}

export class Fake {
  readonly me = 'alice';
  readonly password = 'secret';
  readonly quota = 12 * GIB;
  /** Every ticket is over. */
  refuseTickets = false;
  readonly volume = new Volume();
  readonly pods: DiskPod[];
  readonly web: WebPod;
  readonly groups = new Map<string, FakeGroup>();
  passwords: {
    id: string;
    name: string;
    access: string;
    space?: string;
    created: string;
    lastUsed?: string;
  }[] = [];
  mostPasswords = 20;
  /** How one signs in. */
  ways: { passwords: boolean; providers: { name: string; displayName: string }[] } = {
    passwords: true,
    providers: [],
  };
  /** Set for groups that were asked for but not joined. */
  readonly asked = new Map<string, number>();

  constructor(dist = join(ROOT, 'dist')) {
    this.pods = [0, 1, 2].map(
      (number) => new DiskPod(`fake-disk-${number}`, this.volume, () => this.refuseTickets),
    );
    this.web = new WebPod({ pods: this.pods, volume: this.volume, dist, fake: this });
    this.volume.spaces.set('own', new Space(this.quota));
  }

  async start(port = 0): Promise<void> {
    for (const pod of this.pods) await pod.listen();
    await this.web.listen(port);
  }

  stop(): void {
    for (const pod of this.pods) pod.close();
    this.web.close();
  }

  own(): Space {
    const space = this.volume.spaces.get('own');
    if (!space) throw new Error('no own space');
    return space;
  }

  addGroup(group: Omit<FakeGroup, 'members' | 'requests' | 'invited'> & Partial<FakeGroup>): FakeGroup {
    const whole = { members: new Map(), requests: [], invited: [], ...group };
    this.groups.set(group.name, whole);
    this.volume.spaces.set(`group-${group.name}`, new Space(0));
    this.settle();
    return whole;
  }

  /** What the operator does. */
  private settle(): void {
    let given = 0;
    for (const group of this.groups.values()) {
      const space = this.volume.spaces.get(`group-${group.name}`);
      if (space) space.limit = [...group.members.values()].reduce((sum, { granted }) => sum + granted, 0);
      given += group.members.get(this.me)?.granted ?? 0;
    }
    this.own().limit = this.quota - given;
  }

  session() {
    return {
      member: { name: this.me, uid: 'u-1', displayName: 'Alice Kim' },
      expires: new Date(Date.now() + 3_600_000).toISOString(),
      mode: 'ReadWrite',
      groups: { creation: 'Members', joinPolicies: ['Open', 'OnRequest', 'InviteOnly'] },
    };
  }

  spaces() {
    const mine = [...this.groups.values()].filter(({ members }) => members.has(this.me));
    const others = [...this.groups.values()].filter(
      (group) => !mine.includes(group) && !this.asked.has(group.name),
    );
    const offer = (group: FakeGroup) => ({
      name: group.name,
      uid: group.name,
      displayName: group.displayName,
      description: group.description,
      policy: group.policy,
      minimum: group.minimum,
      role: 'Editor',
      participants: group.members.size,
    });
    return {
      generation: 1,
      own: {
        space: 'own',
        quota: this.quota,
        limit: this.own().limit,
        allocations: [
          ...mine.map((group) => {
            const granted = group.members.get(this.me)?.granted ?? 0;
            return { group: group.name, size: granted, granted, state: 'Active' };
          }),
          ...[...this.asked].map(([group, size]) => ({ group, size, granted: 0, state: 'Requested' })),
        ],
      },
      groups: mine.map((group) => {
        const me = group.members.get(this.me);
        const capacity = this.volume.spaces.get(`group-${group.name}`)?.limit ?? 0;
        return {
          name: group.name,
          uid: group.name,
          displayName: group.displayName,
          description: group.description,
          space: `group-${group.name}`,
          role: me?.role,
          capacity,
          granted: me?.granted,
          size: me?.granted,
          access: 'ReadWrite',
          joining: { policy: group.policy, defaultRole: 'Editor', minimum: group.minimum },
          participants: [...group.members].map(([name, { displayName, role, granted }]) => {
            return { name, displayName, role, granted };
          }),
          requests: me?.role === 'Owner' ? group.requests : [],
          invited: me?.role === 'Owner' ? group.invited : [],
        };
      }),
      invitations: others.filter(({ invited }) => invited.some(({ name }) => name === this.me)).map(offer),
      open: others
        .filter(
          ({ policy, invited }) => policy !== 'InviteOnly' && !invited.some(({ name }) => name === this.me),
        )
        .map(offer),
    };
  }

  createGroup(wish: { displayName: string; description?: string; joining: string; size: number }) {
    const name = wish.displayName.toLowerCase().replace(/[^a-z0-9]+/g, '-') || 'group';
    const members = new Map([[this.me, { displayName: 'Alice Kim', role: 'Owner', granted: wish.size }]]);
    const description = wish.description ?? null;
    this.addGroup({
      name,
      displayName: wish.displayName,
      description,
      policy: wish.joining,
      minimum: 0,
      members,
    });
    return { name, uid: name, displayName: wish.displayName, size: wish.size };
  }

  allocate(name: string, size: number) {
    const group = this.groups.get(name);
    if (!group) throw new Refused(404, 'not-found');
    const invited = group.invited.find((one) => one.name === this.me);
    const me = group.members.get(this.me);
    if (size === 0) {
      group.members.delete(this.me);
      this.asked.delete(name);
    } else if (me) {
      me.granted = size;
    } else if (group.policy === 'Open' || invited) {
      const role = invited?.role ?? 'Editor';
      group.members.set(this.me, { displayName: 'Alice Kim', role, granted: size });
    } else {
      this.asked.set(name, size);
    }
    this.settle();
    return { group: name, size };
  }

  admit(name: string, member: string, role: string | null) {
    const group = this.groups.get(name);
    if (!group) throw new Refused(404, 'not-found');
    const request = group.requests.find((one) => one.name === member);
    const there = group.members.get(member);
    group.requests = group.requests.filter((one) => one.name !== member);
    group.invited = group.invited.filter((one) => one.name !== member);
    if (role === null || role === 'Blocked') group.members.delete(member);
    else if (there) there.role = role;
    else if (request) group.members.set(member, { displayName: member, role, granted: request.size });
    else group.invited.push({ name: member, role });
    this.settle();
    return {};
  }
}
