"""Official answers: read from the filled-in table, published once to every person who asked."""
