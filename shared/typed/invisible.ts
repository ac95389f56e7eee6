/** What a copy brings along unseen: marks of direction, joiners, byte order marks, soft hyphens. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/** For what is made of visible characters only: numbers, addresses, words of a phrase. A name may need its joiners. */
export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, '');
}

/** Without white space and invisible characters at both ends; what is inside stays. */
export function trimUnseen(text: string): string {
  return text.replace(/^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu, '');
}
