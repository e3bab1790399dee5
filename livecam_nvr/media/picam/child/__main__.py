"""Makes this folder a package of its own and runs it: `python3 path/to/child ARGUMENTS…`."""

import importlib
import sys
from pathlib import Path

_folder = Path(__file__).resolve().parent
# Only for a moment: what lies beside the folder must not stand in front of the system's modules.
sys.path[0] = str(_folder.parent)
importlib.import_module(_folder.name)
del sys.path[0]
sys.exit(importlib.import_module(f"{_folder.name}.control").main(sys.argv[1:]))
