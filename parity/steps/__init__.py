"""Two training programs followed side by side, step by step, and what is shown of it."""
