/** What the procedures about ports take and tell. A port is taken at a start, so a choice holds from the next one. */
import { z } from 'zod';

export interface PortView {
  /** That it listens on; `null` where it listens on none. */
  readonly now: number | null;
  /** By the user, for the next start; `null`: the usual one. */
  readonly chosen: number | null;
  /** It was given on the command line, which goes before the choice. */
  readonly given: boolean;
}

export interface PortsView {
  /** Of pages and players. The usual one is 6878, or the next that is free. */
  readonly http: PortView;
  /** Of other nodes. The usual one is any that is free. */
  readonly peers: PortView;
}

/** Below them, a system wants special rights. */
export const LEAST_PORT = 1_024;
export const portChoiceSchema = z.number().int().min(LEAST_PORT).max(65_535).nullable();

export const portInputs = {
  ports: z.object({}).strict(),
  /** What is left out stays as it is. */
  setPorts: z.object({ http: portChoiceSchema.optional(), peers: portChoiceSchema.optional() }).strict(),
} as const;

export interface PortOutputs {
  ports: PortsView;
  setPorts: PortsView;
}
