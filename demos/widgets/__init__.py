"""Parts that several tabs use, each a .py with its own .js and .css beside it."""
