/**
 * Everyone's requests for leases, in one queue: each is answered alone on the shard, and a peer stands in it once,
 * whatever it asks for at once.
 */
import { setImmediate } from 'node:timers/promises';
import type { SignedLease } from '../../shared/channel/claim.ts';
import { AceError } from '../../shared/errors.ts';
import type { ShardCaller } from '../p2p/protocols/shard/server.ts';
import { PerKeyQueue } from '../util/per-key-queue.ts';
import { LeasePace } from './lease-pace.ts';
import { grantLease, type LeaseRequest, type LeasingContext } from './leasing.ts';
import { releasedEarly, reopenLease } from './reopen-lease.ts';
import { restoreLease } from './restore-lease.ts';
import type { Settling, SettlingContext } from './settling.ts';
import { endIfUnlinked } from './unlinking.ts';

export interface LeaseQueueContext extends LeasingContext, Pick<SettlingContext, 'alone' | 'clockGuard'> {
  readonly settling: Settling;
  /** Units that were paid between a peer and others before. */
  readonly paidUnitsOf: (peerId: string) => number;
}

export class LeaseQueue {
  readonly #context: LeaseQueueContext;
  readonly #pace: LeasePace;
  readonly #queue = new PerKeyQueue();
  #isStopping = false;

  constructor(context: LeaseQueueContext) {
    this.#context = context;
    this.#pace = new LeasePace(context.paidUnitsOf);
  }

  /** @throws AceError `TooManyRequests` with `retryAfterMs`, `ShardUnavailable`, `ClockWrong`, and as `grantLease` */
  async grant(request: LeaseRequest, caller: ShardCaller): Promise<Uint8Array> {
    this.#pace.take(caller);
    const { alone, settling, clockGuard } = this.#context;
    return this.#queue.run(caller.peerId, () =>
      alone(async () => {
        // Milliseconds each: one in a turn of the event loop, so that a queue of them keeps no other work waiting.
        await setImmediate();
        settling.checkOpen();
        clockGuard.checkRight();
        // Those that still wait must not hold up the end, request by request.
        if (this.#isStopping) throw new AceError('ShardUnavailable', 'The shard is stopping');
        await settling.meetChain();
        return grantLease(this.#context, request);
      }),
    );
  }

  /** Takes back a lease that this shard has forgotten. @throws AceError as `restoreLease` */
  restore(lease: SignedLease, peerId: string): Promise<void> {
    const { alone } = this.#context;
    return this.#queue.run(peerId, () =>
      alone(async () => {
        const { payer, payerDevice } = restoreLease(this.#context, lease);
        await endIfUnlinked(this.#context, { account: payer, device: payerDevice });
      }),
    );
  }

  /** Undoes a release that came too early; whether there was one to undo. @throws AceError `ShardUnavailable`, `ClockWrong` */
  async reopen(channelId: Uint8Array, peerId: string): Promise<boolean> {
    const { alone, clockGuard } = this.#context;
    if (!releasedEarly(this.#context, channelId)) return false;
    clockGuard.checkRight();
    return this.#queue.run(peerId, () => alone(() => reopenLease(this.#context, channelId)));
  }

  /** Requests that still wait are refused. */
  stop(): void {
    this.#isStopping = true;
  }
}
