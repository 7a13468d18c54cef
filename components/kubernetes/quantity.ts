/** Powers of the suffixes of a Kubernetes quantity. @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const SUFFIXES: Record<string, number> = {
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A quantity as in resource requests: `500m`, `2`, `1.5Gi`. */
export const QUANTITY = /^(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;

/**
 * The value of a Kubernetes quantity: cores, bytes or a count.
 * @throws Error if the text is not a quantity
 */
export function parseQuantity(text: string): number {
  const match = QUANTITY.exec(text);
  const factor = SUFFIXES[match?.[2] ?? ""];
  if (!match?.[1] || factor === undefined) {
    throw new Error(
      `"${text}" is not a Kubernetes quantity: use a number with a unit, such as 500m or 2Gi`,
    );
  }
  return Number(match[1]) * factor;
}
