"""The static site over all regions that were run: one table, comparison, sectors, and each region's report."""
