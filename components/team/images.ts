/** The images that a team's workloads run: Dockerfile targets by their purpose. */
export const IMAGE_TARGETS = {
  serving: "serving",
  training: "training",
  tracking: "mlflow",
} as const;
export type Purpose = keyof typeof IMAGE_TARGETS;

/** The purposes for which no prebuilt image is given. */
export function imagesToBuild(given: Partial<Record<Purpose, string | undefined>>): Purpose[] {
  return (Object.keys(IMAGE_TARGETS) as Purpose[]).filter((purpose) => !given[purpose]);
}
