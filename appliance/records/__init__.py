"""Keeps the reads and the journal, answers about them, destroys what is past its limit."""
