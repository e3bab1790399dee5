"""What we have left at brokers under names and cameras that are no more."""
