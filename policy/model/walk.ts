import { isUnknown, placeOf } from "./unknown";

/** A field of an object, or an entry of a list. */
export interface Field {
  readonly owner: object;
  readonly key: string;
  /** Path in the resource. */
  readonly path: string;
}

/**
 * Visits every field below a value, outer ones first. Unknown fields are visited, too: reading them throws.
 * @param visit returns the context for the fields below; undefined skips them
 */
export function walk<T>(
  value: unknown,
  path: string,
  context: T,
  visit: (field: Field, context: T) => T | undefined,
): void {
  if (typeof value !== "object" || value === null) {
    return;
  }
  for (const key of Object.keys(value)) {
    const field = { owner: value, key, path: placeOf(value, key, path) };
    const below = visit(field, context);
    if (below !== undefined && !isUnknown(value, key)) {
      walk(Reflect.get(value, key), field.path, below, visit);
    }
  }
}
