"""The shelf of hosted pages."""
