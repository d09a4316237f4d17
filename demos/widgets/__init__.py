"""What the page shows and Gradio does not have: a folder each, with its script and style."""
