"""What may leave: small cells suppressed, numbers rounded. The only door out."""
