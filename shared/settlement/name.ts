/**
 * The one name of a settlement, on pages, in exports and on the command line: `s0-22` is number 22 of those that shard 0
 * told this account. It is the same on each device of the account, and after a backup was restored. An export's entries
 * of it are `s0-22-s`, its traffic, and `s0-22-r`, what it repaid.
 */
export interface SettlementPlace {
  readonly shard: number;
  /** The shard's number of its statement to the account. */
  readonly shardSeq: number;
}

const NAME = /^s(\d{1,9})-(\d{1,15})(?:-[rs])?$/i;

export function settlementName({ shard, shardSeq }: SettlementPlace): string {
  return `s${shard}-${shardSeq}`;
}

/** Reads a name as it was shown anywhere, of one of its entries, too; `null` for anything else. */
export function readSettlementName(text: string): SettlementPlace | null {
  const [, shard, shardSeq] = NAME.exec(text.trim()) ?? [];
  if (shard === undefined || shardSeq === undefined) return null;
  return { shard: Number(shard), shardSeq: Number(shardSeq) };
}
