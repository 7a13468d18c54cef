/** Whether a text matches a pattern in which `*` matches any characters. */
export function matches(text: string, pattern: string): boolean {
  return compiled(pattern, "$").test(text);
}

/** Whether a path matches the pattern, or is below it: `quay.io` and `quay.io/team` for `quay.io/team/app`. */
export function matchesPrefix(path: string, pattern: string): boolean {
  return compiled(pattern, "(/|$)").test(path);
}

const cache = new Map<string, RegExp>();

function compiled(pattern: string, end: string): RegExp {
  const key = `${pattern} ${end}`;
  const known = cache.get(key);
  if (known !== undefined) {
    return known;
  }
  const source = pattern.replace(/[\\^$.*+?()[\]{}|]/g, (char) =>
    char === "*" ? ".*" : `\\${char}`,
  );
  const expression = new RegExp(`^${source}${end}`);
  cache.set(key, expression);
  return expression;
}
