/**
 * One transaction for the channels that changed in one turn of the event loop.
 *
 * A commit costs a flush of the disk, whatever it holds. While one runs, messages of other channels queue up outside;
 * they arrive together in the next turn and share the next commit, so that under load a group grows by itself and
 * a channel alone does not wait. Of each channel only the newest state is written.
 *
 * A caller that waits goes on only after the commit. When the store fails, every channel of the group goes back to what is
 * durable and is paused: nothing of a failed group was acted on, because nothing was answered before the commit.
 */
import { isAceError } from '../../shared/errors.ts';

/** One channel, as a group sees it. None of these may throw but `write`. */
export interface GroupMember<Writer> {
  /** Writes its newest state, inside the transaction. What it leaves to `writer` is written by the end of it. */
  write(writer: Writer): void;
  /** What `write` wrote is durable. */
  committed(): void;
  /** Nothing was written: back to the durable state, and `error` for every use of the channel from now on. */
  failed(error: unknown): void;
}

/** What goes into the transaction along with a member, if anything. */
type Along = readonly (() => void)[] | null;

export class GroupCommit<Writer> {
  readonly #commit: (fn: (writer: Writer) => void) => void;
  /** What the next transaction writes. */
  #members = new Map<GroupMember<Writer>, Along>();
  #next: PromiseWithResolvers<void> | null = null;
  #timer: NodeJS.Immediate | null = null;

  /** `commit` runs a function in one durable transaction, as `NodeStore.commit`, and writes what that leaves to it. */
  constructor(commit: (fn: (writer: Writer) => void) => void) {
    this.#commit = commit;
  }

  /** The member has changed: the next commit writes it, also one that another member asks for. `also` is written with it. */
  add(member: GroupMember<Writer>, also?: () => void): void {
    const along = this.#members.get(member);
    if (also) this.#members.set(member, along ? [...along, also] : [also]);
    else if (along === undefined) this.#members.set(member, null);
  }

  /** The member is not written any more. */
  drop(member: GroupMember<Writer>): void {
    this.#members.delete(member);
  }

  /** Commits what has been added by the end of this turn. Resolves then, also when it failed: the member knows. */
  soon(): Promise<void> {
    this.#timer ??= setImmediate(() => this.now());
    this.#next ??= Promise.withResolvers();
    return this.#next.promise;
  }

  /** Commits what has been added, at once. Whether that failed each member knows. */
  now(): void {
    if (this.#timer) clearImmediate(this.#timer);
    this.#timer = null;
    const members = this.#members;
    const next = this.#next;
    this.#members = new Map();
    this.#next = null;
    this.#write(members);
    next?.resolve();
  }

  #write(members: ReadonlyMap<GroupMember<Writer>, Along>): void {
    if (members.size === 0) return;
    try {
      this.#commit((writer) => {
        for (const [member, along] of members) {
          member.write(writer);
          if (along) for (const write of along) write();
        }
      });
    } catch (error) {
      // A rule that one channel breaks is no trouble of the others: each is tried alone.
      if (members.size > 1 && isAceError(error, 'InvariantViolated')) {
        for (const [member, along] of members) this.#write(new Map([[member, along]]));
        return;
      }
      for (const member of members.keys()) member.failed(error);
      return;
    }
    for (const member of members.keys()) member.committed();
  }
}
