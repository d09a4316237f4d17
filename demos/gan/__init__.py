"""What the panels of the GAN tab do."""
