"""What happens: one verb, one transaction each."""
