/** A key store of the operating system that answers, in memory. */
import type { SecretStore } from '../../main/wallet/secret-store.ts';

export function memoryStore(): SecretStore & { kept: string | null } {
  return {
    kept: null,
    usable: async () => ({ usable: true, why: null }),
    async load() {
      return this.kept;
    },
    async save(passphrase) {
      this.kept = passphrase;
    },
    async forget() {
      this.kept = null;
    },
  };
}
