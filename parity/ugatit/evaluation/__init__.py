"""How good are translations? KID and FID of two sets of pictures, by torch or by Paddle."""
