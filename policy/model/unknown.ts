/**
 * The placeholders that the Pulumi engine sends for values that are not known during a preview, one for
 * each type (`@pulumi/policy`, proxy.js).
 */
const PLACEHOLDERS: ReadonlySet<unknown> = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Thrown when a field is read whose value is not known before the update. */
export class UnknownValue extends Error {
  /**
   * @param path path of the field in its resource
   * @param owner name of the resource
   */
  constructor(
    readonly path: string,
    readonly owner: string,
  ) {
    super(`${path} of ${owner} is not known yet`);
  }
}

/** Objects and lists with an unknown field. */
const withUnknown = new WeakSet<object>();

/**
 * Prepares the input of the engine for the evaluation, in place, as each policy gets its own copy. Reading
 * an unknown field throws `UnknownValue`, so that a rule fails only if it needs that field. Null in a list
 * becomes an empty object, as the API server reads it.
 * @param owner name of the resource
 */
export function prepare<T>(node: T, owner: string, path = ""): T {
  if (typeof node !== "object" || node === null) {
    return node;
  }
  for (const key of Object.keys(node)) {
    const place = placeOf(node, key, path);
    const value: unknown = Reflect.get(node, key);
    if (PLACEHOLDERS.has(value)) {
      hide(node, key, new UnknownValue(place, owner));
    } else if (value === null && Array.isArray(node)) {
      Reflect.set(node, key, {});
    } else {
      prepare(value, owner, place);
    }
  }
  return node;
}

/** Path of a field of the object or list at `path`. */
export function placeOf(node: object, key: string, path: string): string {
  if (Array.isArray(node)) {
    return `${path}[${key}]`;
  }
  return path === "" ? key : `${path}.${key}`;
}

/** Whether a path is equal to another one, or below it. */
export function isWithin(path: string, outer: string): boolean {
  return path.startsWith(outer) && /^($|[.[])/.test(path.slice(outer.length));
}

/** Top-level fields of Kubernetes objects. */
const FIELDS = "metadata spec template data stringData type rules roleRef subjects webhooks".split(
  " ",
);

/** An object with only unknown fields. */
export function unknownObject(path: string, owner: string): Record<string, unknown> {
  const node = {};
  for (const field of FIELDS) {
    hide(node, field, new UnknownValue(path, owner));
  }
  return node;
}

function hide(node: object, key: string, unknown: UnknownValue): void {
  withUnknown.add(node);
  Object.defineProperty(node, key, {
    enumerable: true,
    get() {
      throw unknown;
    },
  });
}

/** The known fields of an object or list. */
export function knownEntries(node: object): [string, unknown][] {
  return withUnknown.has(node)
    ? Object.keys(node).flatMap((key) =>
        isUnknown(node, key) ? [] : [[key, Reflect.get(node, key)]],
      )
    : Object.entries(node);
}

/** A field of an object; undefined if it is not known. */
export function knownField(node: object, key: string): unknown {
  return isUnknown(node, key) ? undefined : Reflect.get(node, key);
}

/** Whether a field of an object exists, but is unknown. */
export function isUnknown(node: object, key: string): boolean {
  return withUnknown.has(node) && Object.getOwnPropertyDescriptor(node, key)?.get !== undefined;
}
