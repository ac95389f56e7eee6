/**
 * Where a passphrase can be kept so that the node starts without asking: the operating system's key store. The desktop
 * shell has one; a node without a window has none.
 */
export interface SecretStore {
  /** Whether it really protects what it is given, and why not. */
  usable(): Promise<{ readonly usable: boolean; readonly why: string | null }>;
  /**
   * `null` when nothing is kept, or what is kept cannot be opened by this user on this computer, ever.
   * @throws AceError `KeyStoreLocked` when it can be, and not now
   */
  load(): Promise<string | null>;
  /** @throws AceError `StoreFailed`, `NotAllowed` when it is not usable */
  save(passphrase: string): Promise<void>;
  forget(): Promise<void>;
}

export const NO_SECRET_STORE: SecretStore = {
  usable: async () => ({ usable: false, why: 'only the desktop window has the system’s key store' }),
  load: async () => null,
  save: async () => undefined,
  forget: async () => undefined,
};
