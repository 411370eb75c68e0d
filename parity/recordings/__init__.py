"""What one side computed, in a folder, to be compared elsewhere or another day."""
