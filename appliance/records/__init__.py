"""Keeps the reads and the journal, answers questions about them, and destroys what is past its limit."""
