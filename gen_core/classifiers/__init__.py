"""Networks that measure: what is on a picture, and how sure they are."""
