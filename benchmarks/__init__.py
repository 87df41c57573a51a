"""Ratios of the real program to named baselines, so that a change which makes it slow is seen."""
