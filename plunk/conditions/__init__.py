"""One tree for every condition: read from JSON once, then evaluated, or turned into SQL."""
