"""Weights in, TFLite files and their manifest out; see README.md."""
