"""The panels of the Latent space tab."""
