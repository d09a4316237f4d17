"""What the VAE's panels compute and show."""
