"""Measures the model service beside what teams serve models with otherwise."""
