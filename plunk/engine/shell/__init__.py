"""The engine's database half: claim, load, advance, perform, store, in one transaction."""
