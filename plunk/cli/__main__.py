"""`python -m plunk.cli`: the same as `plunk`."""

import sys

from plunk.cli import main

if __name__ == "__main__":
    sys.exit(main())
