"""One folder a database, with the same file names in each; ``base`` says what they share."""
