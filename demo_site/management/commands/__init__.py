"""What `manage.py` can do in demo_site."""
