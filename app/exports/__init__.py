"""Exports: a list of payments as a file, made piece by piece in the background, sealed, kept for a week."""
