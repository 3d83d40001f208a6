"""The rule sets: each module is one table from an operator's name to what it compares."""
