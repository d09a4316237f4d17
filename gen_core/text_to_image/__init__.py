"""A small Stable Diffusion, trained here, part by part, and saved in diffusers' own format.

Not imported by `gen_core` itself: diffusers and transformers are heavy, and only this needs them.
"""
