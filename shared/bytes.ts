/** Whether both hold the same bytes. Not for secrets: the time it takes tells where they differ. */
export { equals as sameBytes } from 'multiformats/bytes';
