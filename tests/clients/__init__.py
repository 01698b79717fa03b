"""Clients that other people wrote, and one that does what published clients are known to do."""
