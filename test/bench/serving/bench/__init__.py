"""Compares the model service with other model servers."""
