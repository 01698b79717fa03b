"""What the specifications say: pure functions and values, without Django, clock or database."""
