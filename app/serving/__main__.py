"""Runs the model service: `python -m serving`."""

import gc
import sys

if __name__ == "__main__":
    # Modules leave no garbage; to look for it would be a twentieth of the time to start.
    gc.disable()
    from serving.program import main

    sys.exit(main())
