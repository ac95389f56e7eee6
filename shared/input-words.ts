/** What an input schema that names no reason of its own says about a value that it refuses. For people: zod's own words are not. */
import { z } from 'zod';

/** How many of what; numbers count nothing. */
const COUNTED: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

z.config({
  customError: (issue) => {
    if (issue.code === 'too_big') return `at most ${issue.maximum}${COUNTED[issue.origin] ?? ''}`;
    if (issue.code !== 'too_small') return undefined; // what a person types cannot come here
    if (issue.origin === 'string' && issue.minimum === 1) return 'it is empty';
    return `at least ${issue.minimum}${COUNTED[issue.origin] ?? ''}`;
  },
});
