/** The ports that the user has chosen, as kept in node.db. */
import { portChoiceSchema } from '../../shared/rpc/ports.ts';
import type { NodeStore } from '../db/node/store.ts';

/** Where the choice lies among the user's settings. */
export const KEYS = { http: 'httpPort', peers: 'peersPort' } as const;

export type PortName = keyof typeof KEYS;

/** `null` when none was chosen, or nothing that this version understands. */
export function chosenPort(store: Pick<NodeStore, 'userSettings'>, name: PortName): number | null {
  return portChoiceSchema.safeParse(store.userSettings.all()[KEYS[name]]).data ?? null;
}
