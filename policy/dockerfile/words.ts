/** The words of a line, as a shell splits them, with their quotes. */
export function wordsOf(text: string): string[] {
  return text.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|["'\\])+/gs) ?? [];
}

/** A word without its quotes. */
export function unquoted(word: string): string {
  return word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, "$1$2");
}

/** The words of a command in exec form; undefined for the shell form. */
export function execForm(command: string): readonly string[] | undefined {
  try {
    const list: unknown = JSON.parse(command);
    return Array.isArray(list) && list.every((word) => typeof word === "string") ? list : undefined;
  } catch {
    return undefined;
  }
}
