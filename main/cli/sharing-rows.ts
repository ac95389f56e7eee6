/** Lines of `ace-node status`: the same figures as on the page, of the same place. */
import type { SharingSummary } from '../../shared/rpc/sharing.ts';
import { shownAddress } from '../../shared/typed/address.ts';

export function sharingRows({ today, owed }: SharingSummary): [string, string][] {
  const sentMib = mib(today.sentBytes / 1_048_576);
  const repaid = today.repaidUnits > 0 ? `, ${today.repaidXac} XAC of loans repaid to you` : '';
  const since = owed.sinceMs === null ? '' : `, the oldest since ${new Date(owed.sinceMs).toISOString()}`;
  const left = owed.debtorCount - owed.debtors.length;
  return [
    ['Shared today', `${sentMib} sent, ${today.earnedXac} XAC earned${repaid}`],
    [
      'Owed to you',
      owed.units === 0 ? 'by nobody' : `${mib(owed.units)}${worth(owed.xac)}, before the fee${since}`,
    ],
    ...owed.debtors.map((debtor): [string, string] => [
      '',
      `${shownAddress(debtor.account)}: ${mib(debtor.units)}${worth(debtor.xac)} since ${new Date(debtor.sinceMs).toISOString()}`,
    ]),
    ...(left > 0 ? [['', `and ${left} more`] as [string, string]] : []),
  ];
}

function worth(xac: string | null): string {
  return xac === null ? '' : `, ${xac} XAC now`;
}

/** MiB of traffic, for a person. */
export function mib(count: number): string {
  return `${count.toLocaleString('en', { maximumFractionDigits: 1 })} MiB`;
}
