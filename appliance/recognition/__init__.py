"""From frames to sightings: locate, rectify, read, track, vote, and the program that does it."""
