/** What a provider makes of a message that does not follow from those before. */
import { AceError } from '../../shared/errors.ts';
import type { Message } from './messages.ts';

export function unexpected(message: Pick<Message, 'type'> | null): AceError {
  return new AceError('MessageUnexpected', `The viewer sent ${message?.type ?? 'nothing'} out of turn`, {
    reaction: 'drop-peer',
  });
}
