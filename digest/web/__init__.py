"""A door: readers come in here, and the mail programs that speak for them."""
