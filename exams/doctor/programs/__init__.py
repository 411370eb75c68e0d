"""Small training programs, as a user writes them, in Paddle and in torch; line for line where the frameworks allow it."""
