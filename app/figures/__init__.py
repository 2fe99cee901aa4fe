"""Figures: what happened in each hour and day, summed up so that dashboards need not read every operation."""
