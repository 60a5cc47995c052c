"""Pure functions from models to what a client reads: a text and structured content. A module per family of tools."""
