"""Values on their way to the database, checked by kind: numbers, times, texts, and what is made of them."""
