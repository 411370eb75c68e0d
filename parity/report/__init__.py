"""What readers see of a comparison: terminal text, JSON, and one HTML page in two languages."""
