import type { ServerResponse } from 'node:http';

/** Ends a response with one line for a person. */
export function answerText(res: ServerResponse, status: number, text: string): void {
  res.statusCode = status;
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.end(text);
}
