"""`python -m livecam_nvr` is the same as the `livecam-nvr` command."""

import sys

from livecam_nvr.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
