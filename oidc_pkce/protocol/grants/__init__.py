"""The rules of each ``grant_type``, a module for each."""
