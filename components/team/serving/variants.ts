/** The variant of a model without variants of its own. */
export const MAIN_VARIANT = "main";

/** What a variant has in addition to the settings that it shares with the model. */
interface Own {
  readonly name: string;
  /** Its share of the requests, relative to the other variants' weights. */
  readonly weight: number;
}

interface Model {
  readonly variants?: readonly object[] | undefined;
}

type Served<M extends Model> = Own &
  Omit<M, "name" | "variants"> &
  NonNullable<M["variants"]>[number];

/**
 * The variants of a model, each with the model's value for every setting that it does not have itself. A model without
 * variants has one, {@link MAIN_VARIANT}, which gets every request.
 */
export function variantsOf<M extends Model>(model: M): Served<M>[] {
  const { variants = [], ...shared } = model;
  const own = variants.length > 0 ? variants : [{ name: MAIN_VARIANT, weight: 100 }];
  return own.map((variant) => {
    const set = Object.entries(variant).filter(([, value]) => value !== undefined);
    return { ...shared, ...Object.fromEntries(set) } as unknown as Served<M>;
  });
}

/**
 * The variant behind the model's own Service: {@link MAIN_VARIANT}, else the first. Weights do not apply to them: a
 * Service has no weights, and so a change of weights changes only the route.
 */
export function fixedVariant<V extends { name: string }>(variants: readonly V[]): V {
  return variants.reduce((fixed, one) => (one.name === MAIN_VARIANT ? one : fixed));
}
