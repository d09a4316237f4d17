"""The words on the page, one file per tab."""
