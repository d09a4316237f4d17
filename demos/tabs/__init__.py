"""One folder per tab; `demos.page.tab.discover` finds them."""
