"""The search for a statement that the gate allows and that changes something."""
