"""The barrier: one thread owns the controller, gives one-shot orders and watches the arm."""
