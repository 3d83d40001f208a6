"""Pure decisions: no database, clock, network or randomness in this package."""
