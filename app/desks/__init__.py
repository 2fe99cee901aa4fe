"""Desks: how each member of staff has arranged their lists: saved filters and columns."""
