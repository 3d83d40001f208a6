"""The workflow engine: a pure core that decides, and a shell that loads, acts and stores."""
