"""Is this machine ready for a workshop: `python app.py --check`."""
