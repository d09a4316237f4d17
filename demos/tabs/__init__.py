"""One file per tab; `demos.page.tab.discover` finds them."""
