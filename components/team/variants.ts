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

/** The variant that gets most requests, the first of equals: what callers inside the cluster reach. */
export function heaviest<V extends Own>(variants: readonly V[]): V {
  return variants.reduce((most, one) => (one.weight > most.weight ? one : most));
}
