import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { x } from "tinyexec";
import { ROOT } from "../../cli/stack";

const PROGRAM = `
import json, sys
from pathlib import Path
from training.data import FILE_NAME, load
from training.fit import fit
estimator = fit(load(Path(sys.argv[1]) / FILE_NAME)).estimator
print(json.dumps(estimator.predict(json.loads(sys.argv[2])).tolist()))
`;

/** Predictions of scikit-learn, trained in the test on the sample data of the training job. */
export async function estimatorPredictions(
  rows: readonly (readonly number[])[],
): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "training-data-"));
  const python = async (...args: string[]) => {
    const options = {
      throwOnError: true,
      nodeOptions: { cwd: join(ROOT, "app"), env: { DATA_DIR: folder } },
    };
    return (await x(join(ROOT, "app", ".venv", "bin", "python"), args, options)).stdout;
  };
  try {
    await python("-m", "training.sample_data");
    return JSON.parse(await python("-c", PROGRAM, folder, JSON.stringify(rows)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
