"""What is said of figures in any medium: signs, notes, next steps."""
