/** The one variant of a model that names none. */
export const MAIN_VARIANT = "main";

/** What each variant is beside what it shares with the model. */
interface Own {
  name: string;
  /** Its share of the requests, relative to the other variants' weights. */
  weight: number;
}

interface Model {
  variants?: readonly object[] | undefined;
}

type Served<M extends Model> = Own &
  Omit<M, "name" | "variants"> &
  NonNullable<M["variants"]>[number];

/**
 * The variants of a model that run side by side, each with all that it does not say itself taken from the model. A model
 * that names none has one, called {@link MAIN_VARIANT}, which gets every request.
 */
export function variantsOf<M extends Model>(model: M): Served<M>[] {
  const { variants = [], ...shared } = model;
  const own = variants.length > 0 ? variants : [{ name: MAIN_VARIANT, weight: 100 }];
  return own.map((variant) => ({ ...shared, ...variant }) as unknown as Served<M>);
}

/**
 * The variant that callers inside the cluster reach: {@link MAIN_VARIANT}, else the first. No weight moves them: a step from
 * 0 to 100 percent is none that could be watched, and a change of weights stays a change of the route alone.
 */
export function fixedVariant<V extends { name: string }>(variants: readonly V[]): V {
  return variants.reduce((fixed, one) => (one.name === MAIN_VARIANT ? one : fixed));
}
