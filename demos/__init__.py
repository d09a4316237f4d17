"""The screen: knows gradio and gen_core."""
