"""Who may be written to: one address, and the signed links that speak for it."""
