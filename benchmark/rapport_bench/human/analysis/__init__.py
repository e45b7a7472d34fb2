"""What follows from ratings: agreement, contrasts, power, agreement with metrics."""
