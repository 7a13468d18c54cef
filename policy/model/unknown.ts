/**
 * What the Pulumi engine sends in place of a value that it does not know yet during a preview, one
 * for each type (`@pulumi/policy`, proxy.js).
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

/** Thrown by reading a field whose value is not known before the update. */
export class UnknownValue extends Error {
  /**
   * @param path of the field, from the root of its resource
   * @param owner name of that resource
   */
  constructor(
    readonly path: string,
    readonly owner: string,
  ) {
    super(`${path} of ${owner} is not known yet`);
  }
}

/** Objects and lists with a field that is not known. */
const unclear = new WeakSet<object>();

/**
 * Makes what the engine sends fit to be judged, in place: each policy gets a copy of its own. Reading
 * an unknown field throws `UnknownValue`, so that a rule judges all that is known and stumbles only over
 * what it needs; and null in a list is an empty object, as the API server reads it.
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

/** Where a field of an object or list stands, which itself stands at `path`. */
export function placeOf(node: object, key: string, path: string): string {
  if (Array.isArray(node)) {
    return `${path}[${key}]`;
  }
  return path === "" ? key : `${path}.${key}`;
}

/** Whether a place is another one, or in it. */
export function isWithin(path: string, outer: string): boolean {
  return path.startsWith(outer) && /^($|[.[])/.test(path.slice(outer.length));
}

/** The fields in which kinds of Kubernetes say what they are about. */
const FIELDS = "metadata spec template data stringData type rules roleRef subjects webhooks".split(
  " ",
);

/** An object of which only the kind is known. */
export function unknownObject(path: string, owner: string): Record<string, unknown> {
  const node = {};
  for (const field of FIELDS) {
    hide(node, field, new UnknownValue(path, owner));
  }
  return node;
}

function hide(node: object, key: string, unknown: UnknownValue): void {
  unclear.add(node);
  Object.defineProperty(node, key, {
    enumerable: true,
    get() {
      throw unknown;
    },
  });
}

/** The fields of an object or list, without the unknown ones: for walks that look for something. */
export function knownEntries(node: object): [string, unknown][] {
  return unclear.has(node)
    ? Object.keys(node).flatMap((key) =>
        isUnknown(node, key) ? [] : [[key, Reflect.get(node, key)]],
      )
    : Object.entries(node);
}

/** A field of an object, undefined where it is not known: for a look at an object's shape. */
export function knownField(node: object, key: string): unknown {
  return isUnknown(node, key) ? undefined : Reflect.get(node, key);
}

/** Whether a field of an object is there, but unknown. */
export function isUnknown(node: object, key: string): boolean {
  return unclear.has(node) && Object.getOwnPropertyDescriptor(node, key)?.get !== undefined;
}
