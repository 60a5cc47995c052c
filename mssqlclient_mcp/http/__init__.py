"""Serving many clients over HTTP: the app, who may come in, whose is what, and what is told to those who watch over it."""
