/** A set-up step that failed: one line for the user, and the output of the tool that failed. */
export class SetupError extends Error {
  /**
   * @param {string} message one line: what failed and what to do
   * @param {{ output?: string, cause?: unknown }} [details]
   */
  constructor(message, { output = '', cause } = {}) {
    super(message, { cause });
    this.name = 'SetupError';
    this.output = output;
  }
}

/**
 * Prints what a user needs of an error: of a set-up step the tool's output and one line, else one line.
 *
 * @param {unknown} error
 */
export function printSetupError(error) {
  if (error instanceof SetupError && error.output.trim() !== '')
    process.stderr.write(`${error.output.trimEnd()}\n`);
  process.stderr.write(`ace-node: ${error instanceof Error ? error.message : String(error)}\n`);
}
