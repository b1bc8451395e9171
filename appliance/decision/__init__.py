"""What the gate may do about a car: pure rules over frozen values, no clock, file or socket."""
