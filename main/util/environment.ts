/** A variable of the environment; an empty one is unset, as scripts and service files mean it. */
export function variable(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}
