"""What a saved file says of how it was made."""
