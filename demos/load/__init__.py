"""The load tool: `python -m demos.load`."""
