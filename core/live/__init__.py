"""While a session is held: the items one by one, and questions from the hall."""
