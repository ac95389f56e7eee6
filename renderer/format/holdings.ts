/** What lies in the two places of an account, for views. */
import { isServicesToken, PLACES, type Place, tokensOf } from '../../shared/economy/holdings.ts';
import type { DecimalAmount, Token } from '../../shared/economy/money.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { HoldingsView } from '../../shared/rpc/holdings.ts';

/** So much of a token lies in a place; none of what cannot lie there. */
export function heldText({ main, services }: HoldingsView, place: Place, token: Token): DecimalAmount {
  if (place === 'main') return main[token];
  return isServicesToken(token) ? services[token] : '0.0000000';
}

export function placeName(place: Place): string {
  return place === 'main' ? m.place_main() : m.place_services();
}

/** After an amount, such as "2.31 XAT to spend". */
export function inPlace(place: Place): string {
  return place === 'main' ? m.place_main_of() : m.place_services_of();
}

/** A token in a place, as links name it: `services-XAT`. */
export interface HeldToken {
  readonly place: Place;
  readonly token: Token;
}

export function heldTokenOf(name: string | null): HeldToken | null {
  for (const place of PLACES) {
    const token = tokensOf(place).find((each) => `${place}-${each}` === name);
    if (token) return { place, token };
  }
  return null;
}

/** Changes whenever something in one of the places does. */
export function holdingsKey({ main, services }: HoldingsView): string {
  return [...Object.values(main), ...Object.values(services)].join(' ');
}
