"""Examines and shows an evidence bundle anywhere: needs the file and a passphrase, no unit."""
