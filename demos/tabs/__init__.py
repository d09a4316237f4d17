"""One file per tab; `demos.tab.discover` finds them."""
