import { describe, expect, it } from 'vitest';
import { ratio } from '../../../../shared/economy/ratio.ts';
import { checkSettings, type NetworkSettings } from '../../../../shared/economy/settings.ts';
import { testSettings } from '../../../helpers/chain.ts';

describe('settings', () => {
  it.each<[string, Partial<NetworkSettings>]>([
    ['as they are', {}],
    ['with the exchange’s rates', { pinnedXacPerXat: null, pinnedXacPerXas: null }],
    ['without XAS as a means of payment', { pinnedXacPerXas: ratio(0) }],
    ['without credit', { trafficCreditLimitUnits: 0 }],
    ['at the edges', { trafficFee: ratio(1), swapFee: ratio(0), chainId: 0, rateWindowMs: 1 }],
  ])('%s are taken', (_, overrides) => {
    checkSettings(testSettings(overrides));
  });

  const key = testSettings().validatorKeys[0] as string;
  it.each<[keyof NetworkSettings, unknown]>([
    ['networkId', ''],
    ['networkId', 'x'.repeat(65)],
    ['chainId', -1],
    ['trafficCreditLimitUnits', -1],
    ['trafficCreditLimitUnits', 1.5],
    ['trafficFee', ratio(2)],
    ['premiumPoolAccessFee', ratio(11, 10)],
    ['contentAccessFee', ratio(11, 10)],
    ['trafficPriceUsd', ratio(0)],
    ['initialTrafficRate', ratio(0)],
    ['priorWeightHours', 0],
    ['priorWeightHours', 1.5],
    ['settlementIntervalMs', 0],
    ['validatorKeys', []],
    ['validatorKeys', [key, key]],
    ['validatorKeys', ['ab']],
    ['pinnedXacPerXat', ratio(0)],
    ['pinnedXacPerXas', { num: -1n, den: 1n }],
    ['swapFee', ratio(1)],
    ['rateWindowMs', 0],
    ['initialAceBytePriceUsd', ratio(0)],
    ['feedAccount', '0xABC'],
    ['treasury', 'nobody'],
  ])('cannot have this %s (%#)', (field, value) => {
    const wrong = { ...testSettings(), [field]: value } as NetworkSettings;
    expect(() => checkSettings(wrong)).toThrow(`The network's settings cannot have this ${field}`);
  });
});
