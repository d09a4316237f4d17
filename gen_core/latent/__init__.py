"""What can be found out about a latent space once a model is trained: how to move
by meaning, a map, what lies outside."""
