import { HDKey } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { createPhrase, parsePhrase, phraseToSeed } from '../../../../main/wallet/phrase.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

/** From https://github.com/trezor/python-mnemonic/blob/master/vectors.json (English; the password is "TREZOR"). */
const TREZOR = [
  {
    phrase: 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
    seed: 'c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04',
    xprv: 'xprv9s21ZrQH143K3h3fDYiay8mocZ3afhfULfb5GX8kCBdno77K4HiA15Tg23wpbeF1pLfs1c5SPmYHrEpTuuRhxMwvKDwqdKiGJS9XFKzUsAF',
  },
  {
    phrase: 'legal winner thank year wave sausage worth useful legal winner thank yellow',
    seed: '2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607',
    xprv: 'xprv9s21ZrQH143K2gA81bYFHqU68xz1cX2APaSq5tt6MFSLeXnCKV1RVUJt9FWNTbrrryem4ZckN8k4Ls1H6nwdvDTvnV7zEXs2HgPezuVccsq',
  },
  {
    phrase: 'letter advice cage absurd amount doctor acoustic avoid letter advice cage above',
    seed: 'd71de856f81a8acc65e6fc851a38d4d7ec216fd0796d0a6827a3ad6ed5511a30fa280f12eb2e47ed2ac03b5c462a0358d18d69fe4f985ec81778c1b370b652a8',
    xprv: 'xprv9s21ZrQH143K2shfP28KM3nr5Ap1SXjz8gc2rAqqMEynmjt6o1qboCDpxckqXavCwdnYds6yBHZGKHv7ef2eTXy461PXUjBFQg6PrwY4Gzq',
  },
  {
    phrase: 'zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong',
    seed: 'ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13332572917f0f8e5a589620c6f15b11c61dee327651a14c34e18231052e48c069',
    xprv: 'xprv9s21ZrQH143K2V4oox4M8Zmhi2Fjx5XK4Lf7GKRvPSgydU3mjZuKGCTg7UPiBUD7ydVPvSLtg9hjp7MQTYsW67rZHAXeccqYqrsx8LcXnyd',
  },
  {
    phrase:
      'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art',
    seed: 'bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd3097170af7a4d73245cafa9c3cca8d561a7c3de6f5d4a10be8ed2a5e608d68f92fcc8',
    xprv: 'xprv9s21ZrQH143K32qBagUJAMU2LsHg3ka7jqMcV98Y7gVeVyNStwYS3U7yVVoDZ4btbRNf4h6ibWpY22iRmXq35qgLs79f312g2kj5539ebPM',
  },
];
const JUNK = 'test test test test test test test test test test test junk';

describe('phrase', () => {
  it.each(TREZOR)('agrees with the published vector of $seed', ({ phrase, seed, xprv }) => {
    expect(parsePhrase(phrase)).toBe(phrase);
    const bytes = phraseToSeed(phrase, 'TREZOR');
    expect(Buffer.from(bytes).toString('hex')).toBe(seed);
    expect(HDKey.fromMasterSeed(bytes).privateExtendedKey).toBe(xprv);
  });

  it.each([12, 24] as const)('makes a new valid phrase of %i words', (words) => {
    const phrase = createPhrase(words);
    expect(phrase.split(' ')).toHaveLength(words);
    expect(parsePhrase(phrase)).toBe(phrase);
    expect(createPhrase(words)).not.toBe(phrase);
  });

  it('reads what a person types', () => {
    expect(parsePhrase(`  ${JUNK.toUpperCase().replaceAll(' ', '\n ')} `)).toBe(JUNK);
  });

  it.each(['', 'test', JUNK.replace(' junk', ''), `${JUNK} junk`])(
    'refuses a wrong number of words',
    (text) => {
      expect(expectAceError('WalletInvalid', () => parsePhrase(text)).details).toEqual({
        reason: 'word-count',
      });
    },
  );

  it('names the position of an unknown word, not the word', () => {
    const error = expectAceError('WalletInvalid', () => parsePhrase(JUNK.replace('junk', 'junkk')));
    expect(error.details).toEqual({ reason: 'unknown-word', position: 12 });
    expect(error.message).not.toContain('junk');
  });

  it('refuses a wrong checksum', () => {
    const error = expectAceError('WalletInvalid', () => parsePhrase(JUNK.replace('junk', 'test')));
    expect(error.details).toEqual({ reason: 'checksum' });
  });
});
