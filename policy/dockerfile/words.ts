/** The words of a line, as a shell splits them; quotes stay around what they hold. */
export function wordsOf(text: string): string[] {
  return text.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|["'\\])+/gs) ?? [];
}

/** A word without its quotes. */
export function unquoted(word: string): string {
  return word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, "$1$2");
}

/** The words of a command that is written as a list; undefined for one that a shell reads. */
export function execForm(command: string): readonly string[] | undefined {
  try {
    const list: unknown = JSON.parse(command);
    return Array.isArray(list) && list.every((word) => typeof word === "string") ? list : undefined;
  } catch {
    return undefined;
  }
}
