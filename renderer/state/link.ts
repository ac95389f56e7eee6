/** How the page stands to its node, for the status strip and the states of the lists. */
export type LinkState =
  /** The first connection is being made. */
  | 'connecting'
  | 'connected'
  /** Was connected; it is tried again by itself. */
  | 'lost'
  /** The node answers but does not take the token of this page. */
  | 'refused'
  /** The page was opened without the token. */
  | 'no-token';
