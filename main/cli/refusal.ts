/** What is wrong with a command line, as people read it: in one line, which names what they typed and what fits. */

/** @param text as commander puts it */
export function refusalLine(text: string): string {
  return (
    text
      .trim()
      .replace(/^error: /, '')
      .replaceAll('\n', ' ')
      .replace(/^command-argument value '(.*)' is invalid for argument '(.+?)'\. /, "$2 cannot be '$1'. ")
      .replace(/^option '(?:-\w, )?(--[\w-]+)[^']*' argument '(.*)' is invalid\. /, "$1 cannot be '$2'. ")
      // Of a command of commands, what is taken for an argument may have been meant for one of them.
      .replace(
        /^too many arguments for '.+?'\. Expected 0 arguments but got \d+: (.*)\.$/,
        "there is no '$1' here",
      )
  );
}
