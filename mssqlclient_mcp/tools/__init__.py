"""Thin typed async handlers, a module per family; ``base`` says what a tool is, ``run`` is the bridge to threads."""
