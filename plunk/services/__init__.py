"""Use cases: one module of functions for each noun; none of them commits."""
