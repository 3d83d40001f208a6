"""Tests: the `test` blocks of a bundle, run in worlds of their own."""
