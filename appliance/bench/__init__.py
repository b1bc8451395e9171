"""The product's figures: how right, how fast, how large. Kept in BENCHMARKS.md, never in tests."""
