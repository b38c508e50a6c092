// What the web pods and disk pods tell. The reference is docs/reference/http.md.

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

export interface Found extends Entry {
  readonly path: string;
}

export interface FoundPage {
  readonly entries: readonly Found[];
  readonly next?: string;
}
