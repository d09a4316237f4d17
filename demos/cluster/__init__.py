"""Runs on more machines than one: the page here, the models in replicas of Ray Serve."""
