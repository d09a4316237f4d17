"""Panels of the two families that walk from noise to data: diffusion and flow matching."""
