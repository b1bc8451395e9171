"""From a camera, clip or folder to frames: sources, the one-slot mailbox, motion, camera health."""
