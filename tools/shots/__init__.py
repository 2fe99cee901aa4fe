"""Pictures of our pages, taken from the running product."""
