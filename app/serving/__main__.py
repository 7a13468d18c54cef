"""Runs the model service: `python -m serving`."""

import gc
import sys

if __name__ == "__main__":
    # Imports leave no garbage. Collecting it would take a twentieth of the startup time.
    gc.disable()
    from serving.program import main

    sys.exit(main())
