// What the web pods and disk pods tell. The reference is docs/reference/http.md.

import type { Server } from '../servers/server.ts';

export type Role = 'Viewer' | 'Editor' | 'Owner';
export type JoinPolicy = 'Open' | 'OnRequest' | 'InviteOnly';
export type Mode = 'ReadWrite' | 'ReadOnly' | 'Offline';
export type AllocationState =
  | 'Active'
  | 'Requested'
  | 'BelowMinimum'
  | 'Blocked'
  | 'NoSuchGroup'
  | 'GroupReplaced'
  | 'Suspended'
  | 'Returning';

export interface Session {
  readonly member: { readonly name: string; readonly uid: string; readonly displayName: string };
  readonly expires: string;
  readonly mode: Mode;
  readonly notice?: string;
  readonly groups: {
    readonly creation: 'Members' | 'Administrators';
    readonly joinPolicies: readonly JoinPolicy[];
  };
}

/** How one signs in here. */
export interface Ways {
  readonly passwords: boolean;
  readonly providers: readonly { readonly name: string; readonly displayName: string }[];
}

export interface Allocation {
  readonly group: string;
  /** What the member wants to give, and what is lent at the moment. */
  readonly size: number;
  readonly granted: number;
  readonly state: AllocationState;
}

export interface Fellow {
  readonly name: string;
  readonly displayName: string;
  readonly role: Role;
  readonly granted: number;
}

export interface Group {
  readonly name: string;
  readonly uid: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly space: string;
  readonly role: Role;
  readonly capacity: number;
  readonly granted: number;
  readonly size: number;
  readonly access: 'ReadWrite' | 'ReadOnly';
  readonly joining: { readonly policy: JoinPolicy; readonly defaultRole: Role; readonly minimum: number };
  readonly participants: readonly Fellow[];
  readonly requests: readonly { readonly name: string; readonly size: number }[];
  readonly invited: readonly { readonly name: string; readonly role: Role }[];
}

export interface Offer {
  readonly name: string;
  readonly uid: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly policy: JoinPolicy;
  readonly minimum: number;
  readonly role: Role;
  readonly participants: number;
}

export interface Spaces {
  readonly generation: number;
  /** Where a disk is mounted, as far as it is known. */
  readonly davUrl?: string;
  readonly own: {
    readonly space: string;
    readonly quota: number;
    readonly limit: number;
    readonly allocations: readonly Allocation[];
  };
  readonly groups: readonly Group[];
  readonly invitations: readonly Offer[];
  readonly open: readonly Offer[];
}

export interface Entry {
  readonly name: string;
  readonly kind: 'file' | 'directory';
  readonly size?: number;
  readonly modified?: string;
  readonly etag: string;
}

export interface Usage {
  readonly generation: number;
  readonly limit: number;
  readonly used: number;
  readonly reserved: number;
  /** Parts of what is used. */
  readonly trash?: number;
  readonly versions?: number;
}

/** Something that was deleted, with all in it. */
export interface TrashItem {
  readonly id: string;
  readonly name: string;
  readonly kind: 'file' | 'directory';
  /** Where it was. */
  readonly path: string;
  readonly size: number;
  readonly nodes: number;
  readonly deleted?: string;
}

export interface TrashPage {
  readonly items: readonly TrashItem[];
  readonly next?: string;
}

/** A content that a file had. */
export interface Version {
  readonly version: number;
  readonly size: number;
  readonly modified?: string;
  readonly replaced?: string;
}

export interface Versions {
  readonly current: Version;
  readonly versions: readonly Version[];
}

/** A password for a program. It is told once. */
export interface AppPassword {
  readonly id: string;
  readonly name: string;
  readonly access: 'Read' | 'ReadWrite';
  /** Absent: it is good for every disk. */
  readonly space?: string;
  readonly created: string;
  /** To a day. */
  readonly lastUsed?: string;
}

export interface MadeAppPassword extends AppPassword {
  readonly password: string;
}

export interface AppPasswords {
  readonly passwords: readonly AppPassword[];
  readonly maximum: number;
}

/** What a share link lets whoever has it do. */
export type LinkAccess = 'Read' | 'Upload' | 'ReadAndUpload';

/** A share link, as those see it who may write where it leads. */
export interface Share {
  readonly id: string;
  readonly path: string;
  readonly access: LinkAccess;
  readonly password: boolean;
  readonly expires?: string;
  readonly mostUses?: number;
  readonly uses: number;
  readonly created?: string;
  readonly creator: string;
}

/** One that was just made: its token is told this once. */
export interface MadeShare extends Share {
  readonly token: string;
}

export interface ShareWish {
  readonly path: string;
  readonly access: LinkAccess;
  readonly password?: string;
  readonly expires?: string;
  readonly mostUses?: number;
}

/** What a link leads to, as a visitor sees it. Name and size are not told before the password is. */
export interface LinkShown {
  readonly name?: string;
  readonly directory: boolean;
  readonly size?: number;
  readonly access: LinkAccess;
  readonly needsPassword: boolean;
  readonly expires?: string;
  readonly usesLeft?: number;
}

export interface LinkOpened extends LinkShown {
  readonly space: string;
  readonly path: string;
  readonly ticket: string;
  readonly ticketExpires: string;
  readonly servers: readonly Server[];
}

export interface Found extends Entry {
  readonly path: string;
}

export interface FoundPage {
  readonly entries: readonly Found[];
  readonly next?: string;
}
