"""What can be found out about a latent space once a model is trained: directions that mean
something, a map, what lies outside."""
