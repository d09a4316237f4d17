"""The panels of the Text to image tab."""
