"""The gate: sightings in, orders out, passages to the records; no picture, no web, no network."""
